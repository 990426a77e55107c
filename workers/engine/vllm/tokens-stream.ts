// tokens-stream: the events of vLLM's token-in-token-out stream (/inference/v1/generate) in, Pieces and one end out: its tokens become
// text by the model's own vocabulary here, so that the engine spells none. What is no such event is an error of the engine.
import { SlipstreamError } from "../../../lib/errors.ts";
import type { Finish, Piece } from "../../generation.ts";
import { type Answering, CompletionStream, type Told } from "../completion-stream.ts";
import { ServerEvents } from "../server-events.ts";
import { type Spell, TokenText } from "../token-text.ts";

const eventBytesMax = 1 << 20;

/** The rest of an event is as a completion's: usage, errors, how it ended. */
export class TokensStream implements Answering<Buffer> {
  readonly #text: TokenText;
  readonly #rest = new CompletionStream();
  readonly #events: ServerEvents;
  #pieces: Piece[] = [];
  #tokens = 0;

  constructor(spell: Spell) {
    this.#text = new TokenText(spell);
    this.#events = new ServerEvents({ bytesMax: eventBytesMax }, { data: (data) => this.#event(data) });
  }

  get told(): Told {
    return { ...this.#rest.told, completionTokens: this.#tokens };
  }

  get finish(): Finish | "abort" | undefined {
    return this.#rest.finish;
  }

  get done(): boolean {
    return this.#rest.done;
  }

  push(chunk: Buffer): readonly Piece[] {
    this.#pieces = [];
    try {
      this.#events.push(chunk);
    } catch (thrown) {
      if (thrown instanceof SlipstreamError) throw thrown;
      throw new SlipstreamError("engine_failed", `the engine's answer makes no sense: ${(thrown as Error).message}`, {
        cause: thrown,
      });
    }
    return this.#pieces;
  }

  #event(data: string): void {
    const tokens = this.#rest.book(data)?.choice?.tokenIds ?? [];
    this.#tokens += tokens.length;
    if (tokens.length > 0) this.#pieces.push({ text: this.#text.push(tokens), tokens: tokens.length });
  }
}
