// same-document: windows of the document above the prompt's window, ranked by the identifiers they share with the lines
// around the cursor (Jaccard over sets of words). Pure.
import type { Snippet, Trigger } from "../completion.ts";

const windowLines = 16;
const minScore = 0.1;

export function sameDocument(
  trigger: Trigger,
  bounds: { readonly windowUtf16: number; readonly scanUtf16Max: number },
): readonly Snippet[] {
  const end = Math.max(0, trigger.prefix.length - bounds.windowUtf16);
  const above = trigger.prefix.slice(Math.max(0, end - bounds.scanUtf16Max), end);
  if (above.trim() === "") return [];
  const here = words(trigger.prefix.slice(-600) + trigger.suffix.slice(0, 200));
  const lines = above.split("\n");
  const found: Snippet[] = [];
  for (let from = 0; from < lines.length; from += windowLines) {
    const text = lines.slice(from, from + windowLines).join("\n");
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
