// acceptance-window: counts since the start in, what was drafted and accepted in the last minute out. Keeps one count every
// few seconds, so at most a dozen and a few.
import type { Clock } from "../../lib/clock.ts";
import type { Acceptance } from "../generation.ts";

const windowMs = 60_000;
const everyMs = 5_000;

interface Counts {
  readonly drafted: readonly number[];
  readonly accepted: readonly number[];
}

export class AcceptanceWindow {
  readonly #clock: Clock;
  /** Oldest first; the first is the last one known before the window. */
  #kept: { readonly atMs: number; readonly counts: Counts }[];
  #last: Counts;
  #lastMs: number;

  constructor(first: Counts, deps: { clock: Clock }) {
    this.#clock = deps.clock;
    this.#last = first;
    this.#lastMs = deps.clock.now();
    this.#kept = [{ atMs: this.#lastMs, counts: first }];
  }

  add(counts: Counts): void {
    const now = this.#clock.now();
    if (now - (this.#kept.at(-1)?.atMs ?? 0) >= everyMs) this.#kept.push({ atMs: this.#lastMs, counts: this.#last });
    this.#last = counts;
    this.#lastMs = now;
    this.#forget(now);
  }

  get value(): Acceptance {
    this.#forget(this.#clock.now());
    const before = this.#kept[0]?.counts;
    const perPosition = this.#last.drafted.map((drafted, i) => ({
      drafted: drafted - (before?.drafted[i] ?? 0),
      accepted: (this.#last.accepted[i] ?? 0) - (before?.accepted[i] ?? 0),
    }));
    return {
      drafted: perPosition.reduce((sum, { drafted }) => sum + drafted, 0),
      accepted: perPosition.reduce((sum, { accepted }) => sum + accepted, 0),
      perPosition,
    };
  }

  #forget(now: number): void {
    while (this.#kept.length > 1 && now - (this.#kept[1]?.atMs ?? now) >= windowMs) this.#kept.shift();
    // Nothing was drafted for a whole window: what is known now is where the next one begins.
    if (this.#kept.length === 1 && now - (this.#kept[0]?.atMs ?? now) >= windowMs + everyMs)
      this.#kept = [{ atMs: now - windowMs, counts: this.#last }];
  }
}
