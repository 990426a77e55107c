// ingress: wire messages in, checked Triggers out; the only place where fields of the outside are looked at. Documents of
// sessions are mirrored here (session.ts, document.ts). Bounded: sessions by count, documents by count and bytes, ids and
// texts by limits.ts. Every refusal is an `invalid_request`, `unsupported`, `overloaded` or `permission_denied` naming its field.

import type { Clock } from "../../lib/clock.ts";
import { invalid } from "../../lib/errors.ts";
import { readRaw } from "../../lib/fim/raw-request.ts";
import type { Header } from "../../lib/keys/presented.ts";
import type { Random } from "../../lib/random.ts";
import {
  type CompleteRequest,
  type Feedback,
  FeedbackEvent,
  type GenerateRequest,
  type Hello,
  Role,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Trigger } from "../completion.ts";
import { PlainText } from "../cursor-text.ts";
import type { Admission } from "./admission.ts";
import { Arrivals } from "./arrival.ts";
import { id, shortText, textBytes, within } from "./check.ts";
import { type Caller, Identity, type IdentityDeps } from "./identity.ts";
import { limits } from "./limits.ts";
import { type Asked, Lineage } from "./lineage.ts";
import type { Quotas } from "./quotas.ts";
import type { Session } from "./session.ts";
import { Sessions, type SessionsDeps, type SessionsOptions } from "./sessions.ts";
import { snippets } from "./snippets.ts";
import { type DeadlineDefaults, Wishes } from "./wishes.ts";

export { Admission } from "./admission.ts";
export { Quotas } from "./quotas.ts";
export type { Session } from "./session.ts";

export interface IngressOptions extends SessionsOptions {
  readonly deadlines: DeadlineDefaults;
}

export interface IngressDeps extends Pick<IdentityDeps, "keys"> {
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: SessionsDeps["metrics"];
  /** What the policy lets a tenant ask for, and how much of it; absent: everything. */
  readonly admission?: Admission;
  readonly quotas?: Quotas;
}

export class Ingress {
  readonly #options: IngressOptions;
  readonly #deps: IngressDeps;
  readonly #identity: Identity;
  readonly #wishes: Wishes;
  readonly #sessions: Sessions;
  readonly #lineage: Lineage;

  constructor(options: IngressOptions, deps: IngressDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#identity = new Identity(deps);
    this.#wishes = new Wishes(options.deadlines, { ...deps, arrivals: new Arrivals(deps) });
    this.#lineage = new Lineage({ placesMax: 1_000, tenantsMax: 256, ttlMs: 60_000 }, deps);
    this.#sessions = new Sessions(options, { ...deps, wishes: this.#wishes });
  }

  /** What a Welcome tells an editor. */
  get limits() {
    const { documentBytesMax, documentsMax } = this.#options;
    return {
      documentBytesMax,
      documentsMax,
      editsPerMessageMax: limits.editsPerMessageMax,
      contextBytesMax: limits.snippetsMax * limits.snippetBytesMax,
    };
  }

  /** More than these of one text are refused; who takes any number as a bound takes them instead. */
  get tokensMax() {
    return { inline: limits.inlineTokensMax, chat: limits.chatTokensMax };
  }

  /** Who calls, by its headers. */
  tenant(header: Header): string {
    return this.#identity.tenant(header);
  }

  /** The same for a call that stays, with a check that throws when it may no longer. */
  caller(header: Header): Caller {
    return this.#identity.caller(header);
  }

  /** Streams that are open. */
  get sessions(): number {
    return this.#sessions.count;
  }

  openSession(hello: Hello, tenant: string): Session {
    return this.#sessions.open(hello, tenant);
  }

  /** The stream ended; what it held is kept for a while for the one that comes after it. */
  closeSession(session: Session): void {
    this.#sessions.close(session);
  }

  /** Time for the first message of a session's stream. */
  get helloMs(): number {
    return limits.helloMs;
  }

  close(): void {
    this.#sessions.end();
  }

  /**
   * A completion without a session. `who` tells callers of one tenant apart where the call does not name what it edits: with
   * it a later key in the same place is known as such (lineage.ts); "": each such call stands alone. `raw`: the prefix may be
   * a prompt that the client rendered for a model, and is taken apart then.
   */
  complete(given: CompleteRequest, tenant: string, caller: AbortSignal, who = "", { raw = isBare(given) } = {}): Trigger {
    const max = this.#options.documentBytesMax;
    const size = textBytes("prefix", given.prefix, max) + textBytes("suffix", given.suffix, max);
    if (size > max) throw invalid("prefix", `prefix and suffix together are larger than ${max} bytes`);
    const { request, reading } = raw ? readRaw(given) : { request: given, reading: "code" };
    const triggerId = request.triggerId === "" ? "" : id("trigger_id", request.triggerId, limits.idCharsMax);
    const place = this.#place(tenant, triggerId, request.sessionId, request.documentId);
    const named = request.sessionId !== "" && request.documentId !== "";
    const names =
      named || (who === "" && request.sessionId === "") ? {} : this.#lineage.namesOf(askedOf(request, tenant, who), place);
    const trigger = this.#wishes.inline(
      "",
      request,
      {
        ...place,
        ...names,
        path: shortText("path", request.path, limits.pathCharsMax),
        language: shortText("language", request.language, limits.languageCharsMax),
        excluded: false,
        text: new PlainText(request.prefix, request.suffix),
        snippets: snippets("snippets", request.snippets),
      },
      caller,
    );
    return reading === "whole" ? { ...trigger, verbatim: true } : trigger;
  }

  /** As if `shown` were accepted where the trigger stands. */
  anticipate(trigger: Trigger, shown: string, caller: AbortSignal): Trigger {
    return this.#wishes.anticipated(trigger, shown, caller);
  }

  /** What a model is given of a conversation: the plain form "role: text"; models with a template of their own come with their engine. */
  conversation({ messages }: Pick<GenerateRequest, "messages">): string {
    if (messages.length === 0) throw invalid("messages", "at least one is required");
    if (messages.length > limits.messagesMax) throw invalid("messages", `more than ${limits.messagesMax}`);
    let size = 0;
    for (const [i, message] of messages.entries()) {
      if (!(message.role in roleNames)) throw invalid(`messages[${i}].role`, "must be SYSTEM, USER or ASSISTANT");
      size += textBytes(`messages[${i}].content`, message.content, this.#options.documentBytesMax);
    }
    if (size > this.#options.documentBytesMax)
      throw invalid("messages", `together larger than ${this.#options.documentBytesMax} bytes`);
    if (size === 0) throw invalid("messages", "hold no text");
    return messages.length === 1 ? (messages[0]?.content ?? "") : transcript(messages);
  }

  /** Chat. */
  generate(request: GenerateRequest, tenant: string, caller: AbortSignal): Trigger {
    const prefix = this.conversation(request);
    const requestId = request.requestId === "" ? "" : id("request_id", request.requestId, limits.idCharsMax);
    const place = this.#place(tenant, requestId, request.sessionId, "");
    return this.#wishes.chat(
      "",
      request,
      { ...place, path: "", language: "", excluded: false, text: new PlainText(prefix, ""), snippets: [] },
      caller,
    );
  }

  /** A report of what became of a completion; `at` leads to its fields as errors name them. */
  report(at: string, message: Feedback): Feedback {
    shortText(`${at}completion_id`, message.completionId, limits.idCharsMax);
    if (!reportable.has(message.event)) throw invalid(`${at}event`, `${message.event} is not an event`);
    within(`${at}kept_ratio`, message.keptRatio, 0, 1);
    return message;
  }

  /** Session and document of a call without a stream; without names it is alone and supersedes nothing. */
  #place(tenant: string, triggerId: string, sessionId: string, documentId: string) {
    const session = `${tenant}/${sessionId === "" ? `call-${this.#deps.random.hex(16)}` : id("session_id", sessionId, limits.idCharsMax)}`;
    // No id holds a space, so no two pairs of session and document make the same key.
    const document = `${session} ${documentId === "" ? `call-${this.#deps.random.hex(16)}` : id("document_id", documentId, limits.idCharsMax)}`;
    return {
      id: triggerId,
      tenant,
      session,
      document,
      previousKeyMs: undefined,
      origin: "unknown" as const,
      selected: undefined,
      neighbours: [],
      stateless: true,
      roams: sessionId !== "" && documentId !== "",
    };
  }
}

/** Names nothing but one text. */
function isBare({ path, suffix, snippets, documentId }: CompleteRequest): boolean {
  return path === "" && suffix === "" && snippets.length === 0 && documentId === "";
}

function askedOf(
  { sessionId, documentId, model, path, language, prefix, suffix }: CompleteRequest,
  tenant: string,
  who: string,
): Asked {
  return { tenant, caller: sessionId || who, scope: JSON.stringify([documentId, model, path, language]), prefix, suffix };
}

/** A wire enum may hold any number, a newer client's included. */
const reportable: ReadonlySet<number> = new Set(
  Object.values(FeedbackEvent).filter((event) => event !== FeedbackEvent.UNSPECIFIED),
);
const roleNames: Readonly<Record<number, string>> = { [Role.SYSTEM]: "System", [Role.USER]: "User", [Role.ASSISTANT]: "Assistant" };

function transcript(messages: GenerateRequest["messages"]): string {
  return `${messages.map((message) => `${roleNames[message.role]}: ${message.content}`).join("\n\n")}\n\nAssistant:`;
}
