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
import { Promptness, type Usual } from "./promptness.ts";

export interface HealthDeps {
  readonly clock: Clock;
  /** Told when it may be asked again, or no more: why, or for as long as one asked to try it has not answered. */
  readonly changed: (why: string | undefined) => void;
  /** What workers do, this one among them. */
  readonly usual: Usual;
}

export class Health {
  readonly promptness: Promptness;
  readonly #options: BreakerOptions;
  readonly #deps: HealthDeps;
  #breaker: Breaker = closed;
  #timer: Disposable | undefined;

  constructor(options: BreakerOptions, deps: HealthDeps) {
    this.#options = options;
    this.#deps = deps;
    this.promptness = new Promptness(deps.usual);
  }

  /** Nothing more is to be sent there now. */
  get barred(): boolean {
    return !allows(this.#breaker);
  }

  get state(): Breaker["state"] {
    return this.#breaker.state;
  }

  asked(): void {
    this.#become(asked(this.#breaker));
  }

  /** A generation was taken back before it could show anything. */
  unasked(): void {
    this.#become(unasked(this.#breaker));
  }

  answered(): void {
    this.#become(succeeded(this.#breaker));
  }

  failed(why: string): void {
    this.#become(failed(this.#breaker, this.#deps.clock.now(), this.#options), why);
  }

  trip(why: string): void {
    this.#become(tripped(this.#breaker, this.#deps.clock.now(), this.#options), why);
  }

  close(): void {
    this.promptness.close();
    this.#timer?.[Symbol.dispose]();
  }

  #become(breaker: Breaker, why?: string): void {
    if (breaker === this.#breaker) return;
    const before = this.#breaker;
    this.#breaker = breaker;
    if (breaker.state === "open" && before.state !== "open") {
      const { clock } = this.#deps;
      this.#timer = clock.timer(breaker.untilMs - clock.now(), () => this.#become(lapsed(this.#breaker, clock.now())));
      this.#deps.changed(why);
    } else if (allows(before) !== allows(breaker)) this.#deps.changed(undefined);
  }
}
