// settle: a Trigger in, a Turn out: the newest trigger of its document. Taking a turn is where a trigger is superseded: the
// older one of the same document is retired in that moment, wherever it is by then. `settled` waits only what is left of
// the pause since the key. Holds one turn a document; bounded by the live triggers that ingress admits.
import type { Clock } from "../../lib/clock.ts";
import { Retired, type Trigger } from "../completion.ts";
import type { RouterMetrics } from "../metrics.ts";

export interface SettleOptions {
  /** Pause after a key before an AUTO trigger goes on. */
  readonly pauseMs: number;
}

export interface Turn extends Disposable {
  /** Resolves when the pause is over; rejects with the Retired that ended the trigger first. */
  settled(): Promise<void>;
}

export class Settle {
  readonly #options: SettleOptions;
  readonly #deps: { readonly clock: Clock; readonly metrics: Pick<RouterMetrics, "settle_seconds"> };
  readonly #newest = new Map<string, Trigger>();

  constructor(options: SettleOptions, deps: { clock: Clock; metrics: Pick<RouterMetrics, "settle_seconds"> }) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Documents with a live trigger. */
  get size(): number {
    return this.#newest.size;
  }

  take(trigger: Trigger): Turn {
    const key = turnKey(trigger);
    this.#newest.get(key)?.retire(new Retired("superseded"));
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
    const pauseMs = trigger.kind === "auto" && trigger.lane === "inline" ? this.#options.pauseMs : 0;
    const { clock, metrics } = this.#deps;
    const left = pauseMs - (clock.now() - trigger.receivedMs);
    if (left > 0) await clock.sleep(left, trigger.signal);
    metrics.settle_seconds.observe({}, Math.max(0, left) / 1000);
  }
}

/** Speculative work never retires what the person is waiting for, so it takes turns of its own. */
function turnKey(trigger: Trigger): string {
  return trigger.lane === "speculative" ? `${trigger.document}\u0000speculative` : trigger.document;
}
