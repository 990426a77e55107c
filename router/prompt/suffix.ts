// suffix: may the text after the cursor that the last prompt had stand in for the one the document has now? Where the suffix
// comes first, another one costs the whole prompt. Editors change it all the time: "(" brings ")", a line feed after "{" brings
// a line with "}", and typing them takes them away again. What stands in must tell the model what it needs to know: the same
// lines, and nothing that is no longer there. What it lacks, closing signs, is trimmed from the completion against the real text. Pure.

interface Staleness {
  /** Closing signs that may have come before it; what they close was opened by the person who types. */
  readonly closersMax: number;
  /** Lines from the cursor on that must be the same. */
  readonly nearLines: number;
  /** Of the rest, the share that may differ. */
  readonly shareMax: number;
}

const staleness: Staleness = { closersMax: 8, nearLines: 4, shareMax: 0.1 };

/** Closing signs with the line feeds and the indentation that editors put around them. */
export const gainedMax = 256;
const closing = /[)\]}>'"`;,]/;

/** How the text held differs from the text there is: not, by closing signs that came, elsewhere and little, or too much. */
export type Difference = "none" | "closers" | "stale" | "too_much";

/** A held suffix, and whether the text went on where it ends. */
export interface Held {
  readonly suffix: string;
  readonly suffixIsCut: boolean;
}

/** `now`: the text after the cursor, at least as much longer than the held one as may have been gained. */
export function suffixDifference({ suffix: held, suffixIsCut }: Held, now: string, bounds = staleness): Difference {
  const near = held.slice(0, endOfLines(held, bounds.nearLines));
  let closers = 0;
  for (let gained = 0; gained <= Math.min(gainedMax, now.length); gained++) {
    if (now.startsWith(near, gained)) {
      const rest = now.slice(gained);
      const changed = changedUtf16(held, suffixIsCut ? rest.slice(0, held.length) : rest);
      if (changed === 0) return gained === 0 ? "none" : "closers";
      if (changed <= held.length * bounds.shareMax) return "stale";
    }
    const sign = now[gained] ?? "";
    if (closing.test(sign)) closers += 1;
    else if (sign.trim() !== "") break;
    if (closers > bounds.closersMax) break;
  }
  return "too_much";
}

/** Edits change one place: what stands between the common beginning and the common end. */
function changedUtf16(held: string, now: string): number {
  const length = Math.min(held.length, now.length);
  let same = 0;
  while (same < length && held[same] === now[same]) same += 1;
  let end = 0;
  while (end < length - same && held.at(-1 - end) === now.at(-1 - end)) end += 1;
  return Math.max(held.length, now.length) - same - end;
}

/** Where the first `lines` lines end. */
function endOfLines(text: string, lines: number): number {
  let at = 0;
  for (let line = 0; line < lines; line++) {
    const end = text.indexOf("\n", at);
    if (end < 0) return text.length;
    at = end + 1;
  }
  return at;
}
