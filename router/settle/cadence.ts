// cadence: keys of a session in, how fast it types out. Keeps mean and variance of the logarithm of the intervals within a
// burst (they are lognormal, nearly) with weights that fade over some thirty keys: three numbers a session, `sessionsMax` sessions.
import { Lru } from "../../lib/structures/lru.ts";
import type { Typing } from "./pace.ts";

interface Pace {
  lastMs: number;
  mean: number;
  variance: number;
  intervals: number;
}

/** A longer interval is a pause, not typing. */
const burstMsMax = 1_000;
/** Keys of one event of the editor come together; none is faster. */
const intervalMsMin = 10;
const window = 32;
const intervalsMin = 6;
const deviationMin = 0.1;
const ttlMs = 3_600_000;

/** Who has typed little yet types as the mean of 168,000 typists: 239 ms, SD 112 (Dhakal et al. 2018, as recalled). */
const everyone = { mean: Math.log(216), variance: 0.198 };

export class Cadence {
  readonly #paces: Lru<Pace>;

  constructor(options: { readonly sessionsMax: number }) {
    this.#paces = new Lru({ max: options.sessionsMax, ttlMs });
  }

  get size(): number {
    return this.#paces.size;
  }

  /** A key was typed; `atMs` of any one clock. */
  key(session: string, atMs: number, now: number): void {
    const pace = this.#paces.get(session, now) ?? { lastMs: Number.NaN, ...everyone, intervals: 0 };
    const interval = atMs - pace.lastMs;
    // The same key may be told of twice, and keys may overtake each other; a clock that went far back began anew.
    if (interval <= 0 && interval > -burstMsMax) return;
    pace.lastMs = atMs;
    if (interval > 0 && interval <= burstMsMax) {
      const sample = Math.log(Math.max(intervalMsMin, interval));
      const weight = Math.max(1 / window, 1 / (pace.intervals + intervalsMin));
      const off = sample - pace.mean;
      pace.mean += weight * off;
      pace.variance = (1 - weight) * (pace.variance + weight * off * off);
      pace.intervals += 1;
    }
    this.#paces.set(session, pace, now);
  }

  /** Mean and deviation of the logarithm of the intervals. */
  typing(session: string, now: number): Typing {
    const { mean, variance } = this.#paces.get(session, now) ?? everyone;
    // Nobody types like a clock.
    return { mean, deviation: Math.max(deviationMin, Math.sqrt(variance)) };
  }
}
