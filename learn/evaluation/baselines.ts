// baselines: what costs nothing: no text at all, the line above once more, and the line of the document that agrees most with
// what stands before the cursor. A model that is not better than these is not worth its milliseconds. Pure.
import type { Hole } from "./span.ts";

export const baselineNames = ["empty", "repeat", "similar"] as const;
export type BaselineName = (typeof baselineNames)[number];

type Around = Pick<Hole, "prefix" | "suffix">;

export const baselines: Readonly<Record<BaselineName, (hole: Around) => string>> = {
  empty: () => "",
  repeat: ({ prefix, suffix }) => {
    const { lines, here } = linesOf(prefix);
    const above = lines.at(-1) ?? "";
    return fitting(above.startsWith(here) ? above.slice(here.length) : above, suffix);
  },
  similar: ({ prefix, suffix }) => {
    const { lines, here } = linesOf(prefix);
    if (here === "") return lines.at(-1) ?? "";
    const below = suffix.split("\n").slice(1).reverse();
    return fitting(restOfSimilar([...below.map((line) => line.trim()), ...lines], here), suffix);
  },
};

/** Lines above that hold anything, and what stands before the cursor in its own; all without indentation. */
function linesOf(prefix: string): { readonly lines: readonly string[]; readonly here: string } {
  const above = prefix.split("\n");
  const here = (above.pop() ?? "").trimStart();
  return { lines: above.map((line) => line.trim()).filter((line) => line !== ""), here };
}

/** Units before the cursor that must agree for a line to be taken for the same. */
const agreementMin = 2;

/** What follows in the line that holds the longest end of `here`; the last of equals wins. */
function restOfSimilar(lines: readonly string[], here: string): string {
  let best = { length: agreementMin, rest: "" };
  for (const line of lines) {
    for (let length = Math.min(here.length, line.length); length >= best.length; length--) {
      const at = line.lastIndexOf(here.slice(here.length - length));
      const rest = at < 0 ? "" : line.slice(at + length);
      if (rest === "") continue;
      best = { length, rest };
      break;
    }
  }
  return best.rest;
}

/** With text right of the cursor: up to the first bracket that closes what the text did not open, or the end of an argument. */
function fitting(text: string, suffix: string): string {
  if ((suffix.split("\n")[0] ?? "").trim() === "") return text;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string;
    if ("([{".includes(character)) depth += 1;
    else if (")]}".includes(character)) depth -= 1;
    if (depth < 0 || (depth === 0 && ",;".includes(character))) return text.slice(0, i);
  }
  return text;
}
