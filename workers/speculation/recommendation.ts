// recommendation: for an engine whose draft length is fixed when it starts: what it drafted and had accepted in, by position, how long
// it should draft out. The same question as the controller's (speculation.ts), asked of counters instead of blocks: the most tokens a
// millisecond. Pure; keeps the last few answers, since a pool is not restarted for a minute's chance.
import type { Acceptance, Recommendation } from "../generation.ts";

export interface RecommendationOptions {
  /** Of a pass of the target: what verifying one more token costs, and drafting one. */
  readonly verifyShare: number;
  readonly draftShare: number;
  readonly lengthMax: number;
  /** So many answers in a row must agree. */
  readonly answers: number;
  /** Drafted tokens below which an answer is chance. */
  readonly draftedMin: number;
}

/** Of GPUs: three hundredths of a pass to verify a token more, an eighth of one to draft it (docs/decisions/0011). */
export const usualCosts: RecommendationOptions = {
  verifyShare: 0.03,
  draftShare: 0.12,
  lengthMax: 16,
  answers: 5,
  draftedMin: 500,
};

/** A change for less is not worth a restart. */
const gainMin = 0.05;

export class Recommending {
  readonly #options: RecommendationOptions;
  #agreed = 0;
  #last: number | undefined;
  #standing: Recommendation | undefined;

  constructor(options: RecommendationOptions = usualCosts) {
    this.#options = options;
  }

  /** What was last sure; undefined: nothing was drafted yet. */
  get standing(): Recommendation | undefined {
    return this.#standing;
  }

  /** Undefined: nothing to recommend, or not sure of it yet. */
  take({ drafted, perPosition }: Acceptance): Recommendation | undefined {
    if (drafted < this.#options.draftedMin || perPosition.length === 0) return undefined;
    const odds = perPosition.map((place) => (place.drafted === 0 ? 0 : place.accepted / place.drafted));
    const now = odds.length;
    const lengths = Array.from({ length: Math.min(this.#options.lengthMax, reach(odds)) + 1 }, (_, length) => length);
    const best = lengths.reduce((one, other) => (this.#speed(odds, other) > this.#speed(odds, one) ? other : one), now);
    const gain = this.#speed(odds, best) / this.#speed(odds, now) - 1;
    const wanted = gain >= gainMin ? best : now;
    this.#agreed = wanted === this.#last ? this.#agreed + 1 : 1;
    this.#last = wanted;
    this.#standing ??= { now, tokens: now, gain: 0 };
    if (this.#agreed < this.#options.answers) return undefined;
    this.#standing = { now, tokens: wanted, gain: wanted === now ? 0 : gain };
    return wanted === now ? undefined : this.#standing;
  }

  /** Tokens for the time of one pass. */
  #speed(odds: readonly number[], length: number): number {
    const { verifyShare, draftShare } = this.#options;
    let tokens = 1;
    for (let place = 0; place < length; place++) tokens += oddsAt(odds, place);
    return tokens / (1 + length * (verifyShare + draftShare));
  }
}

/** The engine counts acceptance of a place over all drafts: the chance that all before it held too. */
function oddsAt(odds: readonly number[], place: number): number {
  const known = odds[place];
  if (known !== undefined) return known;
  // Beyond what was ever drafted each place is taken to hold as often as the last one did, once the one before it had.
  const [last = 0, before = 1] = [odds.at(-1), odds.at(-2) ?? 1];
  const ratio = before === 0 ? 0 : Math.min(1, last / before);
  return last * ratio ** (place - odds.length + 1);
}

/** Twice what is known: beyond it odds are guesses upon guesses. */
function reach(odds: readonly number[]): number {
  return 2 * odds.length;
}
