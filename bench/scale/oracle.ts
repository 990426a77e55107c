// oracle: who knows all load beforehand: the fewest GPU hours that hold the target with whole workers which take as long to start. It too
// may miss as many windows as the target lets everybody miss, and misses those that cost most. Needs of windows in, GPU seconds out.
import { secondsPerDay } from "./days.ts";
import type { QueueModel } from "./queue-model.ts";
import { heldShare } from "./run.ts";

const windowS = 60;
/** Windows in a row that are given up together. */
const runMax = 15;

/** The fewest workers with which each window is held. */
export function needsOf(model: QueueModel, load: Float64Array, arrivals: Float64Array): number[] {
  const needs: number[] = [];
  let workers = 1;
  for (let from = 0; from < load.length; from += windowS) {
    const holds = (count: number) => windowHolds(model, load, arrivals, from, count);
    while (workers > 1 && holds(workers - 1)) workers -= 1;
    while (!holds(workers)) workers += 1;
    needs.push(workers);
  }
  return needs;
}

function windowHolds(model: QueueModel, load: Float64Array, arrivals: Float64Array, from: number, workers: number): boolean {
  let [came, inTime] = [0, 0];
  for (let s = from; s < from + windowS; s++) {
    came += arrivals[s] as number;
    inTime += (arrivals[s] as number) * model.inTime(load[s] as number, workers);
  }
  return inTime >= heldShare * came;
}

/** Each further worker is kept while that is cheaper than to start it anew. */
export function gpuSecondsOf(needs: readonly number[], coldS: number): number {
  const most = needs.reduce((a, b) => Math.max(a, b), 0);
  const lastOn = new Array<number>(most + 1).fill(-1);
  let total = 0;
  for (const [at, need] of needs.entries())
    for (let level = 1; level <= need; level++) {
      const before = lastOn[level] as number;
      const gapS = (at - before - 1) * windowS;
      total += windowS + (before < 0 || gapS > coldS ? coldS : gapS);
      lastOn[level] = at;
    }
  return total;
}

/** Gives up the runs of windows that save most for each, up to `missShare` of all and `dayMissShare` of a day. */
export function relaxed(needs: readonly number[], coldS: number, missShare: number, dayMissShare: number): number[] {
  const left = [...needs];
  const perDay = secondsPerDay / windowS;
  const missed = new Array<number>(Math.ceil(needs.length / perDay)).fill(0);
  let budget = Math.floor(missShare * needs.length);
  const dayBudget = Math.floor(dayMissShare * perDay);
  const candidates: { at: number; length: number; floor: number; worth: number }[] = [];
  for (let at = 1; at < needs.length - 1; at++)
    for (let length = 1; length <= runMax && at + length < needs.length; length++) {
      const floor = Math.max(needs[at - 1] as number, needs[at + length] as number);
      const run = needs.slice(at, at + length);
      if (!run.every((need) => need > floor)) continue;
      candidates.push({ at, length, floor, worth: saved(run, floor, coldS) / length });
    }
  candidates.sort((a, b) => b.worth - a.worth);
  for (const { at, length, floor } of candidates) {
    const day = Math.floor(at / perDay);
    if (length > budget || (missed[day] as number) + length > dayBudget) continue;
    // Part of it was given up already.
    if (left.slice(at, at + length).some((need, i) => need !== needs[at + i])) continue;
    left.fill(floor, at, at + length);
    missed[day] = (missed[day] as number) + length;
    budget -= length;
  }
  return left;
}

const saved = (run: readonly number[], floor: number, coldS: number) =>
  gpuSecondsOf(
    run.map((need) => need - floor),
    coldS,
  );
