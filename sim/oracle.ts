// oracle: the prompt of a pretend generation in, what the typist goes on to type out, where the simulation knows the text.
// So a simulated model can be as right as a real one, and following the typist has something to follow. Of each text it
// keeps no more than the text itself.
import type { Generation } from "../workers/generation.ts";

/** Ends of the prefix to look for, the longest first: it tells places apart best, but may reach into other code. */
const tails = [80, 40, 20, 10];
/** No generation for an editor says more. */
const truthMax = 512;

export function oracle(texts: readonly string[]): (work: Generation) => string | undefined {
  return ({ segments }) => {
    // The prefix is the text just before the cursor: after the family's prefix token in every layout.
    const marked = segments.findLastIndex((segment) => "special" in segment && /prefix/i.test(segment.special));
    let prefix = "";
    for (const segment of segments.slice(marked + 1)) {
      if ("special" in segment) break;
      prefix += segment.text;
    }
    if (marked < 0) return undefined;
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
