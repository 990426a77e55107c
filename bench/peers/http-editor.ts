// http-editor: an editor's client that speaks OpenAI-compatible HTTP with the manners of one of editors.ts: a typist's actions in,
// requests out, one Answer a trigger back. What counts as text that is of use is what our own router shows: the first complete line or
// statement (router/stream/cut.ts), found here, at the client. Requests under way: `underWayMax`.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { noUsage } from "../../router/completion.ts";
import { Cutter } from "../../router/stream/cut.ts";
import type { Place } from "../../router/stream/place.ts";
import type { Answer, Asked, SessionClient } from "../../sim/session-client.ts";
import { applyEdit } from "../../sim/trace/replay.ts";
import type { TraceDocument, TraceEdit } from "../../sim/trace/trace.ts";
import { type Manners, promptOf } from "./editors.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Sent } from "./typing.ts";

export interface HttpEditorOptions {
  readonly session: string;
  readonly manners: Manners;
  readonly maxTokens: number;
}

interface Deps {
  readonly clock: Clock;
  readonly endpoint: Endpoint;
  /** Text of this generation ("worker id") reached the person while it was wanted. */
  readonly reached: (id: string) => void;
}

/** A request and who waits for its text; with type-through it moves on to the next key. */
interface Flight {
  readonly document: string;
  /** Where its text begins, and what came of it so far. */
  at: number;
  text: string;
  id: string;
  over: boolean;
  /** The keys typed since, all as its text has them. */
  typed: string;
  readonly ends: AbortController;
  readonly cutter: Cutter;
  /** Of its text, what is complete. */
  sure: string;
  waiting: Waiting | undefined;
}

interface Waiting {
  readonly askedMs: number;
  /** When the request was sent; for what needs none, when it was asked for. */
  sentMs: number | undefined;
  firstTextMs?: number;
  answer: (answer: Answer) => void;
}

/** As the router's own. */
const linesMax = 12;
const underWayMax = 1_000;
const aroundUtf16 = 2_000;

export class HttpEditor implements SessionClient {
  readonly #options: HttpEditorOptions;
  readonly #deps: Deps;
  readonly #texts = new Map<string, { text: string; language: string }>();
  readonly #flights = new Set<Flight>();
  #debounced: { readonly timer: Disposable; readonly waiting: Waiting } | undefined;
  /** The newest trigger's: what is shown, or may be. */
  #latest: Flight | undefined;
  #triggers = 0;

  constructor(options: HttpEditorOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
  }

  open({ id, text, language }: TraceDocument): void {
    this.#texts.set(id, { text, language });
    this.#latest = undefined;
  }

  edit(document: string, edit: TraceEdit): void {
    const held = this.#texts.get(document);
    if (!held) throw new SlipstreamError("not_found", `document ${document} is not open`);
    held.text = applyEdit(held.text, edit);
    const latest = this.#latest;
    if (latest?.document !== document) return;
    const appended = edit.startUtf16 === edit.endUtf16 && edit.startUtf16 === latest.at + latest.typed.length;
    const follows = appended && latest.text.startsWith(latest.typed + edit.text);
    if (this.#options.manners.typesThrough && follows) latest.typed += edit.text;
    else this.#leave(latest);
  }

  trigger(document: string, cursor: number): Asked {
    const id = `${this.#options.session}-${++this.#triggers}`;
    const now = this.#deps.clock.now();
    const { debounceMs, typesThrough } = this.#options.manners;
    const made = resolvers<Answer>();
    const waiting: Waiting = { askedMs: now, sentMs: undefined, answer: made.resolve };
    this.#debounced?.timer[Symbol.dispose]();
    if (this.#debounced) this.#end(this.#debounced.waiting, "superseded", "");
    this.#debounced = undefined;
    const latest = this.#latest;
    if (typesThrough && latest && this.#goesOn(latest, cursor)) this.#follow(latest, waiting);
    else if (debounceMs === 0) this.#send(document, cursor, waiting);
    else {
      const timer = this.#deps.clock.timer(debounceMs, () => {
        this.#debounced = undefined;
        this.#send(document, cursor, waiting);
      });
      this.#debounced = { timer, waiting };
    }
    return { id, answer: made.promise, cancel: () => {} };
  }

  react(): void {}

  close(): void {
    this.#debounced?.timer[Symbol.dispose]();
    for (const flight of this.#flights) flight.ends.abort(new SlipstreamError("cancelled", "the editor closes"));
    this.#deps.endpoint.close();
  }

  /** The person types what stands there, and there is more of it, or will be. */
  #goesOn(latest: Flight, cursor: number): boolean {
    if (latest.typed === "" || cursor !== latest.at + latest.typed.length) return false;
    return !latest.over || latest.sure.length > latest.typed.length;
  }

  #follow(latest: Flight, waiting: Waiting): void {
    if (latest.waiting) this.#end(latest.waiting, "superseded", "");
    latest.waiting = waiting;
    waiting.sentMs = waiting.askedMs;
    this.#show(latest);
    if (latest.over) this.#landed(latest);
  }

  #send(document: string, cursor: number, waiting: Waiting): void {
    const { manners, session, maxTokens } = this.#options;
    if (this.#flights.size >= underWayMax) {
      this.#end(waiting, "refused", "");
      return;
    }
    const { text, language } = this.#texts.get(document) as { text: string; language: string };
    waiting.sentMs = this.#deps.clock.now();
    const cutter = new Cutter(placeAt(text, cursor, language));
    const flight: Flight = {
      ...{ document, at: cursor, text: "", id: "", over: false, typed: "", ends: new AbortController(), cutter, sure: "", waiting },
    };
    this.#latest = flight;
    this.#flights.add(flight);
    const ask = { prompt: promptOf(text, cursor, manners), maxTokens, stop: manners.stop, session };
    void this.#deps.endpoint
      .complete(ask, flight.ends.signal, ({ id, text: more }) => this.#came(flight, id, more))
      .then(
        () => this.#over(flight, true),
        () => this.#over(flight, false),
      );
  }

  #came(flight: Flight, id: string, text: string): void {
    if (flight.over) return;
    flight.id = id;
    flight.text += text;
    flight.sure += flight.cutter.feed(text);
    this.#show(flight);
    if (!flight.cutter.done || !this.#options.manners.cuts) return;
    this.#over(flight, true);
    flight.ends.abort(new SlipstreamError("cancelled", "enough was said"));
  }

  /** Text is of use when there is more of a complete line than was typed of it. */
  #show(flight: Flight): void {
    const { waiting, sure, typed } = flight;
    if (!waiting || sure.length <= typed.length || waiting.firstTextMs !== undefined) return;
    waiting.firstTextMs = this.#deps.clock.now() - (waiting.sentMs ?? waiting.askedMs);
    if (flight === this.#latest) this.#deps.reached(flight.id);
  }

  #over(flight: Flight, whole: boolean): void {
    if (flight.over) return;
    flight.over = true;
    this.#flights.delete(flight);
    if (whole) flight.sure += flight.cutter.finish(true);
    this.#show(flight);
    this.#landed(flight);
  }

  #landed(flight: Flight): void {
    const { waiting } = flight;
    flight.waiting = undefined;
    if (!waiting) return;
    const text = flight.sure.slice(flight.typed.length);
    // All of it was typed along, and there is no more: the last key is asked for by itself.
    if (text === "" && flight.typed !== "" && this.#latest === flight) {
      this.#send(flight.document, flight.at + flight.typed.length, waiting);
      return;
    }
    this.#end(waiting, text === "" ? (flight.ends.signal.aborted ? "superseded" : "empty") : "generated", text);
  }

  /** Its text is not wanted any more. Who does not cancel lets it run, and does not look at it. */
  #leave(flight: Flight): void {
    if (this.#latest === flight) this.#latest = undefined;
    if (!this.#options.manners.cancels || flight.over) return;
    flight.ends.abort(new SlipstreamError("cancelled", "the person typed on"));
    this.#over(flight, false);
  }

  #end({ askedMs, sentMs, firstTextMs, answer }: Waiting, outcome: Answer["outcome"], text: string): void {
    const totalMs = this.#deps.clock.now() - (sentMs ?? askedMs);
    const sent: Sent = {
      ...{ outcome, text, completion: "", totalMs, usage: noUsage, worker: "", detail: "" },
      ...(sentMs === undefined ? { unasked: true as const } : { sentMs }),
      ...(firstTextMs !== undefined && { firstTextMs }),
    };
    answer(sent);
  }
}

function resolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((given) => {
    resolve = given;
  });
  return { promise, resolve };
}

function placeAt(text: string, cursor: number, language: string): Place {
  const above = text.slice(Math.max(0, cursor - aroundUtf16), cursor).split("\n");
  const [lineAfter = "", ...below] = text.slice(cursor, cursor + aroundUtf16).split("\n");
  return {
    ...{ shape: "auto", language, lineBefore: above.at(-1) ?? "", lineAfter, newline: "\n", linesMax },
    lastLine: above.findLast((line) => line.trim() !== "") ?? "",
    nextLine: below.find((line) => line.trim() !== "") ?? "",
    indent: () => undefined,
  };
}
