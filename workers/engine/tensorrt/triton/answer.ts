// answer: the events of Triton's generate_stream in, Pieces and one end out: its tokens become text by the model's own vocabulary here.
// It does not say how it ended: the stream is over then. As many tokens as were asked for are a text that was cut; no event at all is no
// answer.
import { z } from "zod";
import { SlipstreamError } from "../../../../lib/errors.ts";
import type { Finish, Piece } from "../../../generation.ts";
import { type Answering, sentenceOf, type Told } from "../../completion-stream.ts";
import { ServerEvents } from "../../server-events.ts";
import { type Spell, TokenText } from "../../token-text.ts";

const token = z.number().int().min(0);
/** An output of one element is written without its list. */
const eventShape = z.looseObject({ error: z.unknown().optional(), output_ids: z.union([token, z.array(token)]).nullish() });
const eventBytesMax = 1 << 20;

export class TritonAnswer implements Answering<Buffer> {
  readonly told: Told = { promptTokens: undefined, cachedTokens: undefined, completionTokens: 0, frames: 0 };
  finish: Finish | undefined;
  readonly done = false;
  readonly #text: TokenText;
  readonly #events: ServerEvents;
  readonly #maxTokens: number;
  #pieces: Piece[] = [];

  constructor(spell: Spell, { maxTokens }: { readonly maxTokens: number }) {
    this.#maxTokens = maxTokens;
    this.#text = new TokenText(spell);
    this.#events = new ServerEvents({ bytesMax: eventBytesMax }, { data: (data) => this.#event(data) });
  }

  push(chunk: Buffer): readonly Piece[] {
    this.#pieces = [];
    this.#events.push(chunk);
    return this.#pieces;
  }

  over(): void {
    if (this.told.frames > 0) this.finish = this.told.completionTokens >= this.#maxTokens ? "length" : "stop";
  }

  #event(data: string): void {
    let raw: unknown;
    try {
      raw = JSON.parse(data);
    } catch (cause) {
      throw new SlipstreamError("engine_failed", "the engine's answer makes no sense: an event is no JSON", { cause });
    }
    const read = eventShape.safeParse(raw);
    if (!read.success) throw new SlipstreamError("engine_failed", "the engine's answer makes no sense: an event has no output_ids");
    const { error, output_ids: ids } = read.data;
    if (error) throw new SlipstreamError("engine_failed", `the engine says: ${sentenceOf(error)}`);
    const tokens = typeof ids === "number" ? [ids] : (ids ?? []);
    this.told.frames += 1;
    if (tokens.length === 0) return;
    this.told.completionTokens += tokens.length;
    this.#pieces.push({ text: this.#text.push(tokens), tokens: tokens.length });
  }
}
