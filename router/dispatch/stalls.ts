// stalls: generations that wait for their first delta in, each of them out again once it has waited for too long, in order of
// Submit; and once more where that was too soon for what could be done about it. One timer for all that wait for the first time,
// one for each of the few others. Bounded by the generations that links carry.
import type { Clock } from "../../lib/clock.ts";

export interface StallsDeps<T> {
  readonly clock: Clock;
  /** How long one may wait now; undefined: nobody knows yet. */
  readonly afterMs: () => number | undefined;
  /** `lateMs`: more than one may wait. Returns when to look again, in milliseconds; undefined: never. */
  readonly stalled: (generation: T, lateMs: number) => number | undefined;
}

/** A timer so much later than it should be says something of this process, not of workers. */
const lateMs = 50;
/** Until workers have answered a few times. */
const againMs = 50;

export class Stalls<T extends { readonly submittedMs: number }> {
  readonly #deps: StallsDeps<T>;
  /** In order of Submit. */
  readonly #waiting = new Set<T>();
  readonly #again = new Map<T, Disposable>();
  #timer: Disposable | undefined;

  constructor(deps: StallsDeps<T>) {
    this.#deps = deps;
  }

  watch(generation: T): void {
    this.#waiting.add(generation);
    this.#timer ??= this.#arm(this.#deps.afterMs() ?? againMs);
  }

  answered(generation: T): void {
    if (this.#waiting.delete(generation)) return;
    this.#again.get(generation)?.[Symbol.dispose]();
    this.#again.delete(generation);
  }

  close(): void {
    this.#timer?.[Symbol.dispose]();
    this.#waiting.clear();
    for (const timer of this.#again.values()) timer[Symbol.dispose]();
    this.#again.clear();
  }

  #arm(ms: number): Disposable {
    const { clock } = this.#deps;
    const dueMs = clock.now() + ms;
    return clock.timer(ms, () => {
      this.#timer = undefined;
      this.#look(clock.now() - dueMs > lateMs);
    });
  }

  #look(late: boolean): void {
    const { clock, afterMs } = this.#deps;
    const after = afterMs();
    const now = clock.now();
    for (const generation of this.#waiting) {
      const leftMs = after === undefined ? againMs : generation.submittedMs + after - now;
      // What came meanwhile may still wait to be read: one more look, after it was.
      if (after === undefined || leftMs > 0 || late) {
        this.#timer = this.#arm(Math.max(leftMs, 1));
        return;
      }
      this.#waiting.delete(generation);
      this.#stalled(generation);
    }
  }

  #stalled(generation: T): void {
    const { clock, afterMs, stalled } = this.#deps;
    const after = afterMs() ?? Number.POSITIVE_INFINITY;
    const again = stalled(generation, Math.max(0, clock.now() - generation.submittedMs - after));
    this.#again.delete(generation);
    if (again === undefined) return;
    const timer = clock.timer(Math.max(1, again), () => this.#stalled(generation));
    this.#again.set(generation, timer);
  }
}
