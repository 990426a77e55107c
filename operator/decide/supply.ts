// supply: the pods of a pool in, what holds a GPU for it out: workers that serve, that start and since when, that leave.
import { wallOf } from "../../lib/clock.ts";
import type { KubeObject } from "../objects.ts";
import { labels, leavingAnnotation, warmGate } from "../pool.ts";
import type { Supply } from "../scaling.ts";
import { conditionOf, isEnding, isReady, isTrue } from "./trouble.ts";

/** Of a worker that is several pods the leader stands for all: it serves when they do. */
export const isWorker = ({ metadata }: KubeObject): boolean => metadata.labels?.[labels.component] === "worker";

/** Since when it was asked to leave. */
export function leavingSinceMs({ metadata }: KubeObject): number | undefined {
  const since = metadata.annotations?.[leavingAnnotation];
  return since === undefined ? undefined : wallOf(since);
}

export const isLeaving = (pod: KubeObject): boolean => leavingSinceMs(pod) !== undefined;
export const bornMs = ({ metadata }: KubeObject): number => wallOf(metadata.creationTimestamp ?? "");

/** The slowest of them are few; more say nothing new. */
const startsMax = 64;

/** `missing`: workers that are asked for and whose pods nobody has made yet. */
export function supplyOf(workers: readonly KubeObject[], missing: number, nowMs: number, rollingOut: boolean): Supply {
  const alive = workers.filter((pod) => !isEnding(pod));
  const staying = alive.filter((pod) => !isLeaving(pod));
  const starts = alive.flatMap((pod) => {
    const warmed = isTrue(pod, warmGate) ? wallOf(conditionOf(pod, warmGate).lastTransitionTime ?? "") : Number.NaN;
    return Number.isFinite(warmed) ? [{ readyMs: warmed, tookMs: Math.max(0, warmed - bornMs(pod)) }] : [];
  });
  return {
    ready: staying.filter(isReady).length,
    startingSinceMs: [...staying.filter((pod) => !isReady(pod)).map(bornMs), ...Array.from({ length: missing }, () => nowMs)],
    leaving: workers.length - staying.length,
    starts: starts.sort((a, b) => a.readyMs - b.readyMs).slice(-startsMax),
    rollingOut,
  };
}
