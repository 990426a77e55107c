// prompt-tokens: segments in, tokens out. Each segment is encoded apart; text is never parsed for special tokens, a special
// segment is exactly one special token, and a prompt over the context is refused with its numbers.
import { invalid } from "../../../lib/errors.ts";
import type { Segment } from "../../generation.ts";

export interface Tokenizer {
  readonly contextTokens: number;
  encodeText(text: string): readonly number[];
  /** Undefined when the text is not exactly one special token of this model. */
  specialToken(text: string): number | undefined;
}

/** No vocabulary has longer tokens: more bytes than this a context token cannot fit, so they are refused unencoded. */
const tokenBytesMax = 256;

export function encodePrompt(segments: readonly Segment[], tokenizer: Tokenizer): number[] {
  const bytes = segments.reduce((sum, segment) => sum + ("text" in segment ? segment.text.length : 0), 0);
  if (bytes > tokenizer.contextTokens * tokenBytesMax) {
    throw invalid("segments", `${bytes} characters cannot fit a context of ${tokenizer.contextTokens} tokens`);
  }
  const tokens: number[] = [];
  segments.forEach((segment, index) => {
    if ("text" in segment) {
      for (const token of tokenizer.encodeText(segment.text)) tokens.push(token);
      return;
    }
    const token = tokenizer.specialToken(segment.special);
    if (token === undefined) {
      throw invalid(`segments[${index}].special`, `${JSON.stringify(segment.special)} is no special token of this model`);
    }
    tokens.push(token);
  });
  if (tokens.length === 0) throw invalid("segments", "the prompt is empty");
  // One place is kept for the first generated token.
  if (tokens.length >= tokenizer.contextTokens) {
    throw invalid(
      "segments",
      `the prompt has ${tokens.length} tokens, the context holds ${tokenizer.contextTokens} with the completion`,
    );
  }
  return tokens;
}
