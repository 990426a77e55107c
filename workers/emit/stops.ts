// stops: text in as it comes, text that may be sent out, and whether it has ended at a stop string or newline, which is
// not part of it. Holds back what may yet become a stop string, and half of a character; never more than the longest stop.
import type { Finish } from "../generation.ts";

export interface StopOptions {
  readonly stops: readonly string[];
  readonly stopAtNewline: boolean;
}

export interface Scanned {
  readonly text: string;
  /** "stop" at a stop string, "cut" at the newline. */
  readonly end: Finish | undefined;
}

export class StopScanner {
  readonly #stops: readonly string[];
  readonly #newline: boolean;
  #held = "";

  constructor(options: StopOptions) {
    this.#stops = options.stops;
    this.#newline = options.stopAtNewline;
  }

  take(piece: string): Scanned {
    const text = this.#held + piece;
    const found = this.#first(text);
    if (found) {
      this.#held = "";
      return { text: wellFormed(text.slice(0, found.at)), end: found.end };
    }
    const keep = this.#keep(text);
    this.#held = text.slice(text.length - keep);
    return { text: wellFormed(text.slice(0, text.length - keep)), end: undefined };
  }

  /** What was held back, when nothing follows. */
  rest(): string {
    const text = wellFormed(this.#held);
    this.#held = "";
    return text;
  }

  /** The stop that begins first. */
  #first(text: string): { at: number; end: Finish } | undefined {
    let found: { at: number; end: Finish } | undefined;
    const consider = (at: number, end: Finish) => {
      if (at >= 0 && (!found || at < found.at)) found = { at, end };
    };
    if (this.#newline) consider(lineEnd(text), "cut");
    for (const stop of this.#stops) consider(text.indexOf(stop), "stop");
    return found;
  }

  /** Characters at the end that may be the beginning of a stop. */
  #keep(text: string): number {
    // A carriage return belongs to the newline that may follow.
    let keep = this.#newline && text.endsWith("\r") ? 1 : 0;
    if (isHighSurrogate(text.charCodeAt(text.length - 1))) keep = 1;
    for (const stop of this.#stops)
      for (let length = Math.min(stop.length - 1, text.length); length > keep; length--)
        if (stop.startsWith(text.slice(text.length - length))) keep = length;
    return keep;
  }
}

function lineEnd(text: string): number {
  const at = text.indexOf("\n");
  return at > 0 && text[at - 1] === "\r" ? at - 1 : at;
}

const isHighSurrogate = (unit: number) => unit >= 0xd800 && unit < 0xdc00;

/** Half characters that no engine should send become U+FFFD rather than break the frame. */
function wellFormed(text: string): string {
  return /[\ud800-\udfff]/.test(text) ? Buffer.from(text, "utf8").toString("utf8") : text;
}
