// place: a Trigger in, what shaping must know of its place in the document out. Reads a few kilobytes around the cursor.
import type { Indent, Shape, Trigger } from "../completion.ts";
import { indentOfDocument } from "./indentation.ts";

export interface Place {
  readonly shape: Shape;
  readonly language: string;
  /** Text of the cursor's line before it, and after it. */
  readonly lineBefore: string;
  readonly lineAfter: string;
  /** The last line with anything on it up to the cursor, and the next one below. */
  readonly lastLine: string;
  readonly nextLine: string;
  /** How the document ends its lines. */
  readonly newline: "\n" | "\r\n";
  /** How it indents them, if it does. */
  readonly indent: () => Indent | undefined;
  readonly linesMax: number;
}

/** Where the last and the next line are looked for. */
const aroundUtf16 = 2_000;

export function placeOf({ text, shape, language, indent }: Trigger, linesMax: number): Place {
  const above = text.before(aroundUtf16).split("\n");
  const [lineAfter = "", ...below] = text.after(aroundUtf16).split("\n");
  return {
    shape,
    language,
    lineBefore: above.at(-1) ?? "",
    lineAfter: withoutReturn(lineAfter),
    lastLine: withoutReturn(above.findLast((line) => line.trim() !== "") ?? ""),
    nextLine: withoutReturn(below.find((line) => line.trim() !== "") ?? ""),
    newline: newlineOf(above, lineAfter, below.length > 0),
    indent: () => indentOfDocument(text, indent),
    linesMax,
  };
}

const withoutReturn = (line: string) => (line.endsWith("\r") ? line.slice(0, -1) : line);

/** As the line before the cursor's ends, or the cursor's own. */
function newlineOf(above: readonly string[], lineAfter: string, more: boolean): Place["newline"] {
  const line = above.length > 1 ? above.at(-2) : more ? lineAfter : "";
  return line?.endsWith("\r") ? "\r\n" : "\n";
}
