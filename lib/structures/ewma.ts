// ewma: an exponentially weighted mean whose weight halves every `halfLifeMs`, whatever the rate of samples.

export class Ewma {
  readonly #halfLifeMs: number;
  #value: number | undefined;
  #at = 0;

  constructor(options: { halfLifeMs: number }) {
    this.#halfLifeMs = options.halfLifeMs;
  }

  add(sample: number, now: number): void {
    if (this.#value === undefined) this.#value = sample;
    else {
      const keep = 0.5 ** (Math.max(0, now - this.#at) / this.#halfLifeMs);
      // A sample counts for at least a tenth, so that a burst within one millisecond still moves the mean.
      this.#value = this.#value * Math.min(keep, 0.9) + sample * (1 - Math.min(keep, 0.9));
    }
    this.#at = now;
  }

  value(fallback: number): number {
    return this.#value ?? fallback;
  }
}
