// prompt-tokens: segments in, tokens out. Each segment is encoded apart; text is never parsed for special tokens, a special
// segment is exactly one special token, and a prompt over the context is refused with its numbers. At the cursor of an infilling
// prompt, tokens may be taken back for healing.
import { invalid } from "../../../lib/errors.ts";
import type { Segment } from "../../generation.ts";
import { nothingTakenBack, type TakenBack } from "./healing.ts";

export interface Tokenizer {
  readonly contextTokens: number;
  /** The special token before the code before the cursor. */
  readonly fimPrefix: string;
  encodeText(text: string): readonly number[];
  /** Undefined when the text is not exactly one special token of this model. */
  specialToken(text: string): number | undefined;
  takeBack(tokens: readonly number[]): TakenBack;
}

export interface Prompt {
  readonly tokens: readonly number[];
  readonly takenBack: TakenBack;
}

/** No vocabulary has longer tokens: more bytes than this a context token cannot fit, so they are refused unencoded. */
const tokenBytesMax = 256;

export function encodePrompt(segments: readonly Segment[], tokenizer: Tokenizer, options: { heal: boolean }): Prompt {
  const bytes = segments.reduce((sum, segment) => sum + ("text" in segment ? segment.text.length : 0), 0);
  if (bytes > tokenizer.contextTokens * tokenBytesMax) {
    throw invalid("segments", `${bytes} characters cannot fit a context of ${tokenizer.contextTokens} tokens`);
  }
  const tokens: number[] = [];
  const cursor = options.heal ? cursorSegment(segments, tokenizer.fimPrefix) : -1;
  let takenBack = nothingTakenBack;
  segments.forEach((segment, index) => {
    if ("text" in segment) {
      const encoded = tokenizer.encodeText(segment.text);
      for (const token of encoded) tokens.push(token);
      if (index === cursor) {
        takenBack = tokenizer.takeBack(encoded);
        tokens.length -= takenBack.tokens.length;
      }
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
  return { tokens, takenBack };
}

/** Index of the text that ends at the cursor: the last one of those that follow the prefix token; -1 when it infills nothing. */
function cursorSegment(segments: readonly Segment[], fimPrefix: string): number {
  let at = segments.findLastIndex((segment) => "special" in segment && segment.special === fimPrefix);
  if (at < 0) return -1;
  const start = at;
  while (segments[at + 1] && "text" in (segments[at + 1] as Segment)) at += 1;
  return at === start ? -1 : at;
}
