// trigger: the nouns of what is asked for: a wish for a completion at a cursor, checked and complete, and what ends it early.
// Made once by ingress and never changed; completion.ts gives them on.
import type { CursorText, OpenDocument } from "./cursor-text.ts";

export const lanes = ["inline", "chat", "speculative", "batch"] as const;
/** Priority class, best first. */
export type Lane = (typeof lanes)[number];
export const noLanes: Readonly<Record<Lane, number>> = { inline: 0, chat: 0, speculative: 0, batch: 0 };

export type Kind = "auto" | "invoked" | "preload" | "speculative";

/** How much text is wanted; "raw" leaves it as the model wrote it, for APIs that promise that. */
export type Shape = "token" | "line" | "block" | "auto" | "raw";

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
  /** The name that led there by the policy: what falls back is decided by it. Absent: the same. */
  readonly asked?: string | undefined;
  /** Bytes that its prompt may have, by the policy; absent: as many as the model has room for. */
  readonly promptBytesMax?: number | undefined;
  /** What a key there would have of time, where that is less than this has: its prompt is to be the key's, and no longer. */
  readonly keyMs?: number | undefined;
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
  readonly roams?: boolean | undefined;
  readonly sequence?: number | undefined;
  /** The text before the cursor is a prompt rendered by the client that could not be taken apart: nothing is put around it. */
  readonly verbatim?: boolean | undefined;
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

/** Why a trigger was ended before its text was complete. No mistake: it is made for most keys, and knows not where. */
export class Retired extends Error {
  readonly outcome: "superseded" | "cancelled" | "expired";
  constructor(outcome: "superseded" | "cancelled" | "expired") {
    const { stackTraceLimit } = Error;
    // A stack costs more than the rest of it, and keeps every caller's things in memory for as long as it is kept.
    Error.stackTraceLimit = 0;
    super(outcome);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = "Retired";
    this.outcome = outcome;
  }
}
