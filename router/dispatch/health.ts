// health: how a worker does, by what its generations came to and when it last said anything: may it be asked, how soon does it
// answer, is it silent. The deciding is in breaker.ts and promptness.ts; the clock is here. Outlives the worker's links.
import type { Clock } from "../../lib/clock.ts";
import {
  allows,
  asked,
  type Breaker,
  type BreakerOptions,
  closed,
  failed,
  lapsed,
  succeeded,
  tripped,
  unasked,
} from "./breaker.ts";
import { type Answered, type Peers, Speed } from "./peers.ts";
import { Promptness } from "./promptness.ts";

export interface HealthDeps {
  readonly clock: Clock;
  /** Told when it may be asked again, or no more: why, or for as long as one asked to try it has not answered. */
  readonly changed: (why: string | undefined) => void;
}

export class Health {
  readonly promptness = new Promptness();
  readonly speed = new Speed();
  readonly #options: BreakerOptions;
  readonly #deps: HealthDeps;
  #breaker: Breaker = closed;
  #timer: Disposable | undefined;

  constructor(options: BreakerOptions, deps: HealthDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Nothing more is to be sent there now. */
  get barred(): boolean {
    return !allows(this.#breaker);
  }

  get state(): Breaker["state"] {
    return this.#breaker.state;
  }

  /** Its worker is one of these, by what it said at its welcome. */
  among(peers: Peers): void {
    this.promptness.among(peers.firsts);
    this.speed.among(peers);
  }

  asked(): void {
    this.#become(asked(this.#breaker));
  }

  /** A generation was taken back before it could show anything. */
  unasked(): void {
    this.#become(unasked(this.#breaker));
  }

  /** An inline one answered. `spare`: could others do its work now? */
  answered(answer: Answered, spare: () => boolean): void {
    const late = this.speed.late(answer);
    this.promptness.add(answer.tookMs);
    // Of one that is tried any answer says something.
    if (late === undefined && this.state === "closed") return;
    if (late && spare()) this.failed("slow");
    else this.good();
  }

  good(): void {
    this.#become(succeeded(this.#breaker));
  }

  failed(why: string): void {
    this.#become(failed(this.#breaker, this.#deps.clock.now(), this.#options), why);
  }

  trip(why: string): void {
    this.#become(tripped(this.#breaker, this.#deps.clock.now(), this.#options), why);
  }

  /** Nothing is heard of it: what it did is no measure of others. */
  lost(): void {
    this.promptness.forget();
    this.speed.forget();
  }

  close(): void {
    this.lost();
    this.speed.among(undefined);
    this.#timer?.[Symbol.dispose]();
  }

  #become(breaker: Breaker, why?: string): void {
    if (breaker === this.#breaker) return;
    const before = this.#breaker;
    this.#breaker = breaker;
    if (breaker.state === "open" && before.state !== "open") {
      const { clock } = this.#deps;
      this.lost();
      const { untilMs } = breaker;
      // A timer may come a part of a millisecond early, and comes once: it is over then all the same.
      this.#timer = clock.timer(untilMs - clock.now(), () => this.#become(lapsed(this.#breaker, Math.max(untilMs, clock.now()))));
      this.#deps.changed(why);
    } else if (allows(before) !== allows(breaker)) this.#deps.changed(undefined);
  }
}
