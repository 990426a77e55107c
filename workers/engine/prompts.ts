// prompts: a Generation's segments in, the tokens that the engine is asked with out, and where in the rendered prompt each ends.
// Segments are encoded apart, so that boundaries stay where they are from key to key.
import type { Model, Segment } from "../generation.ts";
import type { EngineTokenizer } from "./tokenizer.ts";
import { encodeUnhealed } from "./unhealed.ts";

export interface Encoded {
  readonly tokens: readonly number[];
  readonly maxTokens: number;
  /** Whether the tokens stand for every byte of the rendered prompt: nothing dropped, nothing normalised. */
  readonly whole: boolean;
}

/** Where in the rendered prompt each full block of tokens ends. */
export function blockEnds(tokens: readonly number[], blockTokens: number, tokenizer: EngineTokenizer): number[] {
  const ends: number[] = [];
  let bytes = 0;
  for (const [index, token] of tokens.entries()) {
    bytes += tokenizer.bytesOf(token);
    if ((index + 1) % blockTokens === 0) ends.push(bytes);
  }
  return ends;
}

export async function encode(
  segments: readonly Segment[],
  maxTokens: number,
  model: Model,
  tokenizer: EngineTokenizer,
  signal: AbortSignal,
): Promise<Encoded> {
  await tokenizer.know(
    segments.map((segment) => ("text" in segment ? segment.text : segment.special)),
    signal,
  );
  const encoded = encodeUnhealed(segments, maxTokens, model, tokenizer);
  const rendered = segments.reduce(
    (sum, segment) => sum + Buffer.byteLength("text" in segment ? segment.text : segment.special),
    0,
  );
  const spelled = encoded.tokens.reduce((sum, token) => sum + tokenizer.bytesOf(token), 0);
  return { ...encoded, whole: rendered === spelled };
}
