// settle: a Trigger in, a Turn out: the newest trigger of its document. Taking a turn is where a trigger is superseded: the older
// one of the same document is retired in that moment, wherever it is by then, on another router too (rank.ts). `settled` waits
// only what is left of the pause since the key; the pause follows the session's typing and the load (pace.ts). Holds one turn a
// document, bounded by the live triggers that ingress admits, and the cadence of `sessionsMax` sessions.
import type { Clock } from "../../lib/clock.ts";
import { Lru } from "../../lib/structures/lru.ts";
import { Retired, type Trigger } from "../completion.ts";
import type { RouterMetrics } from "../metrics.ts";
import { isNewer, type Rank } from "../rank.ts";
import { Cadence } from "./cadence.ts";
import { pauseMs } from "./pace.ts";

export { busyShare } from "./pace.ts";

export interface SettleOptions {
  /** Longest pause after a key before an AUTO trigger goes on. */
  readonly pauseMaxMs: number;
  readonly sessionsMax: number;
  /** Name of this router, which decides between two triggers of the same moment. */
  readonly router?: string;
}

export interface SettleDeps {
  readonly clock: Clock;
  readonly metrics: Pick<RouterMetrics, "settle_seconds">;
  /** How loaded the workers are that could serve this model or pool, as far as the tenant is let, and what an inline answer takes. */
  readonly load: (model: string, tenant: string) => { readonly busy: number; readonly answerMs: number };
  /** Told of each trigger that other routers may hold an older one of. */
  readonly taken?: (trigger: Trigger, rank: Rank) => void;
}

/** How long a trigger elsewhere is remembered: one that is older may still be on its way here. */
const elsewhereMs = 10_000;

export interface Turn extends Disposable {
  /** Resolves when the pause is over; rejects with the Retired that ended the trigger first. */
  settled(): Promise<void>;
}

export class Settle {
  readonly #options: SettleOptions;
  readonly #deps: SettleDeps;
  readonly #cadence: Cadence;
  readonly #newest = new Map<string, { readonly trigger: Trigger; readonly rank: Rank }>();
  /** The newest trigger of a document that came to another router. */
  readonly #elsewhere: Lru<Rank>;

  constructor(options: SettleOptions, deps: SettleDeps) {
    this.#options = options;
    this.#cadence = new Cadence(options);
    this.#deps = deps;
    this.#elsewhere = new Lru({ max: options.sessionsMax, ttlMs: elsewhereMs });
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
    if (older?.trigger === trigger) return { settled: () => this.#settled(trigger), [Symbol.dispose]: () => {} };
    older?.trigger.retire(new Retired("superseded"));
    const rank = this.#rank(trigger, key, older?.rank);
    this.#newest.set(key, { trigger, rank });
    const elsewhere = trigger.roams ? this.#elsewhere.get(key, this.#deps.clock.now()) : undefined;
    // Its successor came to another router before it came here.
    if (elsewhere && isNewer(elsewhere, rank)) trigger.retire(new Retired("superseded"));
    else if (trigger.roams && trigger.lane !== "speculative") this.#deps.taken?.(trigger, rank);
    return {
      settled: () => this.#settled(trigger),
      [Symbol.dispose]: () => {
        if (this.#newest.get(key)?.trigger === trigger) this.#newest.delete(key);
      },
    };
  }

  /** A trigger of this rank has come to the document at another router; true: an older one ended here by it. */
  superseded(document: string, rank: Rank): boolean {
    const now = this.#deps.clock.now();
    const known = this.#elsewhere.get(document, now);
    if (!known || isNewer(rank, known)) this.#elsewhere.set(document, rank, now);
    const here = this.#newest.get(document);
    if (!here || !isNewer(rank, here.rank) || here.trigger.signal.aborted) return false;
    here.trigger.retire(new Retired("superseded"));
    return true;
  }

  /** Later than all that is known of the document, whatever the clocks say. */
  #rank({ sequence = 0, receivedMs, roams }: Trigger, key: string, older: Rank | undefined): Rank {
    const { clock } = this.#deps;
    const heard = roams ? this.#elsewhere.get(key, clock.now()) : undefined;
    const unixMs = Math.max(
      Math.round(clock.wall() - (clock.now() - receivedMs)),
      (older?.unixMs ?? 0) + 1,
      (heard?.unixMs ?? 0) + 1,
    );
    return { sequence, unixMs, router: this.#options.router ?? "" };
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

  #pause({ session, tenant, model, receivedMs, deadlineMs }: Trigger): number {
    const { clock, load } = this.#deps;
    return pauseMs({
      ...load(model, tenant),
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
