// completion: the nouns that travel along the router's path (pipeline.ts). All are made once and never changed; the one
// thing that ends work is the trigger's signal, whose reason is a Retired that says how it ended.
import type { ErrorCode, SlipstreamError } from "../lib/errors.ts";
import type { CursorText, OpenDocument } from "./cursor-text.ts";

export type {
  Asking,
  Booking,
  FleetView,
  Hold,
  Late,
  Placement,
  Prediction,
  Remembered,
  Spent,
  WorkerView,
} from "./placement.ts";
export type { Milestones } from "./trace.ts";

export const lanes = ["inline", "chat", "speculative", "batch"] as const;
/** Priority class, best first. */
export type Lane = (typeof lanes)[number];
export const noLanes: Readonly<Record<Lane, number>> = { inline: 0, chat: 0, speculative: 0, batch: 0 };

export type Kind = "auto" | "invoked" | "preload" | "speculative";

/** How much text is wanted; "raw" leaves it as the model wrote it, for APIs that promise that. */
export type Shape = "token" | "line" | "block" | "auto" | "raw";

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

/** How a document's last edit came about; "unknown" where the client does not say, or nothing was edited. */
export type Origin = "unknown" | "typed" | "paste" | "undo" | "accept" | "format";

/** The item selected in the editor's own menu, and what of the document it takes the place of (UTF-16). */
export interface Selected {
  readonly text: string;
  readonly startUtf16: number;
  readonly endUtf16: number;
}

/** How a document indents a level. */
export interface Indent {
  readonly tabs: boolean;
  /** Columns of a level; of a tab, where tabs indent. */
  readonly width: number;
}

/** Other code that helps, as the client gathered it. */
export interface Snippet {
  readonly path: string;
  readonly text: string;
  readonly score: number;
  readonly stable: boolean;
}

/** One wish for a completion at a cursor, checked and complete. */
export interface Trigger {
  readonly id: string;
  readonly tenant: string;
  /** Key of the session and of the document in it; unique over tenants. */
  readonly session: string;
  readonly document: string;
  readonly kind: Kind;
  readonly lane: Lane;
  readonly shape: Shape;
  readonly path: string;
  readonly language: string;
  readonly text: CursorText;
  readonly snippets: readonly Snippet[];
  /** Other open documents of the session that may be read, the one used last first. */
  readonly neighbours: readonly OpenDocument[];
  /** Tier or pool asked for; "": the tenant's default. */
  readonly model: string;
  readonly sampling: Sampling;
  /** Alternatives wanted; more than one only of INVOKED. */
  readonly n: number;
  readonly origin: Origin;
  /** The client's own estimate that the person accepts, 0–1, if it gave one. */
  readonly acceptProbability: number | undefined;
  /** The prefix ends with its text, as if it were chosen already; the answer begins with it. */
  readonly selected: Selected | undefined;
  /** As the client says; undefined: as the text looks. */
  readonly indent: Indent | undefined;
  /** Does the client want text as it comes? */
  readonly stream: boolean;
  /** Came by a session stream or by a stateless call. */
  readonly stateless: boolean;
  /** Another router may hold triggers of the same document; their number as the client counts them, if it does. */
  readonly roams?: boolean;
  readonly sequence?: number;
  /** The text before the cursor is a prompt rendered by the client that could not be taken apart: nothing is put around it. */
  readonly verbatim?: boolean;
  /** Monotonic ms: receipt, the key before it in this document, and the end of its use. */
  readonly receivedMs: number;
  readonly previousKeyMs: number | undefined;
  readonly deadlineMs: number;
  /** Aborts with a Retired as its reason. */
  readonly signal: AbortSignal;
  /** Ends the trigger from elsewhere: supersession, Cancel, a client that left. */
  readonly retire: (retired: Retired) => void;
  /** Gives back the deadline timer and the tie to the caller's signal; called once, by feedback. */
  readonly release: () => void;
}

/** Why a trigger was ended before its text was complete. */
export class Retired extends Error {
  readonly outcome: "superseded" | "cancelled" | "expired";
  constructor(outcome: "superseded" | "cancelled" | "expired") {
    super(outcome);
    this.name = "Retired";
    this.outcome = outcome;
  }
}

/** A part of a prompt that is encoded apart, so that its tokens never depend on its neighbours. */
export type Segment = { readonly text: string } | { readonly special: string };

/** Context chosen for one trigger, in the order it stands in the prompt. */
export interface Context {
  readonly snippets: readonly Snippet[];
}

/** A rendered prompt for one model. */
export interface Prompt {
  readonly model: string;
  readonly segments: readonly Segment[];
  readonly bytes: number;
  /** Digest of everything that decides the text: scope, model, segments, sampling. Key of the result cache. */
  readonly key: string;
  /** Chained digests of the 64-byte blocks, 8 bytes each, one after another. */
  readonly blocks: Uint8Array;
  /** Strings at which the engine stops, the family's own included. */
  readonly stop: readonly string[];
}

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

/** What the fleet knows of one model it serves. */
export interface ServedModel {
  readonly name: string;
  /** Name of a family, or "" where the tokens must tell. */
  readonly fimFamily: string;
  readonly fim: {
    readonly prefix: string;
    readonly suffix: string;
    readonly middle: string;
    readonly fileSeparator: string;
    readonly repository: string;
  };
  /** Other special tokens that every one of its workers takes; absent: none says so. */
  readonly specials?: readonly string[];
  readonly contextTokens: number;
  readonly bytesPerToken: number;
  readonly chatTemplate: boolean;
  /** What every one of its workers takes in a Submit; absent: none says. */
  readonly promptBytesMax?: number;
  readonly maxTokensMax?: number;
  /** Best of its workers; 0: not measured yet. */
  readonly prefillTokensPerSecond: number;
}

/** A generated piece of text on its way to the editor. */
export interface Delta {
  readonly text: string;
  readonly tokens: number;
  readonly confidence?: number;
  /** With a generation's first delta: what its prompt cost. */
  readonly prompt?: Pick<Usage, "promptTokens" | "cachedTokens" | "recomputedTokens">;
}

/** What queue and dispatch need of a trigger: one generation may serve several, and outlive the one that asked first. */
export type Work = Pick<Trigger, "session" | "document" | "tenant" | "lane" | "shape" | "sampling" | "deadlineMs" | "signal"> & {
  /** When the last of its readers has no more use for it: it is not started for later. */ readonly due?: () => number;
  /** For the worker's own spans. */ readonly traceparent?: string;
};

/** A generation under way that several triggers may read, each from its beginning. */
export interface Flight {
  readonly model: string;
  /** So far, as the model wrote it. */
  readonly text: string;
  /** Nothing more will come. */
  readonly over: boolean;
  /** Name of the worker that runs it; "" until it is placed. */
  worker: string;
  /** Somebody wants it until then. */
  wanted(untilMs: number): void;
  /** Joins now, reads later. The generation ends when its last reader leaves. */
  read(signal: AbortSignal): AsyncGenerator<Delta, Generated>;
  /** What a reader that has left may book of its cost: all of it for the last one, once. */
  book(usage: Usage): Usage;
}

/** How a worker ended a generation. */
export interface Generated {
  readonly finish: Finish;
  readonly usage: Usage;
  readonly worker: string;
}

/** A generation as the editor gets it: cut, trimmed, and what it cost. */
export interface Shaped extends Pick<Generated, "finish" | "usage"> {
  readonly text: string;
  /** Mean probability of the first tokens, where the engine tells it. */
  readonly confidence?: number;
  /** The model was too unsure: nothing was shown. */
  readonly withheld?: true;
  /** Nothing was left of it: it stands in the document already. */
  readonly duplicate?: true;
}

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
