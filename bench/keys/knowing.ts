// knowing: how right a pretend model is. Source texts and a share in, an oracle out that knows what will be typed on that
// share of the lines, each line by its own draw, and nothing of the others: there the engine says something of its own. So of
// all keys that text is shown for, the share that follows it is the share asked for. For simulated workers only.
import { seeded } from "../../lib/random.ts";
import { beforeCursor, oracle } from "../../sim/oracle.ts";
import type { Generation } from "../../workers/generation.ts";

/** Enough to tell a line from its likes. */
const aboveUtf16 = 60;
/** The cursor's line and enough above it. */
const endUtf16 = 1_024;

export interface KnowingOptions {
  readonly texts: readonly string[];
  /** Share of lines that the model knows. */
  readonly agreement: number;
  readonly seed: number;
}

/** What follows the cursor as long as the model knows the lines; undefined: it does not know this one. */
export function knowing(options: KnowingOptions): (work: Generation) => string | undefined {
  const truth = oracle(options.texts);
  return (work) => {
    const rest = truth(work);
    if (rest === undefined) return undefined;
    const before = beforeCursor(work).slice(-endUtf16);
    const lineStart = before.lastIndexOf("\n") + 1;
    let known = "";
    let at = lineStart;
    for (const part of rest.split(/(?<=\n)/)) {
      const text = before + known + part;
      if (!knows(text.slice(Math.max(0, at - aboveUtf16), at), text.slice(at), options)) break;
      known += part;
      at = text.length;
    }
    return known === "" ? undefined : known;
  };
}

/** By the line and what stands above it, so that every key of it and every process draw the same. Blank lines go with any. */
function knows(above: string, line: string, { agreement, seed }: KnowingOptions): boolean {
  if (line.trim() === "") return true;
  const text = above + line;
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return seeded(hash >>> 0).next() < agreement;
}
