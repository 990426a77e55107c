// cut: where a completion ends. Text goes in as it comes, whole lines come out as soon as they are sure; `done` says that the
// rest is not wanted. Pure state over text: no clock, no model.
import type { Shape } from "../completion.ts";

export interface Place {
  readonly shape: Shape;
  /** Text of the cursor's line before it, and after it. */
  readonly lineBefore: string;
  readonly lineAfter: string;
  /** The next line with anything on it, trimmed. */
  readonly nextLine: string;
  readonly linesMax: number;
}

/** Ends a line that opens a block: what follows belongs to it. */
const opener = /(?:[{([:]|=>|\bthen|\bdo)\s*$/;
const closer = /^\s*(?:[}\])]|end\b|fi\b|done\b|esac\b)/;
const firstToken = /^\s*(?:[\p{L}\p{N}_$]+|[^\s\p{L}\p{N}_$]+)/u;
const minDuplicate = 3;

export class Cutter {
  readonly #place: Place;
  readonly #baseIndent: number;
  /** "line" when there is text right of the cursor: it must fit before it. */
  readonly #shape: Shape;
  /** The line under way, not yet sure. */
  #line = "";
  #lines = 0;
  #opened = false;
  #blank = 0;
  #done = false;

  constructor(place: Place) {
    this.#place = place;
    this.#baseIndent = indentOf(place.lineBefore);
    this.#shape = place.shape === "auto" && place.lineAfter.trim() !== "" ? "line" : place.shape;
  }

  get done(): boolean {
    return this.#done;
  }

  /** Text that is sure now: whole lines, each with the newline before it. */
  feed(text: string): string {
    let sure = "";
    this.#line += text;
    if (this.#shape === "token") return this.#token();
    for (let end = this.#line.indexOf("\n"); end >= 0 && !this.#done; end = this.#line.indexOf("\n")) {
      const line = this.#line.slice(0, end);
      this.#line = this.#line.slice(end + 1);
      sure += this.#complete(line);
    }
    return sure;
  }

  /** The model ended: what is left. A line cut off by the token limit is dropped where whole lines came before it. */
  finish(whole: boolean): string {
    if (this.#done) return "";
    this.#done = true;
    if (!whole && this.#lines > 0) return "";
    if (this.#lines > 0 && (this.#endsBefore(this.#line) || this.#duplicates(this.#line))) return "";
    const last = trimOverlap(this.#line, this.#place.lineAfter);
    return this.#lines > 0 && last.trim() === "" ? "" : this.#join(last);
  }

  #complete(line: string): string {
    if (this.#lines > 0 && this.#endsBefore(line)) return this.#cut();
    if (this.#duplicates(line)) return this.#cut();
    if (this.#shape === "line") {
      const out = trimOverlap(line, this.#place.lineAfter);
      return this.#cut(this.#join(out));
    }
    const out = this.#join(line);
    if (this.#lines === 0) {
      this.#opened = opener.test(this.#place.lineBefore + line);
      // A statement that opens nothing ends with its line.
      if (!this.#opened && this.#shape === "auto" && (this.#place.lineBefore + line).trim() !== "") return this.#cut(out);
    } else if (this.#opened && indentOf(line) <= this.#baseIndent && closer.test(line)) return this.#cut(out);
    this.#lines += 1;
    this.#blank = line.trim() === "" ? this.#blank + 1 : 0;
    if (this.#lines >= this.#place.linesMax || this.#blank > 1) return this.#cut(out);
    return out;
  }

  /** A line that belongs to what comes after the block. */
  #endsBefore(line: string): boolean {
    if (line.trim() === "") return false;
    const indent = indentOf(line);
    if (indent < this.#baseIndent) return true;
    return indent === this.#baseIndent && !(this.#opened && closer.test(line)) && this.#lines > 0 && this.#shape !== "block";
  }

  /** The model wrote what already follows the cursor. */
  #duplicates(line: string): boolean {
    const text = line.trim();
    return this.#lines > 0 && text.length >= minDuplicate && text === this.#place.nextLine;
  }

  #token(): string {
    const found = firstToken.exec(this.#line)?.[0];
    // A token is sure when something else follows it.
    if (found === undefined || found.length === this.#line.length) return "";
    return this.#cut(found);
  }

  #cut(last = ""): string {
    this.#done = true;
    return last;
  }

  #join(line: string): string {
    return this.#lines > 0 ? `\n${line}` : line;
  }
}

function indentOf(line: string): number {
  let width = 0;
  for (const character of line) {
    if (character === " ") width += 1;
    else if (character === "\t") width += 4;
    else break;
  }
  return width;
}

/** Drops from the end of `line` what already stands right of the cursor: `foo(a)` before `)` becomes `foo(a`. */
function trimOverlap(line: string, lineAfter: string): string {
  const after = lineAfter.trimEnd();
  for (let length = Math.min(after.length, line.length); length > 0; length--)
    if (line.endsWith(after.slice(0, length))) return line.slice(0, line.length - length);
  return line;
}
