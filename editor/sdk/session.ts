// session: one editor window at a router: documents, triggers, feedback. Holds everything that a new connection must hear, so a
// broken one is no more than a pause. Bounded: documents (the router's limit), triggers without an answer, reports that wait.
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import type { ClientMessage, Limits, Policy, ServerMessage, Welcome } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { type Answer, noTextOf, ownEnd, textOf } from "./answer.ts";
import { type Asked, type AskOptions, Pending } from "./asked.ts";
import { type BackoffOptions, backoffDefaults } from "./backoff.ts";
import { type ContextOptions, contextMessage } from "./context.ts";
import { Document, type DocumentOptions } from "./document.ts";
import { Feedback } from "./feedback.ts";
import type { Dialled } from "./line.ts";
import { Reconnecting, type State } from "./reconnecting.ts";
import { retentionWindowsS } from "./retention.ts";
import { kindNumber, shapeNumber } from "./words.ts";

export interface SessionOptions {
  /** Name and version of the program, for metrics of versions. */
  readonly client: { readonly name: string; readonly version: string };
  /** One editor window, stable over reconnects; left out: drawn. */
  readonly sessionId?: string;
  /** Scope of shared results. */
  readonly workspaceId?: string;
  readonly repository?: string;
  readonly commit?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly backoff?: BackoffOptions;
  /** Seconds after an acceptance at which the text is looked for; empty: never. */
  readonly retentionWindowsS?: readonly number[];
}

/** What a session tells without being asked. */
export interface Listeners {
  readonly state?: (state: State) => void;
  /** What the tenant may do; again whenever it changes. */
  readonly policy?: (policy: Policy) => void;
  /** The router refused a message: the field, and a sentence. */
  readonly refused?: (field: string, detail: string) => void;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly dial: (attempt: number) => Dialled;
  /** Keeps the process alive until disposed: nothing else may do so while a trigger waits for a connection. */
  readonly keepAlive?: () => Disposable;
}

type Body = ClientMessage["message"];
type TriggerBody = Extract<Body, { case: "trigger" }>;

/** As many as a router takes of one session. */
const pendingMax = 32;
/** Where the client names no deadline: how long a trigger waits for a connection. */
const patienceMs = { auto: 500, preload: 500, speculative: 500, invoked: 3_000 } as const;
/** Until a router says its own. */
const limitsBefore = { documentBytesMax: 4 << 20, documentsMax: 64, editsPerMessageMax: 1_024, contextBytesMax: 1 << 20 };

export class Session {
  readonly id: string;
  readonly feedback: Feedback;
  readonly #options: SessionOptions;
  readonly #deps: Deps;
  readonly #listeners: Listeners;
  readonly #wire: Reconnecting;
  readonly #documents = new Map<string, Document>();
  readonly #pending = new Map<string, Pending>();
  #limits: Omit<Limits, "$typeName"> = limitsBefore;
  #resumeToken = "";
  /** While a trigger waits for its answer. */
  #alive: Disposable | undefined;
  #triggers = 0;
  /** Above the count of an earlier process of the same session. */
  #sequence: bigint;

  constructor(options: SessionOptions, listeners: Listeners, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
    this.#listeners = listeners;
    this.id = options.sessionId ?? deps.random.hex(32);
    this.#sequence = BigInt(Math.max(0, Math.round(deps.clock.wall())));
    const { clock, random, dial } = deps;
    this.#wire = new Reconnecting(options.backoff ?? backoffDefaults, {
      clock,
      random,
      dial,
      hello: () => this.#hello(),
      welcomed: (welcome) => this.#welcomed(welcome),
      heard: (message) => this.#heard(message),
      lost: (line, why) => this.#lost(line, why),
      changed: (state) => {
        if (state.is === "offline") this.#offline(state.why.message, state.retryInMs);
        this.#listeners.state?.(state);
      },
    });
    this.feedback = new Feedback(
      { retentionWindowsS: options.retentionWindowsS ?? retentionWindowsS },
      { clock, say: (message) => this.#wire.say(message) },
    );
    this.#wire.start();
  }

  get state(): State {
    return this.#wire.state;
  }

  /** Sizes that the router takes. */
  get limits(): Readonly<Omit<Limits, "$typeName">> {
    return this.#limits;
  }

  /** Opening an open document replaces it. Throws where more are open than the router holds. */
  open(options: DocumentOptions): Document {
    this.#documents.get(options.id)?.close();
    if (this.#documents.size >= this.#limits.documentsMax)
      throw new RangeError(`more than ${this.#limits.documentsMax} documents: close one first`);
    const document = new Document(options, {
      say: (message) => this.#wire.say(message),
      listening: () => this.#wire.line !== undefined,
      limits: () => this.#limits,
      nowMs: () => this.#deps.clock.now(),
      edited: (which, edits) => this.feedback.edited(which, edits),
      closed: (which) => this.#closed(which),
    });
    this.#documents.set(options.id, document);
    if (this.#wire.line !== undefined) document.open();
    return document;
  }

  /** Asks for a completion. A newer one of the same document retires the older, wherever that is. */
  ask(document: Document, options: AskOptions): Asked {
    const kind = options.kind ?? "auto";
    const triggerId = options.triggerId ?? `${this.id}-${++this.#triggers}`;
    const what = { triggerId, document, options, sequence: ++this.#sequence, askedMs: this.#deps.clock.now() };
    const pending = new Pending(what, { cancel: (which) => this.#cancel(which) });
    if (kind === "invoked") this.#wire.hurry();
    const refusal = this.#refusal(document, options);
    if (refusal) {
      pending.settle(ownEnd(pending.triggerId, ...refusal));
      return pending;
    }
    this.#pending.set(pending.triggerId, pending);
    this.#alive ??= this.#deps.keepAlive?.();
    if (this.#wire.line !== undefined) this.#say(pending);
    else this.#hold(pending, "no router was reached in time");
    return pending;
  }

  /** A router is there again, as the caller knows: what is left of a pause is not waited. */
  retry(): void {
    this.#wire.retry();
  }

  /** Code that helps, gathered beside the document; takes the place of what was said before. */
  context(document: Document, context: ContextOptions): void {
    if (document.told && !document.excluded) this.#wire.say(contextMessage(document.id, context));
  }

  /** Ends in good order: what is under way is answered "closed". */
  close(): void {
    this.feedback.close();
    this.#wire.close("closed");
    for (const pending of this.#pending.values())
      this.#settle(pending, ownEnd(pending.triggerId, "closed", "the session was closed"));
  }

  #refusal(
    document: Document,
    { offset, signal }: AskOptions,
  ): [reason: string, detail: string, retryAfterMs?: number] | undefined {
    const { state } = this;
    if (signal?.aborted) return ["cancelled", "cancelled before it was asked"];
    if (this.#documents.get(document.id) !== document) return ["closed", `document ${document.id} is not open`];
    if (!(offset >= 0 && offset <= document.text.length))
      throw new RangeError(`offset: ${offset} is not in a text of ${document.text.length} units`);
    if (document.excluded) return ["excluded", `${document.path} is excluded`];
    if (state.is === "closed") return ["closed", state.why];
    if (state.is === "offline" && state.retryInMs >= patienceMs.auto)
      return ["offline", state.why.message, Math.round(state.retryInMs)];
    if (this.#pending.size >= pendingMax) return ["busy", `more than ${pendingMax} triggers without an answer`];
    return state.is === "ready" && !document.told ? ["too_large", `${document.path} is over the router's limit`] : undefined;
  }

  #say(pending: Pending): void {
    const { triggerId, document, options, sequence, version, askedMs } = pending;
    const { selected, indent, deadlineMs } = options;
    const waitedMs = Math.round(this.#deps.clock.now() - askedMs);
    pending.said(this.#wire.line ?? 0);
    this.#wire.say({
      case: "trigger",
      value: {
        triggerId,
        documentId: document.id,
        version,
        offsetUtf16: options.offset,
        kind: kindNumber(options.kind ?? "auto"),
        deadlineMs: deadlineMs ? Math.max(1, deadlineMs - waitedMs) : 0,
        n: options.n ?? 0,
        shape: options.shape ? shapeNumber(options.shape) : 0,
        stream: options.stream ?? false,
        model: options.model ?? "",
        sequence,
        traceparent: options.traceparent ?? "",
        supersedes: options.supersedes ?? "",
        ...(selected ? { selected: { text: selected.text, startUtf16: selected.start, endUtf16: selected.end } } : {}),
        ...(indent ? { indent } : {}),
        ...(options.maxTokens === undefined ? {} : { sampling: { maxTokens: options.maxTokens } }),
      },
    } as unknown as TriggerBody);
  }

  /** Until a connection is there, or its time is over; a newer one of its document takes its place. */
  #hold(pending: Pending, why: string): void {
    const { deadlineMs, kind = "auto" } = pending.options;
    for (const older of this.#pending.values())
      if (older !== pending && older.document === pending.document)
        this.#settle(older, ownEnd(older.triggerId, "superseded", "a newer trigger of its document"));
    const late = () => this.#settle(pending, ownEnd(pending.triggerId, "offline", why));
    pending.hold(this.#deps.clock.timer(deadlineMs || patienceMs[kind], late));
  }

  #cancel(pending: Pending): void {
    if (!this.#pending.has(pending.triggerId)) return;
    // The router answers with the reason; where it cannot be told any more this side does.
    const reached = pending.line !== undefined && pending.line === this.#wire.line;
    const said =
      reached && this.#wire.say({ case: "cancel", value: { triggerId: pending.triggerId } } as Extract<Body, { case: "cancel" }>);
    pending.cancelled = true;
    if (!said) this.#settle(pending, ownEnd(pending.triggerId, "cancelled", "cancelled while no router had it"));
  }

  #settle(pending: Pending, answer: Answer): void {
    if (this.#pending.delete(pending.triggerId)) pending.settle(answer);
    if (this.#pending.size > 0) return;
    this.#alive?.[Symbol.dispose]();
    this.#alive = undefined;
  }

  #heard(message: ServerMessage["message"]): void {
    if (message.case === "partial") this.#pending.get(message.value.triggerId)?.piece(message.value.text);
    else if (message.case === "completion") {
      const pending = this.#pending.get(message.value.triggerId);
      if (pending) this.#settle(pending, textOf(message.value, pending.options.offset));
    } else if (message.case === "nothing") this.#nothing(message.value);
    else if (message.case === "resync") this.#documents.get(message.value.documentId)?.open();
    else if (message.case === "policy") this.#listeners.policy?.(message.value);
    else if (message.case === "status") this.#listeners.refused?.(message.value.field, message.value.detail);
  }

  #nothing(said: Parameters<typeof noTextOf>[0]): void {
    const pending = this.#pending.get(said.triggerId);
    if (!pending) return;
    const answer = noTextOf(said);
    // A router ends what a stream had when a newer one takes its place: it is asked again there, once that is welcome.
    if (answer.outcome === "cancelled" && this.state.is !== "closed" && pending.isWanted(this.#pending.values())) {
      if (this.#wire.line !== undefined && pending.line !== this.#wire.line) this.#say(pending);
      else this.#hold(pending, "the session's newer stream was not welcome in time");
    }
    // The Resync came before it, so the router has the text by now.
    else if (answer.reason !== "resync_needed" || pending.again || pending.stale) this.#settle(pending, answer);
    else {
      pending.again = true;
      this.#say(pending);
    }
  }

  #hello(): Extract<Body, { case: "hello" }> {
    const { client, workspaceId = "", repository = "", commit = "", labels = {} } = this.#options;
    const value = {
      protocol: "1",
      client: client.name,
      clientVersion: client.version,
      sessionId: this.id,
      resumeToken: this.#resumeToken,
      features: ["partial"],
      workspaceId,
      repository,
      commit,
      labels,
    };
    return { case: "hello", value } as unknown as Extract<Body, { case: "hello" }>;
  }

  #welcomed({ resumeToken, held, limits }: Welcome): void {
    this.#resumeToken = resumeToken;
    if (limits) this.#limits = limits;
    for (const document of this.#documents.values()) document.resume(held.find(({ documentId }) => documentId === document.id));
    // What an older line has is still answered there.
    for (const pending of this.#pending.values()) if (pending.line === undefined) this.#say(pending);
    this.feedback.flush();
  }

  #lost(line: number, why: string): void {
    const elsewhere = this.#wire.line !== undefined;
    if (!elsewhere) for (const document of this.#documents.values()) document.untold();
    for (const pending of this.#pending.values()) {
      if (pending.line !== line) continue;
      if (pending.cancelled) this.#settle(pending, ownEnd(pending.triggerId, "cancelled", "the router's word was lost"));
      else if (pending.begun || pending.stale || this.state.is === "closed")
        this.#settle(pending, ownEnd(pending.triggerId, "lost", why));
      else if (elsewhere) this.#say(pending);
      else this.#hold(pending, why);
    }
  }

  /** Nobody is there for a while: who waits is told so now. */
  #offline(why: string, retryInMs: number): void {
    // A short pause is within what a trigger waits.
    if (retryInMs < patienceMs.auto) return;
    for (const pending of this.#pending.values())
      this.#settle(pending, ownEnd(pending.triggerId, "offline", why, Math.round(retryInMs)));
  }

  #closed(document: Document): void {
    if (this.#documents.get(document.id) === document) this.#documents.delete(document.id);
    this.feedback.closed(document);
    for (const pending of this.#pending.values())
      if (pending.document === document) this.#settle(pending, ownEnd(pending.triggerId, "cancelled", "the document was closed"));
  }
}
