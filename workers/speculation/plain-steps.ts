// plain-steps: plain steps that follow plain ones in, one entry for many of them out. On a processor most steps are such, and
// thinking about each by itself costs a small model's step some hundredths.

/** Then they are booked: what the machine does is noticed soon enough. */
const bookEvery = 16;

export interface Booked {
  readonly steps: number;
  /** Of one: the geometric mean, which a disturbed one moves little. */
  readonly ms: number;
  readonly load: number;
}

export class PlainSteps {
  #steps = 0;
  #logMs = 0;
  #load = 0;

  /** Gives what has to be booked now, if anything. */
  add(ms: number, load: number): Booked | undefined {
    const before = this.#load !== load ? this.take() : undefined;
    this.#load = load;
    this.#steps += 1;
    this.#logMs += Math.log(ms);
    return before ?? (this.#steps >= bookEvery ? this.take() : undefined);
  }

  /** What is not booked yet. */
  take(): Booked | undefined {
    if (this.#steps === 0) return undefined;
    const booked = { steps: this.#steps, ms: Math.exp(this.#logMs / this.#steps), load: this.#load };
    this.#steps = 0;
    this.#logMs = 0;
    return booked;
  }
}
