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
  #usual: Usual | undefined;
  #mean = 0;
  #deviation = 0;
  #samples = 0;

  /** `usual`: told of its worker's. */
  constructor(usual?: Usual) {
    this.#usual = usual;
  }

  add(ms: number): void {
    const before = this.expectedMs;
    if (this.#samples === 0) {
      this.#mean = ms;
      this.#deviation = ms / 2;
    } else {
      this.#deviation += deviationShare * (Math.abs(ms - this.#mean) - this.#deviation);
      this.#mean += meanShare * (ms - this.#mean);
    }
    this.#samples += 1;
    this.#usual?.changed(before, this.expectedMs);
  }

  /** Its worker is one of these from now on. */
  among(usual: Usual): void {
    if (usual === this.#usual) return;
    this.#usual?.changed(this.expectedMs, undefined);
    this.#usual = usual;
    usual.changed(undefined, this.expectedMs);
  }

  /** One was given up after so long: it would have taken more. */
  atLeast(ms: number): void {
    if (ms > this.#mean) this.add(ms);
  }

  /** Its worker is left, for a while or for good: what it took is no measure any more. */
  forget(): void {
    this.#usual?.changed(this.expectedMs, undefined);
    this.#samples = 0;
  }

  /** Undefined: too few have answered. */
  get expectedMs(): number | undefined {
    return this.#samples < samplesMin ? undefined : this.#mean + deviations * this.#deviation;
  }
}

/** Lower median of those that know, kept in order as they change: a key that asks may not cost a look at every worker. */
export class Usual {
  readonly #sorted: number[] = [];

  get expectedMs(): number | undefined {
    return this.#sorted[(this.#sorted.length - 1) >> 1];
  }

  /** What one worker's was, and is now; undefined: it does not count. */
  changed(before: number | undefined, now: number | undefined): void {
    if (before !== undefined) this.#sorted.splice(this.#at(before), 1);
    if (now !== undefined) this.#sorted.splice(this.#at(now), 0, now);
  }

  /** Where the first that is not less stands. */
  #at(ms: number): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] as number) < ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
