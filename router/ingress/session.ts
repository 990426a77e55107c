// session: one editor window's documents. Messages in; a Trigger, a Mismatch (resync) or nothing out. Bounded: documents by
// count and bytes, live triggers by count and rate, all messages by a pace at which they are read. A message that cannot be is
// refused with its field; the session lives on.
import type { Clock } from "../../lib/clock.ts";
import { invalid, SlipstreamError } from "../../lib/errors.ts";
import { TokenBucket } from "../../lib/structures/token-bucket.ts";
import type {
  ClientMessage,
  Context,
  DocumentEdit,
  DocumentOpen,
  Hello,
  Trigger as TriggerMessage,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { Retired, type Trigger } from "../completion.ts";
import { type OpenDocument, RopeText } from "../cursor-text.ts";
import { id, offset, shortText } from "./check.ts";
import { Document, type Mismatch, sha256 } from "./document.ts";
import { limits } from "./limits.ts";
import { costOf } from "./pace.ts";
import { sameToken } from "./parking.ts";
import { selectedItem } from "./selected.ts";
import { recentEdits, sameSnippets, snippets } from "./snippets.ts";
import type { Wishes } from "./wishes.ts";

export interface SessionOptions {
  readonly tenant: string;
  readonly documentBytesMax: number;
  readonly documentsMax: number;
  /** With it a later stream goes on with this session. */
  readonly token: string;
}

export class Session {
  /** Unique over tenants: two tenants may choose the same session id. */
  readonly key: string;
  readonly tenant: string;
  readonly #options: SessionOptions;
  readonly #wishes: Wishes;
  /** Told of each document that comes (+1) or goes (−1). */
  readonly #counted: (change: number) => void;
  readonly #clock: Clock;
  #documents = new Map<string, Document>();
  readonly #live = new Map<string, Trigger>();
  readonly #replaced = new AbortController();
  readonly #messages: TokenBucket;
  readonly #triggers: TokenBucket;

  constructor(hello: Hello, options: SessionOptions, deps: { clock: Clock; wishes: Wishes; counted: (change: number) => void }) {
    if (hello.protocol !== "1")
      throw new SlipstreamError(
        "protocol",
        `hello.protocol: "${hello.protocol.slice(0, 16)}" is not spoken here; this router speaks "1"`,
        { field: "hello.protocol" },
      );
    shortText("hello.client", hello.client, limits.idCharsMax);
    shortText("hello.client_version", hello.clientVersion, limits.idCharsMax);
    if (Object.keys(hello.labels).length > limits.labelsMax) throw invalid("hello.labels", `more than ${limits.labelsMax}`);
    this.key = `${options.tenant}/${id("hello.session_id", hello.sessionId, limits.idCharsMax)}`;
    this.tenant = options.tenant;
    this.#options = options;
    this.#wishes = deps.wishes;
    this.#counted = deps.counted;
    this.#clock = deps.clock;
    this.#messages = new TokenBucket(limits.messagePace, deps.clock.now());
    this.#triggers = new TokenBucket(limits.triggerPace, deps.clock.now());
  }

  get token(): string {
    return this.#options.token;
  }

  has(token: string): boolean {
    return sameToken(this.token, token);
  }

  /** Aborts when a newer stream has taken this session's name. */
  get replaced(): AbortSignal {
    return this.#replaced.signal;
  }

  replace(): void {
    this.leave();
    this.#replaced.abort();
  }

  /** Goes on with the documents of an earlier stream. */
  resume(documents: Map<string, Document>): void {
    this.#documents = documents;
    this.#counted(documents.size);
  }

  /** What it holds, with the hash by which a client knows whether that is what it has. */
  held(): { documentId: string; version: bigint; sha256: Uint8Array }[] {
    return [...this.#documents]
      .filter(([, document]) => !document.stale)
      .map(([documentId, document]) => ({ documentId, version: document.version, sha256: sha256(document.text) }));
  }

  /** Ends its triggers and gives its documents away. */
  leave(): Map<string, Document> {
    for (const trigger of this.#live.values()) trigger.retire(new Retired("cancelled"));
    const documents = this.#documents;
    this.#documents = new Map();
    this.#counted(-documents.size);
    return documents;
  }

  /** Milliseconds to wait before this message is handled: who says more than any editor does is read more slowly. */
  pause(message: ClientMessage["message"]): number {
    const now = this.#clock.now();
    const cost = Math.min(costOf(message), limits.messagePace.burst);
    const wait = this.#messages.waitMs(now, cost);
    const waitMs = wait > 0 ? Math.floor(wait) + 1 : 0;
    // What is waited for is spent: the bucket is as if the message came then.
    this.#messages.take(now + waitMs, cost);
    return waitMs;
  }

  open(message: DocumentOpen): Mismatch | undefined {
    const documentId = id("document_open.document_id", message.documentId, limits.idCharsMax);
    if (!this.#documents.has(documentId) && this.#documents.size >= this.#options.documentsMax)
      throw new SlipstreamError(
        "overloaded",
        `document_open: more than ${this.#options.documentsMax} open documents; close one first`,
        { field: "document_open.document_id" },
      );
    const document = new Document({
      path: shortText("document_open.path", message.path, limits.pathCharsMax),
      language: shortText("document_open.language", message.language, limits.languageCharsMax),
      excluded: message.excluded,
      version: message.version,
      text: message.text,
      bytesMax: this.#options.documentBytesMax,
      now: this.#clock.now(),
    });
    if (message.sha256.length > 0 && !sha256(document.text).equals(message.sha256)) {
      // What was held before is not what the client has either.
      this.close(documentId);
      return { heldVersion: 0n, detail: "the text does not have the given hash" };
    }
    const before = this.#documents.get(documentId);
    if (before) document.snippets = before.snippets;
    else this.#counted(1);
    this.#documents.set(documentId, document);
    return undefined;
  }

  edit(message: DocumentEdit): Mismatch | undefined {
    const document = this.#documents.get(message.documentId);
    if (!document) return { heldVersion: 0n, detail: "the document is not open" };
    return document.apply({ ...message, now: this.#clock.now() });
  }

  /** Forgets the document and ends its triggers. */
  close(documentId: string): void {
    if (!this.#documents.delete(documentId)) return;
    this.#counted(-1);
    const key = this.#keyOf(documentId);
    for (const trigger of this.#live.values()) if (trigger.document === key) trigger.retire(new Retired("cancelled"));
  }

  context(message: Context): void {
    const document = this.#documents.get(message.documentId);
    if (!document) throw invalid("context.document_id", "the document is not open");
    const given = [...snippets("context.snippets", message.snippets), ...recentEdits("context.recent_edits", message.recentEdits)];
    if (!sameSnippets(document.snippets, given)) document.snippets = given;
  }

  /** A Trigger, or why the document cannot serve it: stale or unknown mirrors need a resync first. */
  trigger(message: TriggerMessage, caller: AbortSignal): Trigger | Mismatch {
    if (this.#live.has(message.triggerId)) throw invalid("trigger.trigger_id", "is already live in this session");
    const document = this.#documents.get(message.documentId);
    if (!document) return { heldVersion: 0n, detail: "the document is not open" };
    if (document.stale) return { heldVersion: 0n, detail: "the document is waiting for DocumentOpen" };
    if (message.version !== document.version)
      return {
        heldVersion: document.version,
        detail: `trigger is for version ${message.version}, the mirror holds ${document.version}`,
      };
    if (this.#live.size >= limits.triggersPerSessionMax)
      throw new SlipstreamError("overloaded", `trigger: more than ${limits.triggersPerSessionMax} live triggers in one session`, {
        field: "trigger",
        retryAfterMs: 100,
      });
    const now = this.#clock.now();
    if (!this.#triggers.take(now))
      throw new SlipstreamError("overloaded", `trigger: more than ${limits.triggerPace.perSecond} a second in one session`, {
        field: "trigger",
        retryAfterMs: Math.ceil(this.#triggers.waitMs(now)),
      });
    const at = offset("trigger.offset_utf16", message.offsetUtf16, document.text);
    const selected = selectedItem("trigger.selected", message.selected, at, document.text);
    const trigger = this.#wishes.inline(
      "trigger.",
      message,
      {
        id: message.triggerId === "" ? "" : id("trigger.trigger_id", message.triggerId, limits.idCharsMax),
        tenant: this.#options.tenant,
        session: this.key,
        document: this.#keyOf(message.documentId),
        path: document.path,
        language: document.language,
        excluded: document.excluded,
        text: selected
          ? new RopeText(
              document.text.replace(selected.startUtf16, selected.endUtf16, selected.text),
              selected.startUtf16 + selected.text.length,
            )
          : new RopeText(document.text, at),
        snippets: document.snippets,
        neighbours: this.#neighbours(message.documentId),
        previousKeyMs: document.editedMs,
        origin: document.origin,
        selected,
        stateless: false,
        roams: true,
      },
      caller,
    );
    // The document's latest is retired by its successor anyway (settle); another one only by name.
    this.#live.get(message.supersedes)?.retire(new Retired("superseded"));
    this.#live.set(trigger.id, trigger);
    return trigger;
  }

  /** Other documents that may be read, the one edited or opened last first. */
  #neighbours(documentId: string): OpenDocument[] {
    if (this.#documents.size < 2) return [];
    return [...this.#documents]
      .filter(([other, { excluded, stale }]) => other !== documentId && !excluded && !stale)
      .sort(([, a], [, b]) => b.touchedMs - a.touchedMs)
      .slice(0, limits.neighboursMax)
      .map(([other, { path, text }]) => ({ document: this.#keyOf(other), path, text }));
  }

  /** The live trigger of that id, to be cancelled. */
  find(triggerId: string): Trigger | undefined {
    return this.#live.get(triggerId);
  }

  ended(trigger: Trigger): void {
    this.#live.delete(trigger.id);
  }

  /** Key of a document over all sessions; ids hold no space. */
  #keyOf(documentId: string): string {
    return `${this.key} ${documentId}`;
  }
}
