// cut: where a completion ends. Text goes in as it comes, whole lines come out as soon as they are sure; `done` says that the
// rest is not wanted. Pure state over text: no clock, no model. The first line with anything on it is the head: a statement
// that opens nothing ends with its line, one that opens a block ends with the block.
import type { Shape } from "../completion.ts";
import { isBoundary, wholeCharacters } from "./graphemes.ts";
import { columnsOf, Indentation } from "./indentation.ts";
import { type Blocks, blocksOf } from "./languages.ts";
import { brackets, trimOverlap } from "./overlap.ts";
import type { Place } from "./place.ts";
import { CycleRepeats, LineRepeats } from "./repetition.ts";

const onlyClosers = /^[\s)\]};,"'`]*$/;
/** A word with its accents, or a run of signs. */
const firstToken = /^\s*(?:[\p{L}\p{N}\p{M}_$]+|[^\s\p{L}\p{N}_$]+)/u;
/** Nothing that follows in the line would make another statement of it, nearly always. */
const endsStatement = /[;})\]]\s*$/;
/** Blank lines in a row that still belong to one block. */
const blanksMax = 1;
/** Columns of one level more, for a line of which nothing but its head is known. */
const level = 4;

export class Cutter {
  readonly #place: Place;
  readonly #shape: Shape;
  readonly #blocks: Blocks;
  readonly #indentation: Indentation;
  readonly #repeats = new LineRepeats();
  readonly #cycles = new CycleRepeats();
  #head: { readonly indent: number; readonly opened: boolean } | undefined;
  /** The line under way, not yet sure. */
  #line = "";
  /** Blank lines; they come out with what follows them, if anything does. */
  #held = "";
  #blanks = 0;
  #lines = 0;
  #written = false;
  #done = false;
  #duplicate = false;

  constructor(place: Place) {
    this.#place = place;
    this.#blocks = blocksOf(place.language);
    this.#indentation = new Indentation(place.indent);
    const alone = place.lineAfter.trim() === "" || (place.shape === "block" && onlyClosers.test(place.lineAfter));
    // With text right of the cursor what comes must fit before it, in its line.
    this.#shape = alone || place.shape === "token" ? place.shape : "line";
  }

  get done(): boolean {
    return this.#done;
  }

  /** Was something left out because it stands in the document already? */
  get duplicate(): boolean {
    return this.#duplicate;
  }

  /** Text that is sure now: whole lines, each with the line end before it. */
  feed(text: string): string {
    let sure = "";
    if (this.#done) return sure;
    if (this.#shape === "token") {
      this.#line += text;
      return this.#token(false);
    }
    for (let from = 0; from < text.length && !this.#done; ) {
      const end = text.indexOf("\n", from);
      const piece = text.slice(from, end < 0 ? text.length : end);
      // A line that goes round in circles is not whole, and never will be.
      if (this.#repeats.feed(piece)) this.#cut();
      this.#line += piece;
      if (end < 0 || this.#done) break;
      const line = this.#line;
      this.#line = "";
      this.#repeats.reset();
      from = end + 1;
      sure += this.#take(line);
    }
    return sure;
  }

  /** The model ended: what is left. A line that is not whole is dropped where others came before it. */
  finish(whole: boolean): string {
    if (this.#done) return "";
    const last =
      this.#shape === "token"
        ? this.#token(true)
        : whole || !this.#written
          ? this.#take(whole ? this.#line : wholeCharacters(this.#line))
          : "";
    this.#done = true;
    return last;
  }

  /** Time is up: the line under way counts if it is a statement as it stands. */
  late(): string {
    const { lineBefore } = this.#place;
    const full = (this.#lines === 0 ? lineBefore : "") + this.#line;
    const statement = this.#shape !== "token" && endsStatement.test(full) && brackets(full).opened <= 0;
    return statement && !this.#done ? this.finish(true) : "";
  }

  #take(given: string): string {
    const { lineBefore, linesMax } = this.#place;
    const first = this.#lines === 0;
    this.#lines += 1;
    const line = this.#fitted(given.endsWith("\r") ? given.slice(0, -1) : given, first);
    if (line.trim() === "") return this.#blank(line, first);
    this.#blanks = 0;
    const full = first ? lineBefore + line : line;
    if (!first && this.#endsBefore(line)) return this.#cut();
    if (this.#duplicates(full, first)) return this.#already();
    if (this.#cycles.begins(full)) return this.#cut();
    if (this.#endsWith(line, full)) {
      const kept = trimOverlap(line, this.#place.lineAfter);
      this.#duplicate = kept.trim() === "";
      return this.#cut(this.#join(kept, first));
    }
    const out = this.#join(line, first);
    return this.#lines >= linesMax ? this.#cut(out) : out;
  }

  #blank(line: string, first: boolean): string {
    const { lineBefore, linesMax } = this.#place;
    // The rest of a line that has text is no blank line.
    const rest = first && lineBefore.trim() !== "";
    if (!rest) this.#blanks += 1;
    if (first && this.#blocks.opens(lineBefore)) this.#head = { indent: columnsOf(lineBefore), opened: true };
    if (this.#shape === "line" || this.#blanks > blanksMax || this.#lines >= linesMax) return this.#cut();
    this.#held += first ? line : this.#place.newline + line;
    return "";
  }

  /** A line that belongs to what comes after the block. */
  #endsBefore(line: string): boolean {
    const indent = columnsOf(line);
    if (indent < (this.#head?.indent ?? columnsOf(this.#place.lineBefore))) return true;
    if (this.#head?.opened !== true || indent !== this.#head.indent) return false;
    return !this.#blocks.closes(line) && !this.#blocks.continues(line);
  }

  /** The last line that is wanted? The head is found here. */
  #endsWith(line: string, full: string): boolean {
    const head = this.#head;
    const blocks = this.#blocks;
    if (head) return head.opened && columnsOf(full) === head.indent && !blocks.continues(line) && !blocks.opens(line);
    if (this.#shape === "line") return true;
    if (this.#shape === "auto" && this.#place.lineAfter.trim() === "" && blocks.announces(full)) return false;
    const opened = blocks.opens(full);
    this.#head = { indent: columnsOf(full), opened };
    return !opened && (this.#shape === "auto" || this.#place.lineAfter.trim() !== "");
  }

  /** The model wrote what already follows the cursor. */
  #duplicates(full: string, first: boolean): boolean {
    const { nextLine, lineAfter } = this.#place;
    if (nextLine === "" || (first && lineAfter.trim() !== "")) return false;
    return full.trim() === nextLine.trim() && columnsOf(full) === columnsOf(nextLine);
  }

  /** The line as the document would have it, where its beginning is the model's. */
  #fitted(line: string, first: boolean): string {
    const { lineBefore, lastLine } = this.#place;
    if (!/^[ \t]/.test(line) || (first && lineBefore.trim() !== "")) return line;
    const [indent, opened] = this.#head
      ? [this.#head.indent, this.#head.opened]
      : [columnsOf(lastLine), this.#blocks.opens(lastLine)];
    return this.#indentation.inStyle(line, indent + (opened ? level : 0));
  }

  #token(last: boolean): string {
    const found = firstToken.exec(this.#line)?.[0];
    // A token is sure when something else follows it.
    if (found === undefined || (!last && (found.length === this.#line.length || !isBoundary(this.#line, found.length)))) return "";
    const token = trimOverlap(found.replace(/\r?\n/g, this.#place.newline), this.#place.lineAfter);
    return this.#cut(token.trim() === "" ? "" : token);
  }

  #already(): string {
    this.#duplicate = true;
    return this.#cut();
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
