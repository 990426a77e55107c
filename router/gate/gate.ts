// gate: a Trigger and the load in; a reason not to ask out, or nothing. Pure. Named evidence against a useful answer gates
// AUTO triggers always; under load the queue's predicted wait does (brown-out), long before anything is refused.
import type { Kind, Trigger } from "../completion.ts";

export interface GateOptions {
  /** Share of a trigger's remaining time that may go to waiting before AUTO triggers are turned away. */
  readonly waitShareMax: number;
}

/** What the path knows of the load at this moment. */
export interface Pressure {
  readonly predictedWaitMs: number;
}

export interface Gated {
  readonly reason: "gated" | "brownout";
  readonly detail: string;
  readonly retryAfterMs: number;
}

const wordStart = /^[\p{L}\p{N}_$]/u;
const wordEnd = /[\p{L}\p{N}_$]$/u;

/** The person asked: evidence about typing does not count. */
const asked: ReadonlySet<Kind> = new Set(["invoked", "preload", "speculative"]);

export class Gate {
  readonly #options: GateOptions;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  judge(trigger: Trigger, pressure: Pressure, now: number): Gated | undefined {
    if (asked.has(trigger.kind)) return undefined;
    // Inside a word the person is editing, not writing on: what comes is nearly always in the way.
    if (wordEnd.test(trigger.prefix.slice(-2)) && wordStart.test(trigger.suffix.slice(0, 2)))
      return { reason: "gated", detail: "the cursor is inside a word", retryAfterMs: 0 };
    if (trigger.prefix.trim() === "" && trigger.suffix.trim() === "")
      return { reason: "gated", detail: "the document is empty", retryAfterMs: 0 };
    const left = Math.max(0, trigger.deadlineMs - now);
    if (pressure.predictedWaitMs > left * this.#options.waitShareMax)
      return { reason: "brownout", detail: "workers are busy", retryAfterMs: Math.ceil(pressure.predictedWaitMs) };
    return undefined;
  }
}
