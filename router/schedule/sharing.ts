// sharing: where a prompt goes of which the most is a beginning that other sessions have too. Who holds the beginning and what each
// worker would cost in; one of the holders out, always the same first, so that few hold it; or, when it is asked for more than they
// can serve within patience, one worker more: the next by hash of the beginning, the same on every router, and no other. Pure.
import type { SharedBeginning, WorkerView } from "../completion.ts";
import { hashOf, weightOf } from "./rendezvous.ts";

export interface Sharing {
  /** Those of its holders that may be asked. */
  readonly holding: readonly WorkerView[];
  /** Of those that may be asked and do not hold it the one that the beginning weighs most; looked for when it is needed. */
  readonly next: (beginning: number) => WorkerView | undefined;
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
  { name }: Pick<SharedBeginning, "name">,
  { holding, next, waitMs, costMs, patienceMs, replicasMax }: Sharing,
): { readonly worker: WorkerView; readonly why: "shared" | "replica" } | undefined {
  const beginning = hashOf(name);
  const inOrder = holding
    .map((worker) => ({ worker, weight: weightOf(beginning, hashOf(worker.name)) }))
    .sort((a, b) => b.weight - a.weight);
  const within = inOrder.find(({ worker }) => waitMs(worker) <= patienceMs);
  if (within) return { worker: within.worker, why: "shared" };
  let [best, least]: [WorkerView | undefined, number] = [undefined, Number.POSITIVE_INFINITY];
  for (const { worker } of inOrder) {
    const cost = costMs(worker);
    if (cost < least) [best, least] = [worker, cost];
  }
  if (holding.length >= replicasMax) return undefined;
  const other = next(beginning);
  if (other && costMs(other) < least) return { worker: other, why: "replica" };
  return best && { worker: best, why: "shared" };
}
