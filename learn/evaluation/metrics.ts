// metrics: a hole and a text in, its score out, but for parsing. Pure; the meaning of each figure stands in
// docs/operations/evaluation.md.
import type { Hole, Score } from "./span.ts";

/** Longer texts are compared by their beginning: the distance costs the product of the lengths. */
const comparedMax = 2_000;

export function scored(hole: Pick<Hole, "prefix" | "suffix" | "gold">, given: string): Omit<Score, "parses"> {
  const text = given.trimEnd();
  const gold = hole.gold.trimEnd();
  return {
    exact: text !== "" && firstLine(text) === firstLine(gold),
    similarity: similarity(text, gold),
    duplicate: duplicates(text, gold, hole.suffix),
    over: overruns(text, gold),
    stops: text !== "" && shape(text) === shape(gold),
    empty: text.trim() === "",
  };
}

const written = (text: string) => text.split("\n").filter((line) => line.trim() !== "");

/** The first line with anything on it, without the white space around it. */
function firstLine(text: string): string {
  return written(text)[0]?.trim() ?? "";
}

export function similarity(a: string, b: string): number {
  const [x, y] = [a.slice(0, comparedMax), b.slice(0, comparedMax)];
  const longer = Math.max(x.length, y.length);
  return longer === 0 ? 1 : 1 - distance(x, y) / longer;
}

/** Levenshtein over UTF-16 units, one row at a time. */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + (a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Letters or digits that make a repetition one: brackets alone stand everywhere. */
const meaningful = /[\p{L}\p{N}_$]{2}/u;

/** Does the text end with what follows the hole in its line, or hold the next line, where the true text does not? */
function duplicates(text: string, gold: string, suffix: string): boolean {
  const lines = suffix.split("\n");
  const sameLine = (lines[0] ?? "").trim();
  if (sameLine !== "") return text.trimEnd().endsWith(sameLine) && !gold.trimEnd().endsWith(sameLine);
  const next = lines.find((line) => line.trim() !== "")?.trim() ?? "";
  if (!meaningful.test(next)) return false;
  const holds = (of: string) => written(of).some((line) => line.trim() === next);
  return holds(text) && !holds(gold);
}

/** More lines than stood there, or its last line and then more. */
function overruns(text: string, gold: string): boolean {
  const [mine, theirs] = [written(text), written(gold)];
  if (mine.length > theirs.length) return true;
  const [last, goldLast] = [mine.at(-1)?.trim() ?? "", theirs.at(-1)?.trim() ?? ""];
  return mine.length === theirs.length && last.length > goldLast.length && last.startsWith(goldLast);
}

/** Lines, and brackets that are opened or closed and not paired: two texts of one shape end alike. */
function shape(text: string): string {
  const open: string[] = [];
  let closed = "";
  for (const character of withoutStrings(text)) {
    if ("([{".includes(character)) open.push(character);
    else if (")]}".includes(character)) {
      if (open.at(-1) === "([{"[")]}".indexOf(character)]) open.pop();
      else closed += character;
    }
  }
  return `${written(text).length} ${closed} ${open.join("")}`;
}

function withoutStrings(text: string): string {
  return text.replace(/(["'`])(?:\\.|(?!\1)[^\\\n])*\1/g, "");
}
