// search: the largest crowd that is still served, by growing steps and halving. Pure but for the question it asks. Asks at most
// `triesMax` times.

export interface SearchOptions {
  /** Where to begin: near the answer is quicker, anything is right. */
  readonly first: number;
  /** How far to go from there at once, as a factor; each further step in the same direction is its square. */
  readonly step: number;
  readonly max: number;
  /** Between the largest that is served and the smallest that is not, as a share of the latter. */
  readonly within: number;
  readonly triesMax: number;
}

/** No step is longer. */
const stepMax = 2.5;

/** 0: not even one is. */
export async function largestServed(serves: (people: number) => Promise<boolean>, options: SearchOptions): Promise<number> {
  let served = 0;
  let unserved = Number.POSITIVE_INFINITY;
  let people = Math.min(options.max, Math.max(1, Math.round(options.first)));
  let step = options.step;
  for (let tries = 0; tries < options.triesMax; tries++) {
    if (await serves(people)) served = people;
    else unserved = people;
    const gap = unserved - served;
    if (served >= options.max || gap <= 1 || (Number.isFinite(unserved) && gap <= unserved * options.within)) break;
    const bracketed = served > 0 && Number.isFinite(unserved);
    const next = bracketed ? (served + unserved) / 2 : served > 0 ? served * step : unserved / step;
    if (!bracketed) step = Math.min(stepMax, step * step);
    people = Math.min(options.max, Math.max(served + 1, Math.min(unserved - 1, Math.round(next))));
  }
  return served;
}
