// completion-stream: the events of an OpenAI-compatible completion stream in, Pieces and one end out. Several tokens may come in
// one event (speculation): they are counted by the running usage where the server says it, else an event is one token. What is
// no such event is an error of the engine, in a sentence without its content.
import { SlipstreamError } from "../../lib/errors.ts";
import type { Finish, Piece } from "../generation.ts";
import { type CompletionEvent, type EventChoice, readEvent } from "./completion-event.ts";
import { ServerEvents } from "./server-events.ts";

/** What reads the answer of one generation. */
export interface Answering<Chunk> {
  readonly told: Readonly<Told>;
  /** What the engine says that it ended by; undefined before. */
  readonly finish: Finish | "abort" | undefined;
  /** Nothing follows. */
  readonly done: boolean;
  /** The pieces that this part of it brings. Throws `engine_failed` for what makes no sense. */
  push(chunk: Chunk): readonly Piece[];
  /** The answer is over, and was not cut: of a server that does not say how it ended. */
  over?(): void;
}

export interface Told {
  promptTokens: number | undefined;
  /** Undefined: the server does not say. */
  cachedTokens: number | undefined;
  completionTokens: number;
  frames: number;
  /** Of this generation alone, where the engine says it. */
  drafted?: number;
  draftAccepted?: number;
}

/** The longest event: a few tokens with all that is said about them. */
const eventBytesMax = 1 << 20;

export class CompletionStream implements Answering<Buffer> {
  readonly told: Told = { promptTokens: undefined, cachedTokens: undefined, completionTokens: 0, frames: 0 };
  /** What the server says that it ended by; undefined before. */
  finish: Finish | "abort" | undefined;
  /** The stream said that nothing follows. */
  done = false;
  readonly #as: (event: unknown) => unknown;
  readonly #events: ServerEvents;
  #pieces: Piece[] = [];

  /** `as`: brings an event of another page of the server into a completion's shape. */
  constructor(as: (event: unknown) => unknown = (event) => event) {
    this.#as = as;
    this.#events = new ServerEvents({ bytesMax: eventBytesMax }, { data: (data) => this.#event(data) });
  }

  /** The pieces that these bytes bring. Throws `engine_failed` for what is no completion. */
  push(chunk: Buffer): readonly Piece[] {
    this.#pieces = [];
    try {
      this.#events.push(chunk);
    } catch (thrown) {
      throw thrown instanceof SlipstreamError ? thrown : garbage((thrown as Error).message, thrown);
    }
    return this.#pieces;
  }

  /** Counts what an event says, and gives it with the tokens that it brought; undefined: it was the last word. */
  book(data: string): { readonly choice: EventChoice | undefined; readonly tokens: number } | undefined {
    if (data === "[DONE]") {
      this.done = true;
      return undefined;
    }
    const { error, choice, usage } = parsed(data, this.#as);
    if (error) throw new SlipstreamError("engine_failed", `the engine says: ${sentenceOf(error)}`);
    const before = this.told.completionTokens;
    if (usage) {
      this.told.promptTokens = usage.promptTokens;
      this.told.cachedTokens = usage.cachedTokens ?? this.told.cachedTokens;
      this.told.completionTokens = usage.completionTokens ?? before;
    } else if (choice && choice.text !== "") this.told.completionTokens += 1;
    if (choice) this.told.frames += 1;
    if (choice && choice.finishReason !== "") this.finish = finishOf(choice.finishReason);
    return { choice, tokens: this.told.completionTokens - before };
  }

  #event(data: string): void {
    const { choice, tokens } = this.book(data) ?? { choice: undefined, tokens: 0 };
    // A server that tells tokens at the end alone may have put several into a frame.
    if (!choice) {
      if (tokens > 0) this.#pieces.push({ text: "", tokens });
    } else if (choice.text !== "" || tokens > 0)
      this.#pieces.push({ text: choice.text, tokens, ...confidence(choice.tokenLogprobs) });
  }
}

function parsed(data: string, as: (event: unknown) => unknown): CompletionEvent {
  let raw: unknown;
  try {
    raw = JSON.parse(data);
  } catch (cause) {
    throw garbage("an event is no JSON", cause);
  }
  const event = readEvent(as(raw));
  if (typeof event === "string") throw garbage(`an event has no ${event} as it should`);
  return event;
}

function finishOf(reason: string): Finish | "abort" {
  if (reason === "abort" || reason === "cancelled") return "abort";
  if (reason === "error") throw new SlipstreamError("engine_failed", "the engine ended the generation with an error");
  return reason === "length" ? "length" : "stop";
}

function confidence(logprobs: readonly (number | null)[]): { confidence?: number } {
  const known = logprobs.filter((each) => each !== null);
  return known.length === 0 ? {} : { confidence: known.reduce((sum, each) => sum + Math.exp(each), 0) / known.length };
}

function garbage(why: string, cause?: unknown): SlipstreamError {
  return new SlipstreamError("engine_failed", `the engine's answer makes no sense: ${why}`, { cause });
}

/** The message of an OpenAI-compatible error, shortened. */
export function sentenceOf(error: unknown): string {
  const message = (error as { message?: unknown } | null)?.message ?? error;
  return String(typeof message === "string" ? message : JSON.stringify(message)).slice(0, 300);
}
