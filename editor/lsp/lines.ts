// lines: a text and where its lines begin; positions of the protocol (line, UTF-16 character) in, offsets out, and back. A change
// costs its own length and the lines after it.

export interface Position {
  readonly line: number;
  readonly character: number;
}
export interface Range {
  readonly start: Position;
  readonly end: Position;
}

export class Lines {
  #text: string;
  #starts: number[];

  constructor(text: string) {
    this.#text = text;
    this.#starts = [0, ...startsIn(text, 0)];
  }

  get text(): string {
    return this.#text;
  }

  get count(): number {
    return this.#starts.length;
  }

  /** Undefined: there is no such line. A character past the line's end is its end, as the protocol says. */
  offsetOf({ line, character }: Position): number | undefined {
    const start = this.#starts[line];
    if (start === undefined || !Number.isInteger(character) || character < 0) return undefined;
    const next = this.#starts[line + 1];
    let end = next ?? this.#text.length;
    if (next !== undefined) end -= this.#text.startsWith("\r\n", next - 2) && next - 2 >= start ? 2 : 1;
    return Math.min(start + character, end);
  }

  positionOf(offset: number): Position {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low, character: offset - (this.#starts[low] as number) };
  }

  /** [start, end) becomes `text`. */
  change(start: number, end: number, text: string): void {
    // A "\r" before or a "\n" after belongs to one line end together with what is put there: its line is read again whole.
    const first = this.positionOf(start === 0 ? 0 : start - 1).line;
    const from = this.#starts[first] as number;
    const shift = text.length - (end - start);
    this.#text = this.#text.slice(0, start) + text + this.#text.slice(end);
    const last = this.positionOf(Math.min(end + 1, this.#text.length - shift)).line;
    const after = this.#starts.slice(last + 1).map((each) => each + shift);
    const until = after[0] ?? this.#text.length;
    const between = startsIn(this.#text.slice(from, until), from).filter((each) => after.length === 0 || each < until);
    this.#starts = [...this.#starts.slice(0, first + 1), ...between, ...after];
  }
}

/** Where lines begin after line ends ("\n", "\r\n", "\r"). */
function startsIn(text: string, base: number): number[] {
  const starts: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== 10 && code !== 13) continue;
    if (code === 13 && text.charCodeAt(at + 1) === 10) at += 1;
    starts.push(base + at + 1);
  }
  return starts;
}
