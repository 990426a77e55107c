// asked: one trigger from its asking to its answer: pieces of text as they come, then exactly one answer. Survives a broken
// connection while no text has come and its time is not over: then it is asked again of the next one.
import { Mailbox } from "../../lib/structures/mailbox.ts";
import type { Answer } from "./answer.ts";
import type { Document } from "./document.ts";
import type { Kind, Length } from "./words.ts";

export interface AskOptions {
  /** Unique in the session; left out: numbered. */
  readonly triggerId?: string;
  /** UTF-16 offset of the cursor. */
  readonly offset: number;
  /** Default "auto": a key was typed. */
  readonly kind?: Kind;
  /** A trigger of another document that this one retires as well. */
  readonly supersedes?: string;
  /** From receipt; 0 or left out: the pool's default. */
  readonly deadlineMs?: number;
  /** Alternatives, for "invoked". */
  readonly n?: number;
  readonly shape?: Length;
  /** The item selected in the editor's own menu, which the text must begin with. */
  readonly selected?: { readonly text: string; readonly start: number; readonly end: number };
  readonly indent?: { readonly tabs: boolean; readonly width: number };
  /** Give pieces as they come. */
  readonly stream?: boolean;
  readonly maxTokens?: number;
  /** Tier or pool; left out: the tenant's default. */
  readonly model?: string;
  /** W3C trace context. */
  readonly traceparent?: string;
  /** Cancels. */
  readonly signal?: AbortSignal;
}

/** A trigger that was asked. */
export interface Asked {
  readonly triggerId: string;
  /** Pieces of the text as they come; with `stream` alone. They make the first item's text. */
  readonly pieces: AsyncIterable<string>;
  /** Never rejects. */
  readonly answer: Promise<Answer>;
  /** The text is not wanted any more. */
  cancel(): void;
}

/** More pieces than a completion has tokens. */
const piecesMax = 4_096;

export class Pending implements Asked {
  readonly triggerId: string;
  readonly document: Document;
  readonly options: AskOptions;
  readonly sequence: bigint;
  /** Of the document, when it was asked. */
  readonly version: bigint;
  readonly answer: Promise<Answer>;
  readonly pieces: AsyncIterable<string>;
  readonly #inbox = new Mailbox<string>({ max: piecesMax, full: "refuse" });
  readonly #cancel: () => void;
  #resolve: (answer: Answer) => void = () => {};
  /** Runs while no router has it. */
  #patience: Disposable | undefined;
  readonly askedMs: number;
  /** The line it was said on; undefined: none yet. */
  line: number | undefined;
  /** Text has come: it cannot be asked anew. */
  begun = false;
  /** The person does not want it any more, and the router was told. */
  cancelled = false;
  /** Asked again because the router held another text. */
  again = false;

  constructor(
    what: { triggerId: string; document: Document; options: AskOptions; sequence: bigint; askedMs: number },
    deps: { cancel: (pending: Pending) => void },
  ) {
    this.triggerId = what.triggerId;
    this.document = what.document;
    this.options = what.options;
    this.sequence = what.sequence;
    this.askedMs = what.askedMs;
    this.version = what.document.version;
    this.answer = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.pieces = this.#inbox;
    this.#cancel = () => deps.cancel(this);
    this.options.signal?.addEventListener("abort", this.#cancel, { once: true });
  }

  /** The document has moved on: nobody would see the answer. */
  get stale(): boolean {
    return this.document.version !== this.version;
  }

  /** Nobody took it back, no text has come, and none of these is newer in its document. */
  isWanted(among: Iterable<Pending>): boolean {
    if (this.cancelled || this.begun || this.stale) return false;
    return ![...among].some(({ document, sequence }) => document === this.document && sequence > this.sequence);
  }

  /** No router has it until it is said on a line; `patience` ends it before. */
  hold(patience: Disposable): void {
    this.#patience?.[Symbol.dispose]();
    this.#patience = patience;
    this.line = undefined;
  }

  said(line: number): void {
    this.#patience?.[Symbol.dispose]();
    this.#patience = undefined;
    this.line = line;
  }

  piece(text: string): void {
    this.begun = true;
    this.#inbox.push(text);
  }

  settle(answer: Answer): void {
    this.#patience?.[Symbol.dispose]();
    this.options.signal?.removeEventListener("abort", this.#cancel);
    this.#inbox.end();
    this.#resolve(answer);
  }

  cancel(): void {
    this.#cancel();
  }
}
