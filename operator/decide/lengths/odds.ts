// odds: what the workers of a pool counted of their drafts in; the chance that a draft is right up to each of its places out. vLLM counts
// by place, TensorRT-LLM in all: then each place is taken to be right as often as the one before it, had that been right (geometric).
import type { DraftCounts, OddsFrom } from "../../lengths.ts";

export interface Odds {
  /** By place, from the first on. */
  readonly right: readonly number[];
  readonly from: OddsFrom;
}

/**
 * Up to `places`. `length`: of the drafts that were counted, in the mean where it changes with the batch (`isOne` false). Then drafts
 * of all lengths are counted at the first place alone: later places say more of the lengths than of the drafts.
 */
export function oddsOf({ drafted, accepted, shares }: DraftCounts, length: number, isOne: boolean, places: number): Odds {
  const [first = 0] = shares;
  if (shares.length <= 1) return geometric(agreementOf(accepted / Math.max(1, drafted), length), places);
  if (!isOne) return geometric(first, places);
  // Beyond what was ever drafted each place is taken to hold as often as the last one did, once the one before it had.
  const [last = 0, before = 1] = [shares.at(-1), shares.at(-2)];
  const ratio = before <= 0 ? 0 : Math.min(1, last / before);
  const right = Array.from({ length: places }, (_, place) => shares[place] ?? last * ratio ** (place - shares.length + 1));
  return { right, from: "Positions" };
}

const geometric = (agreement: number, places: number): Odds => ({
  right: Array.from({ length: places }, (_, place) => agreement ** (place + 1)),
  from: "Geometric",
});

/** The chance of one token for which drafts of this length, a mean perhaps, are right by that share of their tokens. */
function agreementOf(share: number, length: number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 40; i++) {
    const p = (low + high) / 2;
    if (shareOf(p, length) < share) low = p;
    else high = p;
  }
  return (low + high) / 2;
}

/** (p + p² + … + p^length) / length, for lengths between whole numbers too. */
const shareOf = (p: number, length: number) => (p - p ** (length + 1)) / ((1 - p) * length);
