// cost: how long an answer of a worker takes, in closed form: the wait for a slot, the prompts before it and its own, and the
// tokens until it is of use. Pure: a worker as the router sees it now and what is asked of it in, milliseconds out. A slot's wait
// is the mean service of late over how many are held; a backlog of prompts is what the worker said, plus what was booked since,
// less what it has computed since.
import type { Lane, WorkerView } from "../completion.ts";

/** What is assumed of a worker that has not been measured yet. */
const unknown = { prefillTokensPerSecond: 10_000, serviceMs: 100 } as const;
/** After so long without a generation a worker is tried, whatever it was like before. */
const paceTtlMs = 5_000;

/** With fewer slots there is none to keep for others. */
const keptOfMin = 3;

/** Is there a credit, and of a tenant that has more than its share a slot beside it? */
export function hasRoom({ free, slots, outstanding, running }: WorkerView, lane: Lane, greedy: boolean): boolean {
  return free[lane] > 0 && (!greedy || slots < keptOfMin || Math.max(outstanding, running) < slots - 1);
}

/** Until a generation sent now would have a slot; Infinity where nothing is known to end. */
export function slotWaitMs(worker: WorkerView, lane: Lane, ahead: number, greedy: boolean): number {
  const { held, slots, outstanding, running } = worker;
  const serviceMs = worker.serviceMs[lane] > 0 ? worker.serviceMs[lane] : unknown.serviceMs;
  // The last credit is for the place in the agent's queue: no slot idles, but this one waits for a slot.
  const behind = (used: number) => (used < slots ? 0 : (serviceMs * (used - slots + 1)) / slots);
  const used = Math.max(outstanding, running);
  if (hasRoom(worker, lane, greedy)) return behind(used);
  // A credit that is waited for is no better a place than one that is free: one leaves, and the others are before it.
  return held[lane] === 0 ? Number.POSITIVE_INFINITY : (serviceMs * (1 + ahead)) / held[lane] + behind(used - 1);
}

/** Until the prompts before it and its own are computed. */
export function prefillMs(worker: WorkerView, freshTokens: number, now: number): number {
  const rate = (worker.prefillTokensPerSecond > 0 ? worker.prefillTokensPerSecond : unknown.prefillTokensPerSecond) / 1_000;
  const backlog = worker.prefillBacklogTokens + worker.bookedTokens - Math.max(0, now - worker.loadMs) * rate;
  return (Math.max(0, backlog) + freshTokens) / rate;
}

/** From token to token; 0 where that is not known, or was in a time that is over. */
export function tokenMs(worker: WorkerView, now: number): number {
  return now - worker.pacedMs <= paceTtlMs ? worker.tokenMs : 0;
}
