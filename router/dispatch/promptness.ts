// promptness: how long inline generations took to their first delta in, how long one may take before it stalls out. A moving
// mean and deviation of each worker, as TCP keeps them of its round trips; what counts is the median of the workers, so that one
// slow worker does not become the measure of itself, and that nobody stalls where all queue.

const meanShare = 1 / 8;
const deviationShare = 1 / 4;
/** Beyond the mean; the share of hedges bounds what is left. */
const deviations = 2;
/** Fewer say nothing yet. */
const samplesMin = 8;

export class Promptness {
  #mean = 0;
  #deviation = 0;
  #samples = 0;

  add(ms: number): void {
    if (this.#samples === 0) {
      this.#mean = ms;
      this.#deviation = ms / 2;
    } else {
      this.#deviation += deviationShare * (Math.abs(ms - this.#mean) - this.#deviation);
      this.#mean += meanShare * (ms - this.#mean);
    }
    this.#samples += 1;
  }

  /** One was given up after so long: it would have taken more. */
  atLeast(ms: number): void {
    if (ms > this.#mean) this.add(ms);
  }

  /** Undefined: too few have answered. */
  get expectedMs(): number | undefined {
    return this.#samples < samplesMin ? undefined : this.#mean + deviations * this.#deviation;
  }
}

/** Lower median of those that know. */
export function expectedOf(workers: readonly Promptness[]): number | undefined {
  const known = workers.flatMap(({ expectedMs }) => (expectedMs === undefined ? [] : [expectedMs])).sort((a, b) => a - b);
  return known[(known.length - 1) >> 1];
}
