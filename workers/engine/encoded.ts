// encoded: a tokeniser's encoding in, the same one out that remembers: a prompt comes again with every key, and but for the piece
// that is typed in its pieces are the same texts. Bounded in texts and bytes.
import { Lru } from "../../lib/structures/lru.ts";

/** Shorter ones are encoded as fast as they are found. */
const textUtf16Min = 32;
/** Of a token in an array, and of an entry. */
const tokenBytes = 8;
const overheadBytes = 128;

export interface Remembering {
  (text: string): readonly number[];
  /** It takes no time. */
  knows(text: string): boolean;
}

export function remembering(
  encode: (text: string) => readonly number[],
  options: { readonly textsMax: number; readonly bytesMax: number },
): Remembering {
  const known = new Lru<{ readonly text: string; readonly tokens: readonly number[] }>({
    max: options.textsMax,
    maxWeight: options.bytesMax,
    weigh: ({ text, tokens }) => 2 * text.length + tokenBytes * tokens.length + overheadBytes,
  });
  const remembered = (text: string) => {
    if (text.length < textUtf16Min) return encode(text);
    const found = known.get(text, 0);
    if (found) return found.tokens;
    const tokens = encode(text);
    known.set(text, { text, tokens }, 0);
    return tokens;
  };
  return Object.assign(remembered, { knows: (text: string) => text.length < textUtf16Min || known.get(text, 0) !== undefined });
}
