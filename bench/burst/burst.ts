// burst: `slipstream bench burst`: a service in a cluster in, what its people saw while three times as many came and went again out, and
// how the pool followed. Asks the cluster's API and types at the service as everybody else does: nothing of it is arranged beforehand.
import { type Clock, systemClock, wallOf } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { ClientTls } from "../../lib/tls/client.ts";
import { durationMs } from "../../operator/api/fields.ts";
import { type Cluster, type Json, type KubeObject, kinds } from "../../operator/objects.ts";
import { labels, leavingAnnotation } from "../../operator/pool.ts";
import { ownSources } from "../keys/sources.ts";
import { Crowd } from "./crowd.ts";
import { type Asked, type BurstFigures, figuresOf, type Phase, type PoolSample } from "./series.ts";

export interface BurstOptions {
  readonly address: string;
  readonly tls: ClientTls | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly namespace: string;
  readonly pool: string;
  /** Who type before and after, and during the burst. */
  readonly people: number;
  readonly burst: number;
  readonly riseMs: number;
  /** How long each phase is. */
  readonly beforeMs: number;
  readonly burstMs: number;
  readonly afterMs: number;
  readonly deadlineMs: number;
  readonly seed: number;
}

export interface BurstReport extends BurstFigures {
  readonly pool: string;
  readonly people: readonly [number, number];
  readonly seed: number;
  readonly slo_ms: number;
  readonly min_replicas: number;
  readonly max_replicas: number;
  /** What the operator decided, and why, from the begin on. */
  readonly decisions: readonly { readonly s: number; readonly from: number; readonly to: number; readonly reason: string }[];
  /** What a router must never do, as the sessions saw it. */
  readonly violations: readonly string[];
}

interface Deps {
  readonly cluster: Cluster;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

const sampleMs = 1_000;
/** A line for a person to follow it by. */
const sayEveryMs = 15_000;

export async function benchBurst(options: BurstOptions, deps: Deps): Promise<BurstReport> {
  const { cluster, say, signal, clock = systemClock } = deps;
  const { namespace, pool: name, seed } = options;
  const pool = await cluster.get(kinds.WorkerPool, namespace, name);
  if (!pool) throw new SlipstreamError("not_found", `there is no WorkerPool ${namespace}/${name}`);
  const asked: Asked[] = [];
  const samples: PoolSample[] = [];
  const crowd = new Crowd({ ...options, sources: ownSources() }, { clock, ended: (each) => asked.push(each) });
  const decisions = new Map<string, BurstReport["decisions"][number]>();
  const phases: Phase[] = [];
  const beganMs = clock.now();
  const beganWallMs = clock.wall();
  let saidMs = Number.NEGATIVE_INFINITY;
  const plan = [
    { phase: "before", people: options.people, lastsMs: options.beforeMs },
    { phase: "burst", people: options.burst, lastsMs: options.burstMs },
    { phase: "after", people: options.people, lastsMs: options.afterMs },
  ] as const;
  try {
    for (const { phase, people, lastsMs } of plan) {
      const fromMs = clock.now();
      crowd.be(people);
      say(`${phase}: ${people} people for ${Math.round(lastsMs / 1_000)} s`);
      for (let nextMs = fromMs + sampleMs; nextMs <= fromMs + lastsMs; nextMs += sampleMs) {
        await clock.sleep(Math.max(0, nextMs - clock.now()), signal);
        const { sample, scaling } = await seen(cluster, options, clock.now(), people);
        samples.push(sample);
        for (const each of scaling.lastDecisions ?? []) {
          const s = Math.round((wallOf(each.time) - beganWallMs) / 1_000);
          if (s >= 0) decisions.set(each.time, { s, from: each.from, to: each.to, reason: each.reason });
        }
        if (clock.now() - saidMs < sayEveryMs) continue;
        saidMs = clock.now();
        const s = Math.round((saidMs - beganMs) / 1_000);
        say(`${s} s: ${asked.length} asked, ${sample.ready} workers serve of ${sample.wanted} wanted, ${scaling.reason ?? ""}`);
      }
      phases.push({ name: phase, fromMs, untilMs: clock.now() });
    }
  } finally {
    crowd.be(0);
    await clock.sleep(3 * options.deadlineMs);
  }
  const scaling = pool.spec?.scaling as Json;
  const sloMs = durationMs(scaling?.slo?.p95 ?? "100ms");
  return {
    ...{ pool: name, people: [options.people, options.burst], seed, slo_ms: sloMs },
    ...{ min_replicas: scaling?.minReplicas ?? 1, max_replicas: scaling?.maxReplicas ?? 1 },
    ...figuresOf(asked, samples, phases, { sloMs, deadlineMs: options.deadlineMs }),
    decisions: [...decisions.values()].sort((a, b) => a.s - b.s),
    violations: crowd.violations,
  };
}

/** Pods as they are, not as the operator tells of them; what is wanted only it can say. */
async function seen(
  cluster: Cluster,
  { namespace, pool: name }: BurstOptions,
  atMs: number,
  people: number,
): Promise<{ sample: PoolSample; scaling: Json }> {
  const [pool, all] = await Promise.all([
    cluster.get(kinds.WorkerPool, namespace, name),
    cluster.list(kinds.Pod, namespace, `${labels.pool}=${name},${labels.component}=worker`),
  ]);
  const pods = all.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const isLeaving = ({ metadata }: KubeObject) => metadata.annotations?.[leavingAnnotation] !== undefined;
  const isReady = ({ status }: KubeObject) =>
    (status?.conditions ?? []).some((each: Json) => each.type === "Ready" && each.status === "True");
  const scaling = pool?.status?.scaling ?? {};
  return {
    scaling,
    sample: {
      ...{ atMs, people, wanted: Number(scaling.desired ?? 0), pods: pods.length },
      ...{ ready: pods.filter(isReady).length, leaving: pods.filter(isLeaving).length },
    },
  };
}
