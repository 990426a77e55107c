// cut: where a completion ends. Text goes in as it comes, whole lines come out as soon as they are sure; `done` says that the
// rest is not wanted. Pure state over text: no clock, no model. The first line with anything on it is the head: a statement
// that opens nothing ends with its line, one that opens a block ends with the block.
import type { Shape } from "../completion.ts";
import { brackets, trimOverlap } from "./overlap.ts";

export interface Place {
  readonly shape: Shape;
  /** Text of the cursor's line before it, and after it. */
  readonly lineBefore: string;
  readonly lineAfter: string;
  /** The next line with anything on it. */
  readonly nextLine: string;
  /** How the document ends its lines. */
  readonly newline: "\n" | "\r\n";
  readonly linesMax: number;
}

/** Ends a line that does not end its statement. */
const opener = /(?:[{([:\\]|=>|[^=!<>]=|&&|\|\||\bthen|\bdo(?:\s*\|[^|]*\|)?)\s*$/;
/** Begins a block whose line ends as any other does. */
const keyword = /^\s*(?:(?:def|class|module|unless|until|case)\s+\S|begin\s*$)/;
const closer = /^\s*(?:[}\])]|end\b|fi\b|done\b|esac\b)/;
/** Goes on with the block above it at the level of its head. */
const continues = /^\s*(?:else|elif|elsif|except|finally|catch|rescue|ensure|when)\b/;
const onlyClosers = /^[\s)\]};,"'`]*$/;
const firstToken = /^\s*(?:[\p{L}\p{N}_$]+|[^\s\p{L}\p{N}_$]+)/u;
/** Blank lines in a row that still belong to one block. */
const blanksMax = 1;

export class Cutter {
  readonly #place: Place;
  readonly #shape: Shape;
  #head: { readonly indent: number; readonly opened: boolean } | undefined;
  /** The line under way, not yet sure. */
  #line = "";
  /** Blank lines; they come out with what follows them, if anything does. */
  #held = "";
  #blanks = 0;
  #lines = 0;
  #written = false;
  #done = false;

  constructor(place: Place) {
    this.#place = place;
    const alone = place.lineAfter.trim() === "" || (place.shape === "block" && onlyClosers.test(place.lineAfter));
    // With text right of the cursor what comes must fit before it, in its line.
    this.#shape = alone || place.shape === "token" ? place.shape : "line";
  }

  get done(): boolean {
    return this.#done;
  }

  /** Text that is sure now: whole lines, each with the line end before it. */
  feed(text: string): string {
    let sure = "";
    if (this.#done) return sure;
    this.#line += text;
    if (this.#shape === "token") return this.#token(false);
    for (let end = this.#line.indexOf("\n"); end >= 0 && !this.#done; end = this.#line.indexOf("\n")) {
      const line = this.#line.slice(0, end);
      this.#line = this.#line.slice(end + 1);
      sure += this.#take(line);
    }
    return sure;
  }

  /** The model ended: what is left. A line that is not whole is dropped where others came before it. */
  finish(whole: boolean): string {
    if (this.#done) return "";
    const last = this.#shape === "token" ? this.#token(true) : whole || !this.#written ? this.#take(this.#line) : "";
    this.#done = true;
    return last;
  }

  #take(given: string): string {
    const line = given.endsWith("\r") ? given.slice(0, -1) : given;
    const { lineBefore, linesMax } = this.#place;
    const first = this.#lines === 0;
    this.#lines += 1;
    if (line.trim() === "") return this.#blank(line, first);
    this.#blanks = 0;
    const full = first ? lineBefore + line : line;
    if (!first && this.#endsBefore(line)) return this.#cut();
    if (this.#duplicates(full, first)) return this.#cut();
    if (this.#endsWith(line, full)) return this.#cut(this.#join(trimOverlap(line, this.#place.lineAfter), first));
    const out = this.#join(line, first);
    return this.#lines >= linesMax ? this.#cut(out) : out;
  }

  #blank(line: string, first: boolean): string {
    const { lineBefore, linesMax } = this.#place;
    // The rest of a line that has text is no blank line.
    const rest = first && lineBefore.trim() !== "";
    if (!rest) this.#blanks += 1;
    if (first && opens(lineBefore)) this.#head = { indent: indentOf(lineBefore), opened: true };
    if (this.#shape === "line" || this.#blanks > blanksMax || this.#lines >= linesMax) return this.#cut();
    this.#held += first ? line : this.#place.newline + line;
    return "";
  }

  /** A line that belongs to what comes after the block. */
  #endsBefore(line: string): boolean {
    const indent = indentOf(line);
    if (indent < (this.#head?.indent ?? indentOf(this.#place.lineBefore))) return true;
    return this.#head?.opened === true && indent === this.#head.indent && !closer.test(line) && !continues.test(line);
  }

  /** The last line that is wanted? The head is found here. */
  #endsWith(line: string, full: string): boolean {
    const head = this.#head;
    if (head) return head.opened && indentOf(full) === head.indent && !continues.test(line) && !opens(line);
    const opened = opens(full);
    this.#head = { indent: indentOf(full), opened };
    if (this.#shape === "line") return true;
    return !opened && (this.#shape === "auto" || this.#place.lineAfter.trim() !== "");
  }

  /** The model wrote what already follows the cursor. */
  #duplicates(full: string, first: boolean): boolean {
    const { nextLine, lineAfter } = this.#place;
    if (nextLine === "" || (first && lineAfter.trim() !== "")) return false;
    return full.trim() === nextLine.trim() && indentOf(full) === indentOf(nextLine);
  }

  #token(last: boolean): string {
    const found = firstToken.exec(this.#line)?.[0];
    // A token is sure when something else follows it.
    if (found === undefined || (!last && found.length === this.#line.length)) return "";
    const token = trimOverlap(found.replace(/\r?\n/g, this.#place.newline), this.#place.lineAfter);
    return this.#cut(token.trim() === "" ? "" : token);
  }

  #cut(last = ""): string {
    this.#done = true;
    return last;
  }

  #join(line: string, first: boolean): string {
    const text = this.#held + (first ? line : this.#place.newline + line);
    // White space alone shows nothing.
    if (!this.#written && text.trim() === "") return "";
    this.#held = "";
    this.#written = true;
    return text;
  }
}

function opens(line: string): boolean {
  return opener.test(line) || (keyword.test(line) && !/\bend\b/.test(line)) || brackets(line).opened > 0;
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
