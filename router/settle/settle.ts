// settle: a Trigger in, a Turn out: the newest trigger of its document. Taking a turn is where a trigger is superseded: the
// older one of the same document is retired in that moment, wherever it is by then. `settled` waits only what is left of
// the pause since the key; the pause follows the session's typing and the load (pace.ts). Holds one turn a document, bounded by
// the live triggers that ingress admits, and the cadence of `sessionsMax` sessions.
import type { Clock } from "../../lib/clock.ts";
import { Retired, type Trigger } from "../completion.ts";
import type { RouterMetrics } from "../metrics.ts";
import { Cadence } from "./cadence.ts";
import { pauseMs } from "./pace.ts";

export { busyShare } from "./pace.ts";

export interface SettleOptions {
  /** Longest pause after a key before an AUTO trigger goes on. */
  readonly pauseMaxMs: number;
  readonly sessionsMax: number;
}

export interface SettleDeps {
  readonly clock: Clock;
  readonly metrics: Pick<RouterMetrics, "settle_seconds">;
  /** How loaded the workers are that could serve this model or pool, and what an inline answer of theirs takes now. */
  readonly load: (model: string) => { readonly busy: number; readonly answerMs: number };
}

export interface Turn extends Disposable {
  /** Resolves when the pause is over; rejects with the Retired that ended the trigger first. */
  settled(): Promise<void>;
}

export class Settle {
  readonly #options: SettleOptions;
  readonly #deps: SettleDeps;
  readonly #cadence: Cadence;
  readonly #newest = new Map<string, Trigger>();

  constructor(options: SettleOptions, deps: SettleDeps) {
    this.#options = options;
    this.#cadence = new Cadence(options);
    this.#deps = deps;
  }

  /** Documents with a live trigger. */
  get size(): number {
    return this.#newest.size;
  }

  /** A key was typed in a session, at this time of the clock that tells all its keys. */
  key(session: string, atMs: number): void {
    this.#cadence.key(session, atMs, this.#deps.clock.now());
  }

  take(trigger: Trigger): Turn {
    const key = turnKey(trigger);
    // Who sends no edits types where they ask.
    if (trigger.stateless && trigger.kind === "auto") this.key(trigger.session, trigger.receivedMs);
    const older = this.#newest.get(key);
    // Who has the turn may take it again on a part of the way; it ends where it was taken first.
    if (older === trigger) return { settled: () => this.#settled(trigger), [Symbol.dispose]: () => {} };
    older?.retire(new Retired("superseded"));
    this.#newest.set(key, trigger);
    return {
      settled: () => this.#settled(trigger),
      [Symbol.dispose]: () => {
        if (this.#newest.get(key) === trigger) this.#newest.delete(key);
      },
    };
  }

  async #settled(trigger: Trigger): Promise<void> {
    if (trigger.signal.aborted) throw trigger.signal.reason;
    // Only typing is worth waiting out: who asks, asks now.
    const { clock, metrics } = this.#deps;
    const pause = trigger.kind === "auto" && trigger.lane === "inline" ? this.#pause(trigger) : 0;
    const keyMs = Math.min(trigger.receivedMs, trigger.previousKeyMs ?? trigger.receivedMs);
    const left = pause - (clock.now() - keyMs);
    if (left > 0) await clock.sleep(left, trigger.signal);
    metrics.settle_seconds.observe({}, Math.max(0, left) / 1000);
  }

  #pause({ session, model, receivedMs, deadlineMs }: Trigger): number {
    const { clock, load } = this.#deps;
    return pauseMs({
      ...load(model),
      typing: this.#cadence.typing(session, clock.now()),
      deadlineAfterMs: deadlineMs - receivedMs,
      pauseMaxMs: this.#options.pauseMaxMs,
    });
  }
}

/** Speculative work never retires what the person is waiting for, so it takes turns of its own. */
function turnKey(trigger: Trigger): string {
  return trigger.lane === "speculative" ? `${trigger.document}\u0000speculative` : trigger.document;
}
