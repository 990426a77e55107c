// pace: an emulated accelerator, for measurements only: each pass of the target takes at least so long, each pass of the draft
// model a fixed share of it. Tokens stay real; nothing is faster than it is. Without a pace nothing waits.
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../../../lib/clock.ts";

/** A draft model of a tenth of the weights and its calls: what published pairs have. */
export const draftShare = 0.12;

export class Pace {
  readonly #targetMs: number;
  readonly #clock: Clock;

  /** 0: no pace. */
  constructor(options: { targetMs: number }, deps: { clock: Clock }) {
    this.#targetMs = options.targetMs;
    this.#clock = deps.clock;
  }

  async target(startedMs: number): Promise<void> {
    await this.#until(startedMs + this.#targetMs);
  }

  async draft(startedMs: number): Promise<void> {
    await this.#until(startedMs + this.#targetMs * draftShare);
  }

  /** Not by a timer: those come a millisecond late, which is what is measured here. */
  async #until(ms: number): Promise<void> {
    while (this.#clock.now() < ms) await nextTurn();
  }
}
