// fleet: the workers of a simulated pool: how many are wanted in, who serves now out. A worker that is asked for starts for as long as
// chance says; one that is no longer wanted is taken from those that start, the youngest first, else it ends what it has. GPU time is
// paid from the asking to the end.
import type { Random } from "../../lib/random.ts";
import { coldStart } from "./days.ts";

interface Starting {
  readonly sinceS: number;
  readonly readyS: number;
}

/** A worker that leaves holds its GPU for as long as its last generations may take. */
const drainS = 20;

export class Fleet {
  ready: number;
  gpuSeconds = 0;
  changes = 0;
  /** Of workers that began to serve lately, the newest last. */
  readonly starts: { readyS: number; tookS: number }[] = [];
  #starting: Starting[] = [];
  #leaving: number[] = [];
  #nextReadyS = Number.POSITIVE_INFINITY;
  readonly #coldS: number;
  readonly #random: Random;

  constructor(options: { readonly ready: number; readonly coldS: number }, random: Random) {
    this.ready = options.ready;
    this.#coldS = options.coldS;
    this.#random = random;
  }

  get wanted(): number {
    return this.ready + this.#starting.length;
  }

  get starting(): readonly Starting[] {
    return this.#starting;
  }

  want(workers: number, nowS: number): void {
    if (workers === this.wanted) return;
    this.changes += 1;
    while (this.wanted < workers) {
      const tookS = coldStart(this.#random, this.#coldS);
      this.#starting.push({ sinceS: nowS, readyS: nowS + tookS });
      this.#nextReadyS = Math.min(this.#nextReadyS, nowS + tookS);
    }
    while (this.wanted > workers && this.#starting.length > 0) this.#starting.pop();
    while (this.wanted > workers) {
      this.ready -= 1;
      this.#leaving.push(nowS + drainS);
    }
  }

  /** A second passes. */
  second(nowS: number): void {
    if (nowS >= this.#nextReadyS) {
      for (const { sinceS, readyS } of this.#starting)
        if (readyS <= nowS) {
          this.ready += 1;
          this.starts.push({ readyS, tookS: readyS - sinceS });
          if (this.starts.length > startsMax) this.starts.shift();
        }
      this.#starting = this.#starting.filter(({ readyS }) => readyS > nowS);
      this.#nextReadyS = this.#starting.reduce((first, { readyS }) => Math.min(first, readyS), Number.POSITIVE_INFINITY);
    }
    while (this.#leaving.length > 0 && (this.#leaving[0] as number) <= nowS) this.#leaving.shift();
    this.gpuSeconds += this.ready + this.#starting.length + this.#leaving.length;
  }
}

const startsMax = 32;
