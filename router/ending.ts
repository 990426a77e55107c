// ending: the nouns of how a trigger ended, why, and what it cost: one Ending for every way out. completion.ts gives them on.
import type { ErrorCode, SlipstreamError } from "../lib/errors.ts";

/** How a trigger ended. Exactly one each; only `failed` carries an error. */
export const outcomes = [
  "typed_ahead",
  "cached",
  "joined",
  "generated",
  "superseded",
  "gated",
  "empty",
  "cancelled",
  "expired",
  "refused",
  "failed",
] as const;
export type Outcome = (typeof outcomes)[number];

/** What a client says became of a text that was delivered for a document's trigger. */
export interface Report {
  readonly document: string;
  readonly reaction: "shown" | "accepted" | "partial" | "rejected" | "ignored" | "superseded" | "retained";
  /** How long the text stood; 0: the client does not say. */
  readonly shownMs: number;
}

/** Why nothing came (design §5, meaning of endings). */
export type Reason =
  | "gated"
  | "brownout"
  | "superseded"
  | "cancelled"
  | "empty"
  | "duplicate"
  | "deadline"
  | "excluded"
  | "secret"
  | "quota"
  | "resync_needed"
  | "error";

export type Finish = "stop" | "length" | "cut" | "deadline";

/** Tokens and places a completion cost. */
export interface Usage {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly recomputedTokens: number;
  readonly completionTokens: number;
  readonly drafted: number;
  readonly draftAccepted: number;
}

export const noUsage: Usage = {
  promptTokens: 0,
  cachedTokens: 0,
  recomputedTokens: 0,
  completionTokens: 0,
  drafted: 0,
  draftAccepted: 0,
};

/** The end of a trigger: what was delivered, or why nothing was. */
export interface Ending {
  readonly outcome: Outcome;
  readonly reason?: Reason;
  readonly finish?: Finish;
  readonly detail?: string;
  /** Of what was refused or failed. */
  readonly code?: ErrorCode;
  /** Of what failed alone. */
  readonly error?: SlipstreamError;
  readonly retryAfterMs?: number;
  readonly usage: Usage;
  readonly worker?: string;
  readonly model?: string;
  /** Of a generation: mean probability of the first tokens. */
  readonly confidence?: number;
  /** Names the delivered text in reports of what became of it. */
  readonly completionId?: string;
  readonly textUtf16?: number;
  /** Other texts for the same place, of a trigger that wanted several. */
  readonly alternatives?: readonly string[];
}
