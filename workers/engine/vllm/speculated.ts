// speculated: vLLM's counters of drafts since its start in, drafted and accepted by position out. It counts drafts, all their
// tokens, and what was accepted at each place; drafts are filled from the first place on, so that the sums are its own.
import type { Speculated } from "./counters.ts";

export interface Counts {
  readonly drafted: readonly number[];
  readonly accepted: readonly number[];
}

export function byPosition(counters: Speculated | undefined): Counts {
  if (!counters) return { drafted: [], accepted: [] };
  const { drafts, acceptedAt } = counters;
  const drafted: number[] = [];
  let left = counters.drafted;
  for (let place = 0; place < acceptedAt.length; place++) {
    // All that no earlier place can have had is in the last one.
    const here = place === acceptedAt.length - 1 ? left : Math.min(drafts, left);
    drafted.push(here);
    left -= here;
  }
  return { drafted, accepted: acceptedAt };
}
