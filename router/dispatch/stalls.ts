// stalls: races that wait for their first delta in, each of them out again once it has waited for too long, in order of Submit.
// One timer for all of them. Bounded by the generations that links carry.
import type { Clock } from "../../lib/clock.ts";
import type { LinkGeneration } from "./generation.ts";

export interface StallsDeps {
  readonly clock: Clock;
  /** How long one may wait now; undefined: nobody knows yet. */
  readonly afterMs: () => number | undefined;
  readonly stalled: (generation: LinkGeneration) => void;
}

/** A timer so much later than it should be says something of this process, not of workers. */
const lateMs = 50;
/** Until workers have answered a few times. */
const againMs = 50;

export class Stalls {
  readonly #deps: StallsDeps;
  /** In order of Submit. */
  readonly #waiting = new Set<LinkGeneration>();
  #timer: Disposable | undefined;

  constructor(deps: StallsDeps) {
    this.#deps = deps;
  }

  watch(generation: LinkGeneration): void {
    this.#waiting.add(generation);
    this.#timer ??= this.#arm(this.#deps.afterMs() ?? againMs);
  }

  answered(generation: LinkGeneration): void {
    this.#waiting.delete(generation);
  }

  close(): void {
    this.#timer?.[Symbol.dispose]();
    this.#waiting.clear();
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
    const { clock, afterMs, stalled } = this.#deps;
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
      stalled(generation);
    }
  }
}
