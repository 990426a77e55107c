// sizing: what is seen of a pool in, how many workers it asks for and how many it is granted out, and why. Who decides is the spec's
// choice; the load decides only where routers report it. GPUs that are too few are shared by tier.
import { wallOf, writtenTime } from "../../lib/clock.ts";
import type { ReasonWord } from "../api/conditions.ts";
import { durationMs } from "../api/fields.ts";
import { keyOf } from "../objects.ts";
import type { Judged, PoolSeen, ReplicasWriter, Sizing } from "../pool.ts";
import type { ScalingRules, ScalingVerdict, Supply } from "../scaling.ts";
import { decideScaling } from "./scaling/scaling.ts";
import { shareScarce } from "./scarce.ts";

export interface Sized extends Sizing {
  readonly wanted: number;
  readonly conditions: readonly Judged[];
}

export function sizeOf(seen: PoolSeen, supply: Supply): Sized {
  const { spec } = seen;
  const verdict = byLoad(seen, supply);
  const { asked, reason, message } = ask(seen, verdict);
  const { granted, why } = grant(seen, asked);
  const writers = writersOf(seen);
  const told: Judged = {
    type: "ScalingActive",
    status: "True",
    reason: granted < asked ? "GPUsScarce" : reason,
    message: why ?? `${granted} workers are wanted`,
  };
  const own = spec.scaling.mode === "Slipstream" && !spec.suspend ? (verdict?.conditions ?? [noFigures(seen, granted)]) : [];
  const active = own.find(({ type }) => type === "ScalingActive");
  return {
    ...{ asked, wanted: granted, reason: told.reason, message: why ?? message, verdict, writers },
    conditions: [
      conflict(seen, writers) ?? (granted < asked || active === undefined ? told : active),
      ...own.filter(({ type }) => type !== "ScalingActive"),
    ],
  };
}

function ask({ spec }: PoolSeen, verdict: ScalingVerdict | undefined): { asked: number; reason: ReasonWord; message: string } {
  const { mode, minReplicas, maxReplicas } = spec.scaling;
  const say = (asked: number, reason: ReasonWord) => ({ asked, reason, message: `${asked} workers are wanted` });
  if (spec.suspend) return say(0, "Suspended");
  if (mode === "Fixed") return say(spec.replicas ?? 0, "Fixed");
  if (mode === "External") return say(Math.min(maxReplicas, Math.max(minReplicas, spec.replicas ?? minReplicas)), "External");
  if (!verdict) return say(minReplicas, "Minimum");
  return { asked: verdict.wanted, reason: verdict.reason, message: verdict.message };
}

/** In every mode, for whoever decides: its figures are exported. Without a bus nothing is known. */
function byLoad(seen: PoolSeen, supply: Supply): ScalingVerdict | undefined {
  const { spec, setting, pool, wallMs, ledSinceMs, seconds } = seen;
  if (!setting.bus || spec.suspend) return undefined;
  const before = pool.status?.scaling;
  const isOurs = spec.scaling.mode === "Slipstream";
  return decideScaling({
    ...{ nowMs: wallMs, ledSinceMs, seconds, supply, rules: rulesOf(seen) },
    wanted: isOurs ? before?.asked : before?.desired,
    memory: before?.memory,
  });
}

export function rulesOf({ spec }: Pick<PoolSeen, "spec">): ScalingRules {
  const { minReplicas, maxReplicas, slo, headroom, forecast, schedules, scaleDown, spareReplicas } = spec.scaling;
  return {
    ...{ minReplicas, maxReplicas, spareReplicas, slots: spec.engine.slots, step: scaleDown.step },
    targetMs: durationMs(slo.p95) - durationMs(slo.networkBudget),
    headroom: headroom === "Auto" ? "Auto" : Number(headroom),
    seasonality: forecast.seasonality,
    schedules: schedules.map(({ duration, ...each }) => ({ ...each, durationMs: durationMs(duration) })),
    holdMs: durationMs(scaleDown.hold),
    startDeadlineMs: durationMs(spec.startup.deadline),
  };
}

/** Not more than its tier leaves it, and not before others have let go: what is pushed out by priority is cut off in the middle. */
function grant({ classUse, pool, spec }: PoolSeen, asked: number): { granted: number; why: string | undefined } {
  const total = classUse?.total;
  if (!classUse || total === undefined || !spec.gpu) return { granted: asked, why: undefined };
  const own = keyOf(pool);
  const claims = classUse.claims.map((claim) => (claim.pool === own ? { ...claim, wanted: asked } : claim));
  const share = shareScarce(total, claims).get(own) ?? asked;
  const gpus = spec.gpu.count * spec.parallelism.nodes;
  const free = Math.floor((total - classUse.heldByOthers) / gpus);
  const has = Number(pool.status?.scaling?.desired ?? 0);
  // The fewest are somebody's word: where they do not fit, the scheduler says so.
  const granted = Math.min(asked, Math.max(Math.min(share, Math.max(free, has)), spec.scaling.minReplicas));
  if (granted >= asked) return { granted, why: undefined };
  const whose = share < asked ? "pools of its tier and above have the rest" : "others still hold the rest";
  return {
    granted,
    why: `${granted} of ${asked} workers that are asked for: of ${total} GPUs of class ${spec.gpu.classRef} ${whose}`,
  };
}

function noFigures({ setting }: PoolSeen, wanted: number): Judged {
  const message = `${wanted} workers are wanted; the operator hears no bus, so load is not known`;
  return { type: "ScalingActive", status: setting.bus ? "True" : "False", reason: setting.bus ? "Minimum" : "NoBus", message };
}

/** One who wrote longer ago has stopped. */
const writerMs = 10 * 60_000;
const writersMax = 4;

/** Of a custom resource's scale the apiserver tells who wrote it, and no time: then it is when that was first seen. */
function writersOf({ pool, wallMs }: PoolSeen): ReplicasWriter[] {
  const before: ReplicasWriter[] = pool.status?.scaling?.writers ?? [];
  const now = pool.metadata.replicasBy;
  const others = before.filter(({ name, time }) => name !== now?.name && isLately(time, wallMs));
  if (!now) return others;
  const since = before[0]?.name === now.name ? before[0].time : writtenTime(wallMs);
  return [{ name: now.name, time: now.time ?? since }, ...others].slice(0, writersMax);
}

const isLately = (time: string, wallMs: number) => wallMs - wallOf(time) < writerMs;

/** Two who write one number, or one whom nobody follows. */
function conflict({ spec, wallMs }: PoolSeen, writers: readonly ReplicasWriter[]): Judged | undefined {
  const [first, second] = writers.filter(({ time }) => isLately(time, wallMs));
  const told = (message: string): Judged => ({ type: "ScalingActive", status: "False", reason: "ReplicasConflict", message });
  if (!first || spec.suspend) return undefined;
  if (spec.scaling.mode === "Slipstream")
    return told(`"${first.name}" writes spec.replicas, which mode Slipstream does not follow: the operator decides`);
  return second && told(`"${first.name}" and "${second.name}" both write spec.replicas; the last word is followed`);
}
