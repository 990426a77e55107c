// same-document: pieces of the document above the prompt's window, ranked by the identifiers they share with the lines around
// the cursor (Jaccard over sets of words). Cut at places that stay while the person types, so that a piece chosen twice is the
// same bytes. Pure.
import type { Snippet, Trigger } from "../completion.ts";

const pieceLines = 16;
const minScore = 0.1;
/** The scan begins at a multiple of this, and so moves seldom. */
const anchorUtf16 = 4_096;

export function sameDocument(
  trigger: Trigger,
  bounds: { readonly windowUtf16: number; readonly scanUtf16Max: number },
): readonly Snippet[] {
  const end = trigger.text.lengthBefore - bounds.windowUtf16;
  const start = Math.ceil(Math.max(0, end - bounds.scanUtf16Max) / anchorUtf16) * anchorUtf16;
  if (end <= start) return [];
  const lines = trigger.text.range(start, end).split("\n");
  // Where the scan begins and ends inside a line, that line is not whole.
  const whole = lines.slice(start === 0 ? 0 : 1, -1);
  const here = words(trigger.text.before(600) + trigger.text.after(200));
  const found: Snippet[] = [];
  for (let from = 0; from + pieceLines <= whole.length; from += pieceLines) {
    const text = whole.slice(from, from + pieceLines).join("\n");
    const score = jaccard(here, words(text));
    if (score >= minScore) found.push({ path: trigger.path, text, score, stable: false });
  }
  return found.sort((a, b) => b.score - a.score);
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.match(/[A-Za-z_$][\w$]{2,}/g) ?? []);
}

function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let both = 0;
  for (const word of a) if (b.has(word)) both += 1;
  const all = a.size + b.size - both;
  return all === 0 ? 0 : both / all;
}
