// messages: the messages of completion.proto as they are in JSON, as far as the page says and reads them. Absent fields are zero.

export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface Wish {
  readonly offset: number;
  readonly kind: "AUTO" | "INVOKED";
  readonly n?: number;
  readonly model: string;
}

export interface Feedback {
  readonly completionId: string;
  readonly event: "SHOWN" | "ACCEPTED" | "PARTIAL" | "REJECTED" | "IGNORED";
  readonly acceptedUtf16?: number;
}

export interface Timing {
  readonly settleMs?: number;
  readonly queueMs?: number;
  readonly firstTextMs?: number;
  readonly totalMs?: number;
}

export interface CacheUse {
  readonly source?: string;
  readonly promptTokens?: number;
  readonly cachedTokens?: number;
  readonly recomputedTokens?: number;
  readonly drafted?: number;
  readonly draftAccepted?: number;
  readonly completionTokens?: number;
  readonly worker?: string;
  readonly model?: string;
}

interface Ended {
  readonly triggerId?: string;
  readonly outcome?: string;
  readonly timing?: Timing;
  readonly cache?: CacheUse;
}

export interface Partial {
  readonly triggerId?: string;
  readonly text?: string;
}

export interface Completion extends Ended {
  readonly completionId?: string;
  readonly items?: readonly { readonly insertText?: string }[];
  readonly finish?: string;
}

export interface Nothing extends Ended {
  readonly reason?: string;
  readonly detail?: string;
}

export interface ServerMessage {
  readonly welcome?: { readonly resumeToken?: string };
  readonly policy?: { readonly models?: readonly string[] };
  readonly partial?: Partial;
  readonly completion?: Completion;
  readonly nothing?: Nothing;
  readonly resync?: { readonly documentId?: string };
  readonly status?: { readonly kind?: string; readonly detail?: string };
}

export type Answered = { readonly partial: Partial } | { readonly completion: Completion } | { readonly nothing: Nothing };

/** "OUTCOME_TYPED_AHEAD" → "typed_ahead". */
export function wordOf(name: string | undefined, prefix: string): string {
  return (name ?? "").replace(prefix, "").toLowerCase();
}
