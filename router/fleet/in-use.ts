// in-use: from when to when something ran in, the share of late time in which it did out. A worker with sixteen slots is busy all the
// time long before its slots are: what is asked of it beside makes every step of the others longer.
export class InUse {
  readonly #halfLifeMs: number;
  #share = 0;
  #running = false;
  #at = Number.NEGATIVE_INFINITY;

  constructor(options: { halfLifeMs: number }) {
    this.#halfLifeMs = options.halfLifeMs;
  }

  /** From now on something runs, or nothing. */
  runs(running: boolean, now: number): void {
    this.#share = this.share(now);
    this.#running = running;
    this.#at = now;
  }

  /** 0: idle for long, 1: never idle; the last half-life counts for a half. */
  share(now: number): number {
    const kept = 0.5 ** (Math.max(0, now - this.#at) / this.#halfLifeMs);
    return this.#share * kept + (this.#running ? 1 - kept : 0);
  }
}
