// sharing: where a prompt goes of which the most is a beginning that other sessions have too. Who holds the beginning and what each
// worker would cost in; one of the holders out, always the same first, so that few hold it; or, when it is asked for more than they
// can serve within patience, one worker more: the next by hash of the beginning, the same on every router, and no other. Pure.
import type { SharedBeginning, WorkerView } from "../completion.ts";
import { hashOf, weightOf } from "./rendezvous.ts";

export interface Sharing {
  readonly workers: readonly { readonly worker: WorkerView; readonly hash: number }[];
  readonly usable: (worker: WorkerView) => boolean;
  /** Until its prompt is begun there; Infinity: not within reason. */
  readonly waitMs: (worker: WorkerView) => number;
  /** Until an answer, the prompt counted as it is weighed. */
  readonly costMs: (worker: WorkerView) => number;
  readonly patienceMs: number;
  readonly replicasMax: number;
}

/** Less of a prompt decides nothing: its session's own text is most of what is computed. */
const sharedShareMin = 0.5;

export function isMostOf(beginning: SharedBeginning | undefined, bytes: number): beginning is SharedBeginning {
  return beginning !== undefined && beginning.bytes >= bytes * sharedShareMin;
}

/** Undefined: nobody is better than who would have it anyway. */
export function sharing(
  { name, holders }: SharedBeginning,
  { workers, usable, waitMs, costMs, patienceMs, replicasMax }: Sharing,
): { readonly worker: WorkerView; readonly why: "shared" | "replica" } | undefined {
  const beginning = hashOf(name);
  const holding: { readonly worker: WorkerView; readonly weight: number }[] = [];
  let [next, most]: [WorkerView | undefined, number] = [undefined, -1];
  for (const { worker, hash } of workers) {
    if (!usable(worker)) continue;
    const weight = weightOf(beginning, hash);
    if (holders.includes(worker.name)) holding.push({ worker, weight });
    else if (weight > most) [next, most] = [worker, weight];
  }
  holding.sort((a, b) => b.weight - a.weight);
  const within = holding.find(({ worker }) => waitMs(worker) <= patienceMs);
  if (within) return { worker: within.worker, why: "shared" };
  let [best, least]: [WorkerView | undefined, number] = [undefined, Number.POSITIVE_INFINITY];
  for (const { worker } of holding) {
    const cost = costMs(worker);
    if (cost < least) [best, least] = [worker, cost];
  }
  if (next && holding.length < replicasMax && costMs(next) < least) return { worker: next, why: "replica" };
  return best && holding.length < replicasMax ? { worker: best, why: "shared" } : undefined;
}
