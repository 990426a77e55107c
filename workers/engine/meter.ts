// meter: durations of chunks and steps in, the rates of the last seconds and the prompt tokens still to evaluate out.
import type { Clock } from "../../lib/clock.ts";
import { Ewma } from "../../lib/structures/ewma.ts";

const halfLifeMs = 2_000;
/** The last chunk of a warm prompt is a handful of tokens and costs a step: it says nothing about the rate. */
const tellingTokens = 16;

/** Of an answer over a wire: below so many blocks a prompt was known, and took the wire's time and a step. */
const knownBlocks = 4;

export class Meter {
  readonly #clock: Clock;
  readonly #knownTokens: number;
  /** What an answer takes whose prompt is known. */
  readonly #knownMs = new Ewma({ halfLifeMs });
  readonly #msPerToken = new Ewma({ halfLifeMs });
  readonly #stepMs = new Ewma({ halfLifeMs });

  readonly #prefilling = new Map<object, number>();

  constructor(deps: { clock: Clock }, options: { blockTokens?: number } = {}) {
    this.#clock = deps.clock;
    this.#knownTokens = Math.max(knownBlocks * tellingTokens, knownBlocks * (options.blockTokens ?? 1));
  }

  prefilled(tokens: number, ms: number): void {
    if (tokens >= tellingTokens) this.#msPerToken.add(ms / tokens, this.#clock.now());
  }

  /**
   * The first text of a prompt has come, over a wire. While people type nearly all prompts are known, and their few tokens would
   * tell of a rate that is the wire's, not the engine's: routers would give prompts a tenth of their room.
   */
  answered(tokens: number, ms: number): void {
    if (tokens < this.#knownTokens) this.#knownMs.add(ms, this.#clock.now());
    else this.prefilled(tokens, Math.max(ms - this.#knownMs.value(0), ms / 10));
  }

  /** Of an answer's time, what is beyond the cost of its prompt as known of late: it waited for its turn. 0 before any is known. */
  beyond(tokens: number, ms: number): number {
    const knownMs = this.#knownMs.value(ms);
    const prefillMs = tokens < this.#knownTokens ? 0 : tokens * this.#msPerToken.value(Number.POSITIVE_INFINITY);
    return Math.max(0, ms - knownMs - prefillMs);
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
