// unhealed: a prompt for an engine behind a wire, by token: its segments and the model's vocabulary in, tokens and how many may follow
// out. Nothing is taken back at the cursor: no such engine can be held to the text that it would have to begin with.
import type { Model, Segment } from "../generation.ts";
import { nothingTakenBack } from "./healing.ts";
import { encodePrompt, type Tokenizer } from "./prompt-tokens.ts";

export function encodeUnhealed(
  segments: readonly Segment[],
  maxTokens: number,
  model: Model,
  tokenizer: Pick<Tokenizer, "encodeText" | "specialToken">,
): { tokens: readonly number[]; maxTokens: number } {
  const { tokens } = encodePrompt(
    segments,
    {
      contextTokens: model.contextTokens,
      fimPrefix: model.fim.prefix,
      fimMiddle: model.fim.middle,
      encodeText: (text) => tokenizer.encodeText(text),
      specialToken: (text) => tokenizer.specialToken(text),
      takeBack: () => nothingTakenBack,
    },
    { heal: false, completionTokens: maxTokens },
  );
  return { tokens, maxTokens: roomFor(maxTokens, model, tokens.length) };
}

/** At least one, however full the context is. */
export function roomFor(maxTokens: number, { contextTokens }: Pick<Model, "contextTokens">, promptTokens: number): number {
  return Math.max(1, Math.min(maxTokens, contextTokens - promptTokens));
}
