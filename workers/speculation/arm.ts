// arm: what one source of drafts did so far in one kind of sampling: whether it is open, what it may lose, when it is tried again.
// The controller (speculation.ts) decides with it. Fixed size.
import { Odds } from "./odds.ts";
import type { Source, SpeculationOptions } from "./plan.ts";
import { Purse } from "./purse.ts";
import { Settled } from "./settled.ts";

/** Blocks between two explorations of a closed source: doubled each time it stays closed. */
export const exploreEvery = { first: 32, most: 1_024 };
const armWeight = 0.03;

/** What is kept of one source in one kind of sampling. */
export class Arm {
  open = false;
  readonly purse = new Purse();
  /** Means of its blocks; the guess is one accepted of two. */
  drafted = 2;
  accepted = 1;
  /** Blocks since it was tried, and blocks to wait for the next try. */
  idle = 0;
  wait = exploreEvery.first;

  /** Blocks for which it is not curious; more than one even when only its purse keeps it. */
  get restsFor(): number {
    return this.wait > this.idle ? this.wait - this.idle : exploreEvery.first;
  }

  learn(drafted: number, accepted: number): void {
    this.drafted += (drafted - this.drafted) * armWeight;
    this.accepted += (accepted - this.accepted) * armWeight;
    this.idle = 0;
  }
}

export class Kind {
  readonly odds: Odds;
  readonly settled = new Settled();
  readonly lookup = new Arm();
  readonly model = new Arm();
  /** Means of recent blocks: tokens and ms. */
  tokens = 0;
  ms = 0;

  constructor(options: SpeculationOptions) {
    this.odds = new Odds(options);
  }

  arm(source: Source): Arm {
    return source === "lookup" ? this.lookup : this.model;
  }
}
