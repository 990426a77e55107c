// needs: the reasons for which workers are needed, each with how many: what comes now, what is foreseen when a worker that is asked for
// now would serve, what waits, what a schedule says, and the fewest.
import type { ReasonWord } from "../../api/conditions.ts";
import type { ScalingRules } from "../../scaling.ts";
import { coldStartMs } from "./cold-start.ts";
import { type Capacity, capacityOf } from "./curve.ts";
import { loadNow, workersUnshed } from "./heard.ts";
import type { Memory } from "./memory.ts";
import { scheduledMin } from "./schedules.ts";
import { expectedAt, stepMs } from "./season.ts";
import { workersFor } from "./staffing.ts";

export interface Need {
  readonly workers: number;
  readonly reason: ReasonWord;
}

export interface Foresees {
  readonly capacity: Capacity;
  readonly beta: number;
  readonly coldMs: number;
  /** Triggers a second that come now. */
  readonly loadRps: number;
  /** Load at a time to come, and its usual error. */
  readonly at: (atMs: number) => { readonly rps: number; readonly error: number };
  /** Workers for the most that is foreseen between two times. */
  readonly most: (fromMs: number, untilMs: number) => number;
}

/** What waits shall be gone after so long. */
const queueGoneS = 10;

export function foreseeing(memory: Memory, rules: ScalingRules): Foresees {
  const capacity = capacityOf(memory.curve, rules);
  const beta = rules.headroom === "Auto" ? memory.beta : rules.headroom;
  const loadRps = loadNow(memory);
  const at = (atMs: number) => {
    const { rps, error } = expectedAt(memory.season, atMs, rules.seasonality === "Weekly");
    return { rps: rules.seasonality === "None" ? loadRps : (rps ?? loadRps), error };
  };
  const most = (fromMs: number, untilMs: number) => {
    let workers = 0;
    for (let atMs = fromMs; ; atMs = Math.min(untilMs, atMs + stepMs / 2)) {
      const { rps, error } = at(atMs);
      workers = Math.max(workers, workersFor({ load: rps / capacity.rps, b: capacity.b, error }, beta));
      if (atMs >= untilMs) return workers;
    }
  };
  return { capacity, beta, coldMs: coldStartMs(memory, rules), loadRps, at, most };
}

export function needsOf(
  memory: Memory,
  rules: ScalingRules,
  { capacity, beta, coldMs, loadRps, at, most }: Foresees,
  nowMs: number,
): Need[] {
  const spare = rules.spareReplicas;
  const unshed = workersUnshed(memory, loadRps);
  const servesAtMs = nowMs + coldMs;
  return [
    { reason: "Minimum", workers: rules.minReplicas },
    { reason: "Load", workers: spare + workersFor({ load: loadRps / capacity.rps, b: capacity.b, error: 0 }, beta) },
    { reason: "Backlog", workers: spare + Math.ceil((memory.queued / queueGoneS + loadRps) / capacity.rps) },
    // Known at once, whatever was learned before: a new engine, or a neighbour on its node, may have made it slower.
    { reason: "Load", workers: unshed === 0 ? 0 : spare + unshed },
    { reason: at(servesAtMs).rps > loadRps ? "Forecast" : "Load", workers: spare + most(nowMs, servesAtMs + stepMs) },
    { reason: "Schedule", workers: scheduledMin(rules.schedules, servesAtMs) },
  ];
}
