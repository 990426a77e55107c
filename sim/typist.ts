// typist: a Trace and a session client in, one record a trigger out. Plays the trace on the clock, asks at each event
// that says so, and reacts to what is shown: goes on typing (rejected, unless the keys agree with it), or follows it and
// takes it back later, so that the trace's offsets stay right. Records are bounded by the trace and `followKeysMax`.
import type { Clock } from "../lib/clock.ts";
import { below, lognormal, type Random } from "../lib/random.ts";
import type { Usage } from "../router/completion.ts";
import type { Answer, Asked, AskKind, SessionClient } from "./session-client.ts";
import { defaultTyping, lognormalOf } from "./trace/parameters.ts";
import type { Trace, TraceEdit, TraceEvent, TraceStream } from "./trace/trace.ts";

export interface TypistOptions {
  readonly trace: Trace | TraceStream;
  /** Chance that the typist follows a shown text that the trace does not type (0: never). */
  readonly agreement?: number;
  /** Most keys typed along a shown text before it is accepted whole or left. */
  readonly followKeysMax?: number;
  /** Chance that Escape is pressed before an event: what is shown is rejected, what is asked for cancelled. */
  readonly escape?: number;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly client: SessionClient;
}

export interface TriggerRecord {
  readonly id: string;
  readonly document: string;
  readonly kind: AskKind;
  /** Of the clock, when it was asked. */
  readonly askedMs: number;
  readonly outcome: Answer["outcome"];
  readonly reason?: Answer["reason"];
  readonly firstTextMs?: number;
  readonly totalMs: number;
  readonly textUtf16: number;
  readonly usage: Usage;
  readonly worker: string;
  /** The text still fitted the document when it came, and was shown. */
  readonly shown: boolean;
}

interface Ghost {
  readonly completion: string;
  readonly document: string;
  /** What is left of it, right of the cursor, of how much when it was shown. */
  rest: string;
  readonly utf16: number;
  offered: boolean;
}

/** What was inserted at the cursor since a trigger; undefined once the document went another way. */
interface Since {
  readonly document: string;
  typed: string | undefined;
}

export class Typist {
  readonly #options: Required<TypistOptions>;
  readonly #deps: Deps;
  readonly #cursors = new Map<string, number>();
  readonly #waiting = new Map<Asked, Since>();
  readonly records: TriggerRecord[] = [];
  #ghost: Ghost | undefined;
  /** How far the rest of the trace has moved by following. */
  #lateMs = 0;

  constructor(options: TypistOptions, deps: Deps) {
    this.#options = { agreement: 0, followKeysMax: 8, escape: 0, ...options };
    this.#deps = deps;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Resolves when the last event is played; answers may still come. The signal ends it between two events. */
  async play(signal?: AbortSignal): Promise<void> {
    const { clock, client } = this.#deps;
    const { documents, events } = this.#options.trace;
    const startMs = clock.now();
    const unopened = new Map(documents.map((document) => [document.id, document]));
    const open = (id: string | undefined) => {
      const document = id === undefined ? undefined : unopened.get(id);
      if (document) client.open(document);
      if (id !== undefined) unopened.delete(id);
    };
    // The file of the first event is open; the others are opened when the person goes to them.
    open(documents[0]?.id);
    const next = async (event: TraceEvent) => {
      const dueMs = startMs + event.tMs + this.#lateMs;
      await clock.sleep(Math.max(0, dueMs - clock.now()), signal);
      if (this.#draws(this.#options.escape)) this.#escape();
      await this.#consider(signal);
      open(event.document);
      this.#play(event);
    };
    if (Symbol.asyncIterator in events) for await (const event of events) await next(event);
    else for (const event of events) await next(event);
  }

  #play({ document, edit, origin, cursor, trigger, mark }: TraceEvent): void {
    if (mark === "reject") this.#escape();
    if (mark === "accept" && this.#ghost?.document === document) this.#react("accepted");
    if (edit && origin) this.#edit(document, edit, origin);
    this.#cursors.set(document, cursor);
    if (trigger) this.#ask(document, cursor, trigger);
  }

  #edit(document: string, edit: TraceEdit, origin: TraceEvent["origin"] & string): void {
    const inserts = edit.startUtf16 === edit.endUtf16 && edit.startUtf16 === this.#cursors.get(document);
    for (const since of this.#waiting.values()) {
      if (since.document === document) since.typed = inserts && since.typed !== undefined ? since.typed + edit.text : undefined;
    }
    const ghost = this.#ghost;
    if (ghost?.document === document) {
      const agrees = inserts && ghost.rest.startsWith(edit.text);
      if (agrees) ghost.rest = ghost.rest.slice(edit.text.length);
      if (!agrees) this.#react("rejected");
      else if (ghost.rest === "") this.#react("accepted");
    }
    this.#deps.client.edit(document, edit, origin);
    this.#cursors.set(document, edit.startUtf16 + edit.text.length);
  }

  #ask(document: string, cursor: number, kind: AskKind): void {
    const asked = this.#deps.client.trigger(document, cursor, kind);
    const since: Since = { document, typed: "" };
    const askedMs = this.#deps.clock.now();
    this.#waiting.set(asked, since);
    void asked.answer.then((answer) => {
      this.#waiting.delete(asked);
      const shown = this.#show(answer, since);
      const { outcome, reason, firstTextMs, totalMs, text, usage, worker } = answer;
      this.records.push({
        ...{ id: asked.id, document, kind, askedMs, outcome, totalMs, textUtf16: text.length, usage, worker, shown },
        ...(reason && { reason }),
        ...(firstTextMs !== undefined && { firstTextMs }),
      });
    });
  }

  /** Ghost text, if what was typed since the trigger is how the answer begins. */
  #show(answer: Answer, { document, typed }: Since): boolean {
    if (typed === undefined || answer.text.length <= typed.length || !answer.text.startsWith(typed)) return false;
    if (this.#ghost) this.#react("superseded");
    const rest = answer.text.slice(typed.length);
    this.#ghost = { completion: answer.completion, document, rest, utf16: rest.length, offered: false };
    this.#deps.client.react(answer.completion, "shown", 0);
    return true;
  }

  /** Follows the ghost text, key by key and then perhaps whole, and takes it all back by one undo. */
  async #consider(signal: AbortSignal | undefined): Promise<void> {
    const ghost = this.#ghost;
    if (!ghost || ghost.offered) return;
    ghost.offered = true;
    if (!this.#draws(this.#options.agreement)) return;
    const { clock, random } = this.#deps;
    const begunMs = clock.now();
    const { document } = ghost;
    const start = this.#cursors.get(document) ?? 0;
    const interval = lognormalOf(defaultTyping.keyIntervalMeanMs, defaultTyping.keyIntervalSdMs);
    const insert = (text: string, origin: "typed" | "accept") => {
      const at = this.#cursors.get(document) ?? 0;
      this.#edit(document, { startUtf16: at, endUtf16: at, text }, origin);
    };
    const keys = below(random, this.#options.followKeysMax + 1);
    for (const key of Array.from(ghost.rest).slice(0, keys)) {
      insert(key, "typed");
      this.#ask(document, this.#cursors.get(document) ?? 0, "auto");
      await clock.sleep(lognormal(random, interval.median, interval.sigma), signal);
    }
    // An answer to the keys just typed may have taken the ghost text's place.
    const left = this.#ghost;
    if (left?.document === document && random.next() < 0.5) insert(left.rest, "accept");
    await clock.sleep(lognormal(random, defaultTyping.pauseMedianMs, defaultTyping.pauseSigma), signal);
    const end = this.#cursors.get(document) ?? start;
    if (end > start) this.#edit(document, { startUtf16: start, endUtf16: end, text: "" }, "undo");
    this.#lateMs += clock.now() - begunMs;
  }

  #escape(): void {
    if (this.#ghost) this.#react("rejected");
    for (const asked of this.#waiting.keys()) asked.cancel();
  }

  #react(reaction: "accepted" | "rejected" | "superseded"): void {
    const ghost = this.#ghost;
    this.#ghost = undefined;
    if (ghost) this.#deps.client.react(ghost.completion, reaction, reaction === "accepted" ? ghost.utf16 : 0);
  }

  #draws(chance: number): boolean {
    return chance > 0 && this.#deps.random.next() < chance;
  }
}
