// oracle: the prompt of a pretend generation in, what the typist goes on to type out, where the simulation knows the text.
// So a simulated model can be as right as a real one, and following the typist has something to follow. Of each text it
// keeps no more than the text itself.
import type { Generation } from "../workers/generation.ts";

/** Ends of the prefix to look for, the longest first: it tells places apart best, but may reach into other code. */
const tails = [80, 40, 20, 10];
/** No generation for an editor says more. */
const truthMax = 512;

export function oracle(texts: readonly string[]): (work: Generation) => string | undefined {
  return (work) => {
    const prefix = beforeCursor(work);
    for (const length of tails) {
      if (prefix.length < length) continue;
      const tail = prefix.slice(-length);
      for (const text of texts) {
        const at = text.indexOf(tail);
        if (at >= 0) return text.slice(at + length, at + length + truthMax);
      }
    }
    return undefined;
  };
}

/** The text before the cursor follows the prefix token; what is being typed of it may follow the middle token (lib/fim/render.ts). */
export function beforeCursor({ segments }: Pick<Generation, "segments">): string {
  const marked = segments.findLastIndex((segment) => "special" in segment && /prefix/i.test(segment.special));
  const middle = segments.findLastIndex((segment) => "special" in segment && /middle/i.test(segment.special));
  if (marked < 0) return "";
  return textAfter(segments, marked) + (middle > marked ? textAfter(segments, middle) : "");
}

/** The texts that follow the segment, up to the next special token. */
function textAfter(segments: Generation["segments"], at: number): string {
  const rest = segments.slice(at + 1);
  const end = rest.findIndex((segment) => "special" in segment);
  return rest
    .slice(0, end < 0 ? rest.length : end)
    .map((segment) => ("text" in segment ? segment.text : ""))
    .join("");
}
