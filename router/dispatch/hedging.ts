// hedging: how many generations were sent in, whether one more may be sent a second time out. A bucket that each generation
// fills by `share` of a hedge, up to `burst`. Pure but for its own count.

export interface HedgingOptions {
  /** Of the generations sent. */
  readonly share: number;
  readonly burst: number;
}

export class Hedging {
  readonly #options: HedgingOptions;
  #left: number;

  constructor(options: HedgingOptions) {
    this.#options = options;
    this.#left = options.burst;
  }

  sent(): void {
    this.#left = Math.min(this.#options.burst, this.#left + this.#options.share);
  }

  get allowed(): boolean {
    return this.#left >= 1;
  }

  take(): void {
    this.#left -= 1;
  }
}
