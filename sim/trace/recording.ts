// recording: the messages of one editor's Session in, the Trace of that person out, their code replaced by text of the same shape before
// anything is kept (masking.ts). What the router answers is not looked at. Holds the documents as they are, for offsets, and the
// trace: at most `traceLimits.eventsMax` events and `documentsMax` documents; what comes after that is left out, and counted.

import type { ClientMessage, DocumentEdit, DocumentOpen, Feedback, Trigger } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { EditOrigin, FeedbackEvent, TriggerKind } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Masking } from "./masking.ts";
import { applyEdit } from "./replay.ts";
import {
  type Origin,
  origins,
  type Trace,
  type TraceDocument,
  type TraceEdit,
  type TraceEvent,
  type TraceTrigger,
  traceLimits,
} from "./trace.ts";

interface Deps {
  readonly masking: Masking;
  readonly now: () => number;
}

interface Mirror {
  /** As the person has it. */
  text: string;
  cursor: number;
  /** The client's version; an edit of another one is left out until the document is opened again. */
  version: bigint;
  readonly id: string;
  readonly language: string;
}

const triggers: Partial<Record<TriggerKind, TraceTrigger>> = {
  [TriggerKind.UNSPECIFIED]: "auto",
  [TriggerKind.AUTO]: "auto",
  [TriggerKind.INVOKED]: "invoked",
  [TriggerKind.PRELOAD]: "preload",
};
/** An editor asks in the tick of the key. */
const sameKeyMs = 20;
/** What an edit needs around it to know its words. */
const aroundUtf16 = 256;

export class Recording {
  readonly #deps: Deps;
  readonly #documents: TraceDocument[] = [];
  readonly #mirrors = new Map<string, Mirror>();
  readonly #events: TraceEvent[] = [];
  #startMs: number | undefined;
  #current: Mirror | undefined;
  /** Messages that no trace has room for. */
  left = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  get events(): number {
    return this.#events.length;
  }

  /** So far. */
  get trace(): Trace {
    return { source: "recorded", documents: [...this.#documents], events: [...this.#events] };
  }

  heard({ message }: ClientMessage): void {
    if (message.case === "documentOpen") this.#open(message.value);
    else if (message.case === "documentEdit") this.#edit(message.value);
    else if (message.case === "trigger") this.#trigger(message.value);
    else if (message.case === "feedback") this.#feedback(message.value);
  }

  #open({ documentId, path, language, version, text, excluded }: DocumentOpen): void {
    if (excluded || text.length > traceLimits.documentUtf16Max || /\p{Surrogate}/u.test(text)) {
      this.#mirrors.delete(documentId);
      return;
    }
    const { masking } = this.#deps;
    const known = this.#mirrors.get(documentId);
    if (known) {
      known.version = version;
      this.#replaced(known, text);
      return;
    }
    if (this.#documents.length >= traceLimits.documentsMax) {
      this.left += 1;
      return;
    }
    const id = `d${this.#documents.length}`;
    this.#documents.push({
      ...{ id, path: masking.path(path).slice(0, traceLimits.nameMax), language: language.slice(0, traceLimits.nameMax) },
      text: masking.text(text, { language }),
    });
    this.#mirrors.set(documentId, { id, language, text, cursor: 0, version });
  }

  /** Opened again, with another text: what differs is one edit. */
  #replaced(mirror: Mirror, text: string): void {
    const before = mirror.text;
    if (before === text) return;
    let head = 0;
    while (head < Math.min(before.length, text.length) && before[head] === text[head]) head += 1;
    let tail = 0;
    while (tail < Math.min(before.length, text.length) - head && before[before.length - 1 - tail] === text[text.length - 1 - tail])
      tail += 1;
    if (/[\ud800-\udbff]/.test(text[head - 1] ?? "")) head -= 1;
    if (/[\udc00-\udfff]/.test(text[text.length - tail] ?? "")) tail -= 1;
    this.#apply(mirror, { startUtf16: head, endUtf16: before.length - tail, text: text.slice(head, text.length - tail) }, "format");
  }

  #edit({ documentId, baseVersion, version, edits, origin }: DocumentEdit): void {
    const mirror = this.#mirrors.get(documentId);
    if (!mirror || mirror.version !== baseVersion) return;
    const fits = edits.every(({ startUtf16, endUtf16, text }) => startUtf16 <= endUtf16 && !/\p{Surrogate}/u.test(text));
    if (!fits) return;
    for (const { startUtf16, endUtf16, text } of edits) {
      if (endUtf16 > mirror.text.length || mirror.text.length + text.length > traceLimits.documentUtf16Max) {
        this.#mirrors.delete(documentId);
        return;
      }
      this.#apply(mirror, { startUtf16, endUtf16, text }, origins[origin - EditOrigin.TYPED] ?? "typed");
    }
    mirror.version = version;
  }

  #apply(mirror: Mirror, edit: TraceEdit, origin: Origin): void {
    for (let at = 0; at === 0 || at < edit.text.length; at += traceLimits.editUtf16Max) {
      const start = edit.startUtf16 + at;
      const text = edit.text.slice(at, at + traceLimits.editUtf16Max);
      const end = at === 0 ? edit.endUtf16 : start;
      const before = mirror.text.slice(Math.max(0, start - aroundUtf16), start);
      const after = mirror.text.slice(end, end + aroundUtf16);
      const masked = this.#deps.masking.text(text, { language: mirror.language, before, after });
      mirror.text = applyEdit(mirror.text, { startUtf16: start, endUtf16: end, text });
      mirror.cursor = start + text.length;
      this.#say(mirror, { edit: { startUtf16: start, endUtf16: end, text: masked }, origin, cursor: mirror.cursor });
    }
  }

  #trigger({ documentId, offsetUtf16: cursor, kind }: Trigger): void {
    const mirror = this.#mirrors.get(documentId);
    const trigger = triggers[kind];
    if (!mirror || !trigger || cursor > mirror.text.length) return;
    mirror.cursor = cursor;
    const last = this.#events.at(-1);
    if (last?.edit && last.document === mirror.id && !last.trigger && this.#sinceMs() - last.tMs <= sameKeyMs)
      this.#events[this.#events.length - 1] = { ...last, cursor, trigger };
    else this.#say(mirror, { cursor, trigger });
  }

  #feedback({ event }: Feedback): void {
    const mark = event === FeedbackEvent.ACCEPTED ? "accept" : event === FeedbackEvent.REJECTED ? "reject" : undefined;
    if (mark && this.#current) this.#say(this.#current, { cursor: this.#current.cursor, mark });
  }

  #say(mirror: Mirror, event: Omit<TraceEvent, "tMs" | "document">): void {
    const tMs = this.#sinceMs();
    this.#current = mirror;
    if (this.#events.length >= traceLimits.eventsMax || tMs > traceLimits.timeMaxMs) this.left += 1;
    else this.#events.push({ tMs, document: mirror.id, ...event });
  }

  #sinceMs(): number {
    const now = this.#deps.now();
    this.#startMs ??= now;
    return Math.round((now - this.#startMs) * 1_000) / 1_000;
  }
}
