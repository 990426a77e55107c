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
  const above = text.before(aroundUtf16);
  const below = text.after(aroundUtf16);
  const [begins, ends] = [above.lastIndexOf("\n"), below.indexOf("\n")];
  const lineBefore = above.slice(begins + 1);
  const lineAfter = ends < 0 ? below : below.slice(0, ends);
  return {
    shape,
    language,
    lineBefore,
    lineAfter: withoutReturn(lineAfter),
    lastLine: withoutReturn(lineBefore.trim() === "" ? lastAbove(above, begins) : lineBefore),
    nextLine: withoutReturn(firstBelow(below, ends)),
    newline: newlineOf(begins < 0 ? undefined : above.slice(above.lastIndexOf("\n", begins - 1) + 1, begins), lineAfter, ends >= 0),
    indent: () => indentOfDocument(text, indent),
    linesMax,
  };
}

const withoutReturn = (line: string) => (line.endsWith("\r") ? line.slice(0, -1) : line);

/** The last line with anything on it that ends at `end` or before; only as many lines are looked at as it takes. */
function lastAbove(text: string, end: number): string {
  for (let to = end; to >= 0; ) {
    const from = to === 0 ? -1 : text.lastIndexOf("\n", to - 1);
    const line = text.slice(from + 1, to);
    if (line.trim() !== "") return line;
    to = from;
  }
  return "";
}

/** The first line with anything on it that begins after the line feed at `end`. */
function firstBelow(text: string, end: number): string {
  for (let from = end; from >= 0; ) {
    const to = text.indexOf("\n", from + 1);
    const line = text.slice(from + 1, to < 0 ? text.length : to);
    if (line.trim() !== "") return line;
    from = to;
  }
  return "";
}

/** As the line before the cursor's ends, or the cursor's own. */
function newlineOf(above: string | undefined, lineAfter: string, more: boolean): Place["newline"] {
  const line = above ?? (more ? lineAfter : "");
  return line?.endsWith("\r") ? "\r\n" : "\n";
}
