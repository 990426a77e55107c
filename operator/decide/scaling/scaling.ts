// scaling: what routers say of a pool's load, what is there and what its spec allows in; how many workers are wanted, why, and what to
// remember out. Pure: the same is seen, the same is decided, by whichever operator. Reads top to bottom.
import type { ReasonWord } from "../../api/conditions.ts";
import type { Judged } from "../../pool.ts";
import type { ScalingInputs, ScalingSeen, ScalingVerdict } from "../../scaling.ts";
import { withStarts } from "./cold-start.ts";
import { p95Of } from "./curve.ts";
import { goesDown } from "./down.ts";
import { heard } from "./heard.ts";
import { firstMemory, type Memory, readMemory, writtenMemory } from "./memory.ts";
import { type Foresees, foreseeing, type Need, needsOf } from "./needs.ts";
import { stalling } from "./stalled.ts";

/** Routers that were silent for longer are not heard: then nothing leaves. */
const staleMs = 5_000;

export function decideScaling(seen: ScalingSeen): ScalingVerdict {
  const before = readMemory(seen.memory);
  const { memory, remember, ...verdict } = decided(seen, before ?? firstMemory(seen.nowMs, seen.wanted ?? seen.rules.minReplicas));
  return { ...verdict, memory: writtenMemory(memory), remember: remember || before === undefined };
}

export type Decided = Omit<ScalingVerdict, "memory"> & { readonly memory: Memory };

/** The same, of a memory that is no text. */
export function decided(seen: ScalingSeen, before: Memory): Decided {
  const { nowMs, rules, supply } = seen;
  const known = heard(withStarts(before, supply), seen.seconds, rules); //         1 what was said since, and what it teaches
  const isStale = nowMs - known.atMs > staleMs;
  const foresees = foreseeing(known, rules); //                                    2 what a worker takes, what comes, when it would serve
  const needs = needsOf(known, rules, foresees, nowMs); //                         3 each reason for workers asks for some
  const need = needs.reduce((most, each) => (each.workers > most.workers ? each : most));
  const most = Math.min(rules.maxReplicas, Math.max(need.workers, rules.minReplicas));
  const down = goesDown(known, seen, { isStale, need: most, foresees }); //        4 fewer only when that is sure to do for long
  const stalled = stalling(known, seen, Math.max(most, down.wanted)); //           5 what does not come is not counted on
  const wanted = Math.min(stalled.wanted, Math.max(most, down.wanted));
  const memory: Memory = {
    ...{ ...known, ...stalled.memory, enoughSinceMs: down.enoughSinceMs, wanted },
    changedMs: wanted === known.wanted ? known.changedMs : nowMs,
  };
  return {
    ...{ wanted, memory, ...said(seen, foresees, need, { known, wanted, isStale, isStalled: stalled.isStalled }) },
    remember: remembers(memory, before),
  };
}

/** What decisions and starts put there, no later second brings back. */
const remembers = (now: Memory, before: Memory) =>
  now.wanted !== before.wanted ||
  now.enoughSinceMs !== before.enoughSinceMs ||
  now.stalledUntilMs !== before.stalledUntilMs ||
  now.startedMs !== before.startedMs;

interface Outcome {
  readonly known: Memory;
  readonly wanted: number;
  readonly isStale: boolean;
  readonly isStalled: boolean;
}

function said(seen: ScalingSeen, foresees: Foresees, need: Need, { known, wanted, isStale, isStalled }: Outcome) {
  const { rules, supply, nowMs } = seen;
  const { capacity, beta, at, coldMs, loadRps } = foresees;
  const p95With = (workers: number) => p95Of(known.curve, loadRps, workers);
  const inputs: ScalingInputs = {
    ...{ loadRps, forecastRps: at(nowMs + coldMs).rps, sloCapacityRps: capacity.rps, headroomBeta: beta },
    ...{ queued: known.queued, coldStartP90Ms: coldMs },
    ...{ predictedP95Ms: p95With(supply.ready), predictedOneLessMs: p95With(supply.ready - 1) },
  };
  const reason: ReasonWord = isStalled
    ? "CapacityStalled"
    : need.workers > rules.maxReplicas
      ? "Maximum"
      : wanted > Math.max(need.workers, rules.minReplicas)
        ? "Holding"
        : need.reason;
  const [load, serves] = [Math.round(loadRps), capacity.rps.toFixed(1)];
  const message = `${wanted} workers: ${load} triggers/s, ${Math.round(inputs.forecastRps)} when one more would serve; one takes ${serves} within the target`;
  const active: Judged = isStale
    ? { type: "ScalingActive", status: "False", reason: "MetricsStale", message: "no router reports load: workers are only added" }
    : { type: "ScalingActive", status: "True", reason, message };
  const late: Judged = {
    ...{ type: "CapacityAvailable", status: "False", reason: "CapacityStalled" },
    message: `workers do not serve within their deadline: ${wanted} are asked for until it is tried again`,
  };
  return { reason, message, inputs, conditions: isStalled ? [active, late] : [active] };
}
