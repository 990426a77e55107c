// plan: the nouns of speculation: what the next block could be drafted from, what was planned for it, what became of it.
import type { DraftSource, DraftWhy } from "../generation.ts";

export type Source = DraftSource;
export type Why = DraftWhy;

export interface Situation {
  /** "auto": what pays; "always": a draft whenever there is one; "off". */
  readonly mode: "auto" | "always" | "off";
  /** Sequences the engine decodes side by side. */
  readonly load: number;
  /** Whether tokens are drawn by chance: odds are kept apart from greedy ones. */
  readonly sampled: boolean;
  /** What a lookup found: tokens that match, and tokens that follow. */
  readonly lookup: { readonly match: number; readonly length: number };
  /** Tokens the draft model has to read before it can draft; undefined: there is none. */
  readonly behindTokens: number | undefined;
  /** Most tokens worth drafting here. */
  readonly lengthMax: number;
  /** Tokens this generation may still have: what reading for the draft model is spread over. */
  readonly horizonTokens: number;
}

export interface Plan {
  readonly source: Source;
  /** Most tokens to draft. */
  readonly length: number;
  readonly why: Why;
  /** Of a model's draft: whether one more token is worth its pass, given how sure the draft was of each so far. */
  goOn(evidence: readonly number[]): boolean;
}

const plain = (why: Why): Plan => ({ source: "none", length: 0, why, goOn: () => false });

export const plainPlan = {
  asked: plain("asked"),
  nothing_to_draft: plain("nothing_to_draft"),
  no_gain: plain("no_gain"),
  no_budget: plain("no_budget"),
} as const;

export interface Block {
  readonly source: Source;
  readonly why: Why;
  readonly load: number;
  readonly sampled: boolean;
  /** One a drafted token (see Odds.of). */
  readonly evidence: readonly number[];
  readonly accepted: number;
  readonly verifyMs: number;
  /** Passes of the draft model, one a token. */
  readonly draftMs: number;
  /** Reading what it had missed, before. */
  readonly catchUpTokens: number;
  readonly catchUpMs: number;
}

export interface SpeculationOptions {
  readonly lengthMax: number;
}
