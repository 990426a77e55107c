// prompt-tokens: segments in, tokens out. Each segment is encoded apart; text is never parsed for special tokens, a special
// segment is exactly one special token, and a prompt a little over the context loses the beginning of its longest run of texts.
// At the cursor of an infilling prompt, tokens may be taken back for healing.
import { invalid } from "../../lib/errors.ts";
import type { Segment } from "../generation.ts";
import { nothingTakenBack, type TakenBack } from "./healing.ts";

export interface Tokenizer {
  readonly contextTokens: number;
  /** The special token before the code before the cursor. */
  readonly fimPrefix: string;
  /** The one after which the model writes; "": it has none. */
  readonly fimMiddle: string;
  encodeText(text: string): readonly number[];
  /** Undefined when the text is not exactly one special token of this model. */
  specialToken(text: string): number | undefined;
  takeBack(tokens: readonly number[]): TakenBack;
}

export interface Prompt {
  readonly tokens: readonly number[];
  readonly takenBack: TakenBack;
}

/** A segment, encoded. */
interface Part {
  readonly text: boolean;
  readonly tokens: readonly number[];
}

/** No vocabulary has longer tokens: more bytes than this a context token cannot fit, so they are refused unencoded. */
const tokenBytesMax = 256;

export function encodePrompt(
  segments: readonly Segment[],
  tokenizer: Tokenizer,
  options: { heal: boolean; completionTokens: number },
): Prompt {
  const bytes = segments.reduce((sum, segment) => sum + ("text" in segment ? segment.text.length : 0), 0);
  if (bytes > tokenizer.contextTokens * tokenBytesMax) {
    throw invalid("segments", `${bytes} characters cannot fit a context of ${tokenizer.contextTokens} tokens`);
  }
  const cursor = options.heal ? cursorSegment(segments, tokenizer) : -1;
  let takenBack = nothingTakenBack;
  const parts = segments.map((segment, index): Part => {
    if ("special" in segment) {
      const token = tokenizer.specialToken(segment.special);
      if (token !== undefined) return { text: false, tokens: [token] };
      throw invalid(`segments[${index}].special`, `${JSON.stringify(segment.special)} is no special token of this model`);
    }
    const encoded = tokenizer.encodeText(segment.text);
    if (index !== cursor) return { text: true, tokens: encoded };
    takenBack = tokenizer.takeBack(encoded);
    return { text: true, tokens: encoded.slice(0, encoded.length - takenBack.tokens.length) };
  });
  const tokens = fitted(parts, tokenizer.contextTokens, options.completionTokens);
  if (tokens.length === 0) throw invalid("segments", "the prompt is empty");
  return { tokens, takenBack };
}

/**
 * All tokens, if they fit beside the completion. A router budgets in bytes, so digits or another script may make more tokens
 * than it meant: then the longest run of texts loses its beginning, which in a layout is other code and then the far end of
 * the text before the cursor. In steps of an eighth of the context, so that the next key finds the same prompt again. What is
 * twice too long is a mistake, and refused.
 */
function fitted(parts: readonly Part[], contextTokens: number, completionTokens: number): readonly number[] {
  const count = parts.reduce((sum, { tokens }) => sum + tokens.length, 0);
  // One place is kept for the first generated token, and never more than half for the completion.
  const room = contextTokens - Math.max(1, Math.min(completionTokens, contextTokens >> 1));
  if (count <= room) return parts.flatMap(({ tokens }) => tokens);
  const step = Math.max(1, contextTokens >> 3);
  const drop = Math.ceil((count - room) / step) * step;
  const runs: { text: boolean; tokens: number[] }[] = [];
  for (const { text, tokens } of parts) {
    const last = runs.at(-1);
    if (text && last?.text) last.tokens.push(...tokens);
    else runs.push({ text, tokens: [...tokens] });
  }
  const longest = runs.reduce((best, run) => (run.tokens.length > best.tokens.length ? run : best));
  if (count > 2 * contextTokens || drop >= longest.tokens.length)
    throw invalid("segments", `the prompt has ${count} tokens, the context holds ${contextTokens} with the completion`);
  return runs.flatMap((run) => (run === longest ? run.tokens.slice(drop) : run.tokens));
}

/**
 * Index of the text that ends at the cursor, -1 where none does: the last of those that follow the middle token, where a layout
 * puts what is being typed; else the last of those that follow the prefix token. A turn that closes behind the middle token
 * is no such text.
 */
function cursorSegment(segments: readonly Segment[], { fimPrefix, fimMiddle }: Tokenizer): number {
  const typed = fimMiddle === "" ? -1 : lastTextAfter(segments, fimMiddle);
  return typed >= 0 ? typed : lastTextAfter(segments, fimPrefix);
}

/** Of the texts right behind the special token, the last one. */
function lastTextAfter(segments: readonly Segment[], special: string): number {
  const start = segments.findLastIndex((segment) => "special" in segment && segment.special === special);
  let at = start;
  while (start >= 0 && segments[at + 1] && "text" in (segments[at + 1] as Segment)) at += 1;
  return at === start ? -1 : at;
}
