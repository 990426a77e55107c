// token-answer: what engines whose answers are tokens tell of a generation in, Pieces and one end out: its tokens become text by the
// model's own vocabulary here. How an engine says it, message by message, is its own.
import { SlipstreamError } from "../../lib/errors.ts";
import type { Finish, Piece } from "../generation.ts";
import type { Answering, Told } from "./completion-stream.ts";
import { type Spell, TokenText } from "./token-text.ts";

interface TokenLogprob {
  readonly logprob: number;
}

export abstract class TokenAnswer<Message> implements Answering<Message> {
  readonly told: Told = { promptTokens: undefined, cachedTokens: undefined, completionTokens: 0, frames: 0 };
  finish: Finish | "abort" | undefined;
  readonly #text: TokenText;

  constructor(spell: Spell) {
    this.#text = new TokenText(spell);
  }

  get done(): boolean {
    return this.finish !== undefined;
  }

  abstract push(message: Message): readonly Piece[];

  /** None where there are no tokens. */
  protected piece(tokens: readonly number[], logprobs: readonly TokenLogprob[]): Piece[] {
    if (tokens.length === 0) return [];
    this.told.completionTokens += tokens.length;
    return [{ text: this.#text.push(tokens), tokens: tokens.length, ...confidence(logprobs) }];
  }

  /** A message without output has noughts. */
  protected prompted({ promptTokens, cachedTokens }: { readonly promptTokens: number; readonly cachedTokens: number }): void {
    if (promptTokens === 0) return;
    this.told.promptTokens = promptTokens;
    this.told.cachedTokens = cachedTokens;
  }

  /** `abortedBy`: the engine's word for a generation that was stopped. */
  protected ended(
    last: { readonly specDraftTokens: number; readonly specAcceptedTokens: number },
    reason: string,
    abortedBy: string,
  ): void {
    this.told.drafted = last.specDraftTokens;
    this.told.draftAccepted = last.specAcceptedTokens;
    if (reason === "error") throw new SlipstreamError("engine_failed", "the engine ended the generation with an error");
    this.finish = reason === abortedBy ? "abort" : reason === "length" ? "length" : "stop";
  }
}

/** Thrown for a message that has nothing in it. */
export const emptyMessage = () => new SlipstreamError("engine_failed", "the engine's answer makes no sense: an empty message");

function confidence(logprobs: readonly TokenLogprob[]): { confidence?: number } {
  if (logprobs.length === 0) return {};
  return { confidence: logprobs.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0) / logprobs.length };
}
