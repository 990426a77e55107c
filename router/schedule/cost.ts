// cost: what a place at a worker costs in time, in closed form. Pure: a worker as the router sees it now and what is asked of it
// in, milliseconds out. A credit's wait is the mean service of late over how many are held; a backlog of prompts is what the
// worker said, plus what was booked since, less what it has computed since.
import type { Lane, WorkerView } from "../completion.ts";

/** What is assumed of a worker that has not been measured yet. */
const unknown = { prefillTokensPerSecond: 10_000, serviceMs: 100 } as const;

/** Until a generation sent now would have a slot; Infinity where nothing is known to end. */
export function slotWaitMs(worker: WorkerView, lane: Lane, ahead: number): number {
  const { free, held, slots, outstanding, running } = worker;
  const serviceMs = worker.serviceMs[lane] > 0 ? worker.serviceMs[lane] : unknown.serviceMs;
  if (free[lane] <= 0) return held[lane] === 0 ? Number.POSITIVE_INFINITY : (serviceMs * (1 + ahead)) / held[lane];
  // The last credit is for the place in the agent's queue: no slot idles, but this one waits for a slot.
  const used = Math.max(outstanding, running);
  return used < slots ? 0 : (serviceMs * (used - slots + 1)) / slots;
}

/** Until the prompts before it and its own are computed. */
export function prefillMs(worker: WorkerView, freshTokens: number, now: number): number {
  const rate = (worker.prefillTokensPerSecond > 0 ? worker.prefillTokensPerSecond : unknown.prefillTokensPerSecond) / 1_000;
  const backlog = worker.prefillBacklogTokens + worker.bookedTokens - Math.max(0, now - worker.loadMs) * rate;
  return (Math.max(0, backlog) + freshTokens) / rate;
}
