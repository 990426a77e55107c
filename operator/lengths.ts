// lengths: the nouns of how many tokens are guessed at which batch: what is measured of a pool in, the lengths that are worked out of it
// and those that the engine is told out. Plain data.
import type { ReasonWord } from "./api/conditions.ts";
import type { LoadSecond } from "./scaling.ts";

/** Tokens guessed at a time while no more generations than `upTo` run at once. */
export interface Range {
  readonly upTo: number;
  readonly numTokens: number;
}

/** By batch, the smallest first, lengths falling; above the last nothing is guessed. */
export type Lengths = readonly Range[];

/** What the workers of a pool counted of their drafts in the last minute. */
export interface DraftCounts {
  readonly drafted: number;
  readonly accepted: number;
  /** Share that was right at each place of a draft, from the first on; one alone: the engine does not say at which place. */
  readonly shares: readonly number[];
}

/** By place, or each place taken to be right as often as the one before it, where places are not known. */
export type OddsFrom = "Positions" | "Geometric";

export interface LengthsSeen {
  readonly nowMs: number;
  readonly owner: "Recommended" | "Auto";
  readonly method: string;
  /** What the pool runs, as far as it decides how drafts do and what they cost: of another one nothing is known yet. */
  readonly runs: string;
  /** Most generations that a worker runs at once. */
  readonly slots: number;
  /** Most tokens guessed at a time; all the time, until lengths are given. */
  readonly numTokens: number;
  /** undefined: nothing was guessed, or nobody said. */
  readonly counts: DraftCounts | undefined;
  readonly seconds: readonly LoadSecond[];
  /** Routers report, every wanted worker serves, and all are of the newest revision. */
  readonly isCalm: boolean;
  /** The newest revision was taken back by what its canary was watched for. */
  readonly isAborted: boolean;
  /** As the verdict before returned it. */
  readonly memory: string | undefined;
}

export interface LengthsRecommended {
  readonly lengths: Lengths;
  /** How much faster: 0.12 is 12 % more tokens a second over the load of the last day. */
  readonly gain: number;
  readonly from: OddsFrom;
}

export interface LengthsVerdict {
  /** What the engine is told from the next run on: only what status holds is rendered, so that a restart changes nothing. */
  readonly given: Lengths | undefined;
  readonly recommended: LengthsRecommended | undefined;
  /** Something changed: worth an event. */
  readonly told: { readonly reason: ReasonWord; readonly message: string; readonly isBad: boolean } | undefined;
  readonly memory: string;
}
