// arm: what one source of drafts did so far in one kind of sampling: whether it is open, what it may lose, when it is tried again.
// The controller (speculation.ts) decides with it. Fixed size.
import { Odds } from "./odds.ts";
import { PlainSteps } from "./plain-steps.ts";
import type { Source, SpeculationOptions } from "./plan.ts";
import { Purse } from "./purse.ts";
import { Settled } from "./settled.ts";

/** Blocks between two tries of a closed source: doubled each time it is no better than thought. */
export const exploreEvery = { first: 32, most: 1_024 };
/** Blocks that pay between two that go further than is thought best. */
const furtherEvery = { first: 16, most: 64 };
const armWeight = 0.03;
const rateWeight = 0.02;

/** What is kept of one source in one kind of sampling. */
export class Arm {
  readonly purse = new Purse();
  readonly #tries: "block" | "generation";
  open = false;
  /** Since it was tried last, and to wait for the next try, in blocks. */
  idle = 0;
  wait = exploreEvery.first;
  #trying = false;
  /** Blocks since one went further, and how many until the next does. */
  #straight = 0;
  #furtherAfter = furtherEvery.first;
  /** Mean of its blocks; the guess is one. */
  #accepted = 1;

  /** A try is one block, or goes on to the end of its generation: where much is read for the first block, the others are cheap. */
  constructor(options: { tries: "block" | "generation" }) {
    this.#tries = options.tries;
  }

  get trying(): boolean {
    return this.#trying;
  }

  /** Blocks for which it is not curious; more than one even when only its purse keeps it. */
  get restsFor(): number {
    return this.wait > this.idle ? this.wait - this.idle : exploreEvery.first;
  }

  /** `early`: most of the generation is still to come. */
  curious(early: boolean): boolean {
    return this.#trying || (this.idle >= this.wait && (early || this.#tries === "block"));
  }

  explored(accepted: number): void {
    if (!this.#trying && accepted <= this.#accepted) this.wait = Math.min(exploreEvery.most, this.wait * 2);
    this.#trying = this.#tries === "generation";
  }

  /**
   * Whether the next block that pays goes one token further than is thought best: what that takes and brings is only known by
   * trying. Each time half as often.
   */
  further(): boolean {
    this.#straight += 1;
    if (this.#straight < this.#furtherAfter) return false;
    this.#straight = 0;
    this.#furtherAfter = Math.min(furtherEvery.most, this.#furtherAfter * 2);
    return true;
  }

  learn(accepted: number): void {
    this.#accepted += (accepted - this.#accepted) * armWeight;
    this.idle = 0;
  }

  finished(): void {
    this.#trying = false;
  }
}

export class Kind {
  readonly odds: Odds;
  readonly settled = new Settled();
  /** Not booked yet. */
  readonly plainSteps = new PlainSteps();
  readonly lookup = new Arm({ tries: "block" });
  readonly model = new Arm({ tries: "generation" });
  /** Means of recent blocks: tokens and ms. */
  #tokens = 0;
  #ms = 0;

  constructor(options: SpeculationOptions) {
    this.odds = new Odds(options);
  }

  arm(source: Source): Arm {
    return source === "lookup" ? this.lookup : this.model;
  }

  /** `blocks` of them, each of so many tokens and ms. */
  learn(tokens: number, ms: number, blocks = 1): void {
    const weight = 1 - (1 - rateWeight) ** blocks;
    this.#tokens += (tokens - this.#tokens) * weight;
    this.#ms += (ms - this.#ms) * weight;
    for (const arm of [this.lookup, this.model]) arm.idle += blocks;
  }

  /** What decoding pays in for trying, by its time in plain steps. */
  earn(steps: number): void {
    this.lookup.purse.earn(steps);
    this.model.purse.earn(steps);
  }

  /** A generation ended. */
  finished(): void {
    this.settled.finished();
    this.model.finished();
  }

  /** Tokens a ms of recent blocks; 0: there were none. */
  get rate(): number {
    return this.#ms > 0 ? this.#tokens / this.#ms : 0;
  }
}
