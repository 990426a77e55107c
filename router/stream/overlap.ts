// overlap: what of a generated line fits before the text right of the cursor. Editors close brackets and quotes as they are
// typed, and models write them once more: `foo(a);` before `);` becomes `foo(a`. Pure.

import { isBoundary } from "./graphemes.ts";

const closers = ")]}";
const openers = "([{";
const quotes = "\"'`";
const word = /[\p{L}\p{N}_$]/u;

/** Brackets of a line that have no partner in it. A quoted bracket is text, if its quote ends in the line. */
export function brackets(line: string): { readonly opened: number; readonly firstClosed: number } {
  const open: string[] = [];
  let firstClosed = -1;
  for (let i = 0; i < line.length; i++) {
    const character = line[i] as string;
    if (quotes.includes(character)) i = endOfQuote(line, i);
    else if (openers.includes(character)) open.push(character);
    else if (closers.includes(character)) {
      if (open.at(-1) === openers[closers.indexOf(character)]) open.pop();
      else if (firstClosed < 0) firstClosed = i;
    }
  }
  return { opened: open.length, firstClosed };
}

/** Where the quote at `from` ends; `from` itself when it does not: an apostrophe, or a string over several lines. */
function endOfQuote(line: string, from: number): number {
  for (let i = from + 1; i < line.length; i++) {
    if (line[i] === "\\") i += 1;
    else if (line[i] === line[from]) return i;
  }
  return from;
}

/** `line` without what already stands in `lineAfter`. */
export function trimOverlap(line: string, lineAfter: string): string {
  const after = lineAfter.trimEnd();
  const first = after.trimStart()[0];
  if (first === undefined) return line;
  if (closers.includes(first)) {
    // A bracket that the line did not open is the one that is already there; what follows it does not fit before it.
    const { firstClosed } = brackets(line);
    return endOverlap(firstClosed >= 0 && line[firstClosed] === first ? line.slice(0, firstClosed) : line, after, leading(after));
  }
  if (quotes.includes(first)) {
    const marks = unescaped(line, first);
    return endOverlap(marks.length % 2 === 1 ? line.slice(0, marks.at(-1)) : line, after, leading(after));
  }
  return endOverlap(line, after, after.length);
}

const leading = (text: string) => text.length - text.trimStart().length;

/** Drops the longest end of `line` that begins `after`, up to `lengthMax`, where no word is torn. */
function endOverlap(line: string, after: string, lengthMax: number): string {
  const torn = (text: string, at: number) => word.test(text[at - 1] ?? " ") && word.test(text[at] ?? " ");
  for (let length = Math.min(lengthMax, line.length); length > 0; length--) {
    const kept = line.length - length;
    if (!line.endsWith(after.slice(0, length)) || torn(line, kept) || torn(after, length)) continue;
    if (isBoundary(line, kept) && isBoundary(after, length)) return line.slice(0, kept);
  }
  return line;
}

function unescaped(line: string, quote: string): readonly number[] {
  const found: number[] = [];
  for (let i = 0; i < line.length; i++) {
    if (line[i] === "\\") i += 1;
    else if (line[i] === quote) found.push(i);
  }
  return found;
}
