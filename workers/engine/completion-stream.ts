// completion-stream: the events of an OpenAI-compatible completion stream in, Pieces and one end out. Several tokens may come in
// one event (speculation): they are counted by the running usage where the server says it, else an event is one token. What is
// no such event is an error of the engine, in a sentence without its content.
import { z } from "zod";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Finish, Piece } from "../generation.ts";
import { ServerEvents } from "./server-events.ts";

const count = z.number().int().min(0);
const usageShape = z.looseObject({
  prompt_tokens: count,
  completion_tokens: count.nullish(),
  prompt_tokens_details: z.looseObject({ cached_tokens: count.nullish() }).nullish(),
});
const eventShape = z.looseObject({
  error: z.unknown().optional(),
  choices: z
    .array(
      z.looseObject({
        text: z.string().nullish(),
        finish_reason: z.string().nullish(),
        logprobs: z.looseObject({ token_logprobs: z.array(z.number().nullable()).nullish() }).nullish(),
      }),
    )
    .default([]),
  usage: usageShape.nullish(),
});

export interface Told {
  promptTokens: number | undefined;
  /** Undefined: the server does not say. */
  cachedTokens: number | undefined;
  completionTokens: number;
  frames: number;
}

/** The longest event: a few tokens with all that is said about them. */
const eventBytesMax = 1 << 20;

export class CompletionStream {
  readonly told: Told = { promptTokens: undefined, cachedTokens: undefined, completionTokens: 0, frames: 0 };
  /** What the server says that it ended by; undefined before. */
  finish: Finish | "abort" | undefined;
  /** The stream said that nothing follows. */
  done = false;
  readonly #events: ServerEvents;
  #pieces: Piece[] = [];

  constructor() {
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

  #event(data: string): void {
    if (data === "[DONE]") {
      this.done = true;
      return;
    }
    let raw: unknown;
    try {
      raw = JSON.parse(data);
    } catch (cause) {
      throw garbage("an event is no JSON", cause);
    }
    const read = eventShape.safeParse(raw);
    if (!read.success) throw garbage(`an event has no ${read.error.issues[0]?.path.join(".") || "content"} as it should`);
    const { error, choices, usage } = read.data;
    if (error) throw new SlipstreamError("engine_failed", `the engine says: ${sentenceOf(error)}`);
    const before = this.told.completionTokens;
    if (usage) {
      this.told.promptTokens = usage.prompt_tokens;
      this.told.cachedTokens = usage.prompt_tokens_details?.cached_tokens ?? this.told.cachedTokens;
      this.told.completionTokens = usage.completion_tokens ?? before;
    }
    const choice = choices[0];
    if (!choice) return;
    if (!usage && choice.text) this.told.completionTokens += 1;
    this.told.frames += 1;
    if (choice.text || this.told.completionTokens > before)
      this.#pieces.push({
        text: choice.text ?? "",
        tokens: this.told.completionTokens - before,
        ...confidence(choice.logprobs?.token_logprobs),
      });
    if (choice.finish_reason) this.finish = finishOf(choice.finish_reason);
  }
}

function finishOf(reason: string): Finish | "abort" {
  if (reason === "abort") return "abort";
  if (reason === "error") throw new SlipstreamError("engine_failed", "the engine ended the generation with an error");
  return reason === "length" ? "length" : "stop";
}

function confidence(logprobs: readonly (number | null)[] | null | undefined): { confidence?: number } {
  const known = logprobs?.filter((each) => each !== null) ?? [];
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
