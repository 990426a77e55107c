// pool: the verdict on a WorkerPool.

import { wallOf } from "../../lib/clock.ts";
import type { ReasonWord } from "../api/conditions.ts";
import { durationMs } from "../api/fields.ts";
import type { KubeObject } from "../objects.ts";
import { labels, type PoolSeen, type PoolVerdict, warmGate } from "../pool.ts";
import { modelNotReady, refusal } from "./accepted.ts";
import { poolConditions } from "./pool-conditions.ts";
import { type Revision, shareOut } from "./rollout.ts";
import { conditionOf, isEnding, isReady, isTrue, worstTrouble } from "./trouble.ts";

export function decidePool(seen: PoolSeen, revision: string): PoolVerdict {
  const { spec, workloads, pods, wallMs } = seen;
  const refused = refusal(seen);
  const model = refused ? undefined : modelNotReady(seen);
  const { wanted, reason } = wantedWorkers(seen);
  const revisions = revisionsOf(workloads, pods);
  // Pods that would wait for a model hold GPUs for nothing: a new revision begins when its model is there.
  const waits = model !== undefined && !revisions.some(({ name }) => name === revision);
  const { shares, retired } = waits
    ? { shares: revisions.map(({ name, replicas }) => ({ revision: name, replicas: Math.min(replicas, wanted) })), retired: [] }
    : shareOut({ ...spec.rollout, wanted, newest: revision, revisions });
  const alive = pods.filter((pod) => !isEnding(pod));
  const ready = alive.filter(isReady);
  const deadlineMs = durationMs(spec.startup.deadline);
  const age = (pod: KubeObject) => wallMs - wallOf(pod.metadata.creationTimestamp ?? "");
  const unready = alive.filter((pod) => !isReady(pod));
  const late = unready.filter((pod) => age(pod) >= deadlineMs);
  const counts = {
    pods: alive.length,
    ready: ready.length,
    warm: alive.filter((pod) => isTrue(pod, warmGate)).length,
    starting: unready.length - late.length,
    draining: pods.length - alive.length,
    updated: alive.filter(({ metadata }) => metadata.labels?.[labels.revision] === revision).length,
  };
  const next = Math.min(...unready.map((pod) => deadlineMs - age(pod)).filter((ms) => ms > 0));
  const before = Number(seen.pool.status?.scaling?.desired ?? Number.NaN);
  return {
    halted: refused !== undefined,
    wanted,
    revision,
    shares,
    retired,
    warmed: refused ? [] : alive.filter((pod) => isWarmed(pod, seen)),
    counts,
    conditions: poolConditions(seen, {
      refused,
      model,
      wanted,
      reason,
      revisions,
      revision,
      counts,
      late,
      trouble: worstTrouble(unready),
    }),
    decided: before === wanted ? undefined : { from: Number.isNaN(before) ? 0 : before, to: wanted, reason },
    againMs: Number.isFinite(next) ? next : undefined,
  };
}

/** How many, and whose decision that is. The operator's own stays at the fewest until it learns loads. */
function wantedWorkers({ spec }: PoolSeen): { wanted: number; reason: ReasonWord } {
  const { mode, minReplicas, maxReplicas } = spec.scaling;
  if (spec.suspend) return { wanted: 0, reason: "Suspended" };
  if (mode === "Fixed") return { wanted: spec.replicas ?? 0, reason: "Fixed" };
  if (mode === "External")
    return { wanted: Math.min(maxReplicas, Math.max(minReplicas, spec.replicas ?? minReplicas)), reason: "External" };
  return { wanted: minReplicas, reason: "Minimum" };
}

function revisionsOf(workloads: readonly KubeObject[], pods: readonly KubeObject[]): Revision[] {
  return [...workloads]
    .filter((each) => !isEnding(each))
    .sort(
      (a, b) =>
        (a.metadata.creationTimestamp ?? "").localeCompare(b.metadata.creationTimestamp ?? "") ||
        a.metadata.name.localeCompare(b.metadata.name),
    )
    .map(({ metadata, spec }) => {
      const name = metadata.labels?.[labels.revision] ?? "";
      const own = pods.filter(
        (pod) => pod.metadata.labels?.[labels.revision] === name && pod.metadata.labels?.[labels.component] === "worker",
      );
      return { name, replicas: Number(spec?.replicas ?? 1), ready: own.filter(isReady).length, pods: own.length };
    });
}

/** Its containers are ready, the worker itself said on the bus that it serves (where there is a bus), and nobody has been told. */
function isWarmed(pod: KubeObject, { heard, setting }: PoolSeen): boolean {
  if (isTrue(pod, warmGate) || conditionOf(pod, "ContainersReady")?.status !== "True") return false;
  return !setting.bus || heard.has(pod.metadata.name);
}
