// generation: the nouns that travel through a worker agent. A Generation is one Submit taken apart and checked; an engine
// turns it into Pieces and ends with a Finished; usage is booked even when it was cancelled.
import type { SlipstreamError } from "../lib/errors.ts";

export const lanes = ["inline", "chat", "speculative", "batch"] as const;
/** Priority class, best first. */
export type Lane = (typeof lanes)[number];

/** A part of a prompt that is encoded apart, so that its tokens never depend on its neighbours. */
export type Segment = { readonly text: string } | { readonly special: string };

export interface Sampling {
  readonly maxTokens: number;
  /** 0 is greedy. */
  readonly temperature: number;
  readonly topP: number;
  /** 0 is all. */
  readonly topK: number;
  readonly seed: number | undefined;
  readonly stop: readonly string[];
  readonly speculation: "auto" | "always" | "off";
}

export interface Generation {
  /** The router's number; unique on its link. */
  readonly id: bigint;
  /** Name of the link it came by and of the session, for slot affinity. */
  readonly link: string;
  readonly affinity: string;
  readonly lane: Lane;
  readonly model: string;
  readonly segments: readonly Segment[];
  readonly sampling: Sampling;
  readonly stopAtNewline: boolean;
  /** Monotonic time of the agent's clock; Infinity: none. */
  readonly deadlineMs: number;
  readonly receivedMs: number;
  readonly cacheSalt: string;
  /** Chained digests of the 64-byte prefix blocks, 8 bytes each. */
  readonly blockDigests: Uint8Array;
  /** 0: the agent decides. */
  readonly draftDepthHint: number;
  readonly traceparent: string;
}

/** Text of one engine step (or of several, coalesced). Whole UTF-8 characters. */
export interface Piece {
  readonly text: string;
  readonly tokens: number;
  /** Mean probability of these tokens under the model, where the engine knows it. */
  readonly confidence?: number;
  /** With the first piece: what the prompt cost, so that a generation cut short can still say it. */
  readonly prompt?: { readonly promptTokens: number; readonly cachedTokens: number; readonly recomputedTokens: number };
}

export interface Usage {
  promptTokens: number;
  cachedTokens: number;
  recomputedTokens: number;
  completionTokens: number;
  drafted: number;
  draftAccepted: number;
  queueMs: number;
  prefillMs: number;
  decodeMs: number;
  /** Of the engine's own time, shared by all that ran in it; 0: it does not say. */
  engineMs: number;
}

export type Finish = "stop" | "length" | "cut";

/** How a generation ended in the engine, usage with each. */
export type Finished =
  | { readonly kind: "done"; readonly finish: Finish; readonly usage: Usage }
  | { readonly kind: "aborted"; readonly usage: Usage }
  | { readonly kind: "failed"; readonly error: SlipstreamError; readonly usage: Usage };

export function noUsage(): Usage {
  return {
    promptTokens: 0,
    cachedTokens: 0,
    recomputedTokens: 0,
    completionTokens: 0,
    drafted: 0,
    draftAccepted: 0,
    queueMs: 0,
    prefillMs: 0,
    decodeMs: 0,
    engineMs: 0,
  };
}

export interface FimTokens {
  readonly prefix: string;
  readonly suffix: string;
  readonly middle: string;
  readonly fileSeparator: string;
  readonly repository: string;
}

/** A model as the engine loaded it. */
export interface Model {
  readonly name: string;
  /** A family the router knows by name; "": derive from the tokens. */
  readonly fimFamily: string;
  readonly fim: FimTokens;
  /** Other special tokens that a segment may hold. */
  readonly specials: readonly string[];
  readonly contextTokens: number;
  readonly bytesPerToken: number;
  readonly chatTemplate: boolean;
}

export interface EngineLoad {
  readonly running: number;
  readonly kvBlocksUsed: number;
  readonly kvBlocks: number;
  /** Measured over the last seconds; 0: not known yet. */
  readonly prefillTokensPerSecond: number;
  readonly stepMs: number;
  readonly prefillBacklogTokens: number;
}

/** Of the last minute. */
export interface Acceptance {
  readonly drafted: number;
  readonly accepted: number;
  /** How often the draft at each position was accepted, of how many drafted there. */
  readonly perPosition: readonly { readonly drafted: number; readonly accepted: number }[];
}

/** How much an engine should draft whose draft length is fixed when it starts. */
export interface Recommendation {
  /** As the engine was started. */
  readonly now: number;
  /** 0: no drafts at all. The same as `now`: as it is, or not sure yet. */
  readonly tokens: number;
  /** Tokens a millisecond over now, by these costs. */
  readonly gain: number;
}

export const draftSources = ["none", "lookup", "model"] as const;
/** Where a draft comes from. */
export type DraftSource = (typeof draftSources)[number];

export const draftWhys = ["gain", "no_gain", "explore", "no_budget", "nothing_to_draft", "asked"] as const;
/** Why a step drafted as it did. */
export type DraftWhy = (typeof draftWhys)[number];

/** What the engine's speculation controller did since the start, why, and the costs it goes by. */
export interface SpeculationReport {
  /** Decode steps. */
  readonly sources: Readonly<Record<DraftSource, number>>;
  readonly whys: Readonly<Record<DraftWhy, number>>;
  /** What it held worth drafting from when it last looked. */
  readonly open: readonly DraftSource[];
  /** In ms: a verify by its tokens, a draft pass, a token the draft model reads. */
  readonly costs: {
    readonly verify: Readonly<Record<string, number>>;
    readonly draft: number;
    readonly catchUpPerToken: number;
  };
}
