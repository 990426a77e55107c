// meter: durations of chunks and steps in, the rates of the last seconds and the prompt tokens still to evaluate out.
import type { Clock } from "../../lib/clock.ts";
import { Ewma } from "../../lib/structures/ewma.ts";

const halfLifeMs = 2_000;
/** The last chunk of a warm prompt is a handful of tokens and costs a step: it says nothing about the rate. */
const tellingTokens = 16;

export class Meter {
  readonly #clock: Clock;
  readonly #msPerToken = new Ewma({ halfLifeMs });
  readonly #stepMs = new Ewma({ halfLifeMs });

  readonly #prefilling = new Map<object, number>();

  constructor(deps: { clock: Clock }) {
    this.#clock = deps.clock;
  }

  prefilled(tokens: number, ms: number): void {
    if (tokens >= tellingTokens) this.#msPerToken.add(ms / tokens, this.#clock.now());
  }

  stepped(ms: number): void {
    this.#stepMs.add(ms, this.#clock.now());
  }

  /** Says how many tokens of its prompt `owner` has still to evaluate; 0 takes it off. One entry a sequence. */
  prefilling(owner: object, left: number): void {
    if (left > 0) this.#prefilling.set(owner, left);
    else this.#prefilling.delete(owner);
  }

  get prefillBacklogTokens(): number {
    let sum = 0;
    for (const left of this.#prefilling.values()) sum += left;
    return sum;
  }

  get prefillTokensPerSecond(): number {
    const ms = this.#msPerToken.value(0);
    return ms === 0 ? 0 : 1_000 / ms;
  }

  get stepMs(): number {
    return this.#stepMs.value(0);
  }
}
