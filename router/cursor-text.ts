// cursor-text: the text around a cursor, read near the cursor at the cost of what is read. Over the mirror of a document it
// never copies the document; over the strings of a stateless call it is those strings. What it says never changes.
import { detached, type Rope } from "../lib/structures/rope.ts";

export interface CursorText {
  /** In UTF-16 units. */
  readonly lengthBefore: number;
  readonly lengthAfter: number;
  /** As UTF-8. */
  readonly bytesBefore: number;
  /** The last units before the cursor, all of them where there are no more. */
  before(utf16: number): string;
  /** The first units after the cursor. */
  after(utf16: number): string;
  /** [from, to) of the text before the cursor, counted from its start and held to its bounds. */
  range(from: number, to: number): string;
}

/** Another document of the same session, as it is now. */
export interface OpenDocument {
  /** Key of it; unique over tenants. */
  readonly document: string;
  readonly path: string;
  readonly text: Rope;
}

/** Most readers want a few lines: they share one reading. */
const windowUtf16 = 1_024;

export class RopeText implements CursorText {
  readonly #rope: Rope;
  readonly #at: number;
  #before = "";
  #after = "";
  #bytes: number | undefined;

  constructor(rope: Rope, at: number) {
    this.#rope = rope;
    this.#at = at;
  }

  get lengthBefore(): number {
    return this.#at;
  }

  get lengthAfter(): number {
    return this.#rope.length - this.#at;
  }

  get bytesBefore(): number {
    this.#bytes ??= this.#rope.bytesBefore(this.#at);
    return this.#bytes;
  }

  before(utf16: number): string {
    const wanted = Math.max(0, Math.min(utf16, this.#at));
    if (wanted > this.#before.length)
      this.#before = this.#rope.slice(Math.max(0, this.#at - Math.max(wanted, windowUtf16)), this.#at);
    return this.#before.slice(this.#before.length - wanted);
  }

  after(utf16: number): string {
    const wanted = Math.max(0, Math.min(utf16, this.lengthAfter));
    if (wanted > this.#after.length)
      this.#after = this.#rope.slice(this.#at, Math.min(this.#rope.length, this.#at + Math.max(wanted, windowUtf16)));
    return this.#after.slice(0, wanted);
  }

  range(from: number, to: number): string {
    return this.#rope.slice(Math.max(0, from), Math.min(this.#at, to));
  }
}

/** Who keeps a few lines of a call keeps no more than those. */
function window(text: string, from: number, to: number): string {
  const part = text.slice(from, to);
  return part.length < text.length / 2 ? detached(part) : part;
}

export class PlainText implements CursorText {
  readonly #prefix: string;
  readonly #suffix: string;
  #bytes: number | undefined;

  constructor(prefix: string, suffix: string) {
    this.#prefix = prefix;
    this.#suffix = suffix;
  }

  get lengthBefore(): number {
    return this.#prefix.length;
  }

  get lengthAfter(): number {
    return this.#suffix.length;
  }

  get bytesBefore(): number {
    this.#bytes ??= Buffer.byteLength(this.#prefix);
    return this.#bytes;
  }

  before(utf16: number): string {
    return window(this.#prefix, Math.max(0, this.#prefix.length - Math.max(0, utf16)), this.#prefix.length);
  }

  after(utf16: number): string {
    return window(this.#suffix, 0, Math.min(this.#suffix.length, Math.max(0, utf16)));
  }

  range(from: number, to: number): string {
    return this.#prefix.slice(Math.max(0, from), Math.max(0, to));
  }
}

/** The text as if `added` had been typed at its cursor. */
export class AppendedText implements CursorText {
  readonly #base: CursorText;
  readonly #added: string;

  constructor(base: CursorText, added: string) {
    this.#base = base;
    this.#added = added;
  }

  get lengthBefore(): number {
    return this.#base.lengthBefore + this.#added.length;
  }

  get lengthAfter(): number {
    return this.#base.lengthAfter;
  }

  get bytesBefore(): number {
    return this.#base.bytesBefore + Buffer.byteLength(this.#added);
  }

  before(utf16: number): string {
    if (utf16 <= this.#added.length) return this.#added.slice(this.#added.length - Math.max(0, utf16));
    return this.#base.before(utf16 - this.#added.length) + this.#added;
  }

  after(utf16: number): string {
    return this.#base.after(utf16);
  }

  range(from: number, to: number): string {
    const { lengthBefore } = this.#base;
    return (
      this.#base.range(from, Math.min(to, lengthBefore)) +
      this.#added.slice(Math.max(0, from - lengthBefore), Math.max(0, to - lengthBefore))
    );
  }
}
