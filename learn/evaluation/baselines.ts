// baselines: what costs nothing: no text at all, and a line that already stands in the document. A model that is not better
// than these is not worth its milliseconds. Pure.
import type { Hole } from "./span.ts";

export const baselineNames = ["empty", "repeat"] as const;
export type BaselineName = (typeof baselineNames)[number];

export const baselines: Readonly<Record<BaselineName, (hole: Pick<Hole, "prefix" | "suffix">) => string>> = {
  empty: () => "",
  repeat: ({ prefix, suffix }) => repeated(prefix, suffix),
};

/** Units of the line before the cursor that must agree for a line to be taken for the same. */
const agreementMin = 2;

/**
 * At the beginning of a line: the line above once more. Within a line: the rest of the line that agrees longest with what
 * stands before the cursor, the nearest above winning; nothing agrees: nothing. Both end where a bracket would close that
 * the text did not open.
 */
function repeated(prefix: string, suffix: string): string {
  const above = prefix.split("\n");
  const here = (above.pop() ?? "").trimStart();
  const lines = [...suffix.split("\n").slice(1).reverse(), ...above].map((line) => line.trim()).filter((line) => line !== "");
  if (here === "") return above.findLast((line) => line.trim() !== "")?.trim() ?? "";
  let best = { length: agreementMin - 1, rest: "" };
  for (const line of lines) {
    for (let length = Math.min(here.length, line.length); length >= best.length && length >= agreementMin; length--) {
      const at = line.lastIndexOf(here.slice(here.length - length));
      const rest = at < 0 ? "" : line.slice(at + length);
      if (at < 0 || rest === "") continue;
      best = { length, rest };
      break;
    }
  }
  const alone = (suffix.split("\n")[0] ?? "").trim() === "";
  return alone ? best.rest : balanced(best.rest);
}

/** Up to the first bracket that closes what the text did not open, or the end of an argument or statement. */
function balanced(text: string): string {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string;
    if ("([{".includes(character)) depth += 1;
    else if (")]}".includes(character)) depth -= 1;
    if (depth < 0 || (depth === 0 && ",;".includes(character))) return text.slice(0, i);
  }
  return text;
}
