// framing: bytes of a pipe in, the texts of messages out, as the Language Server Protocol frames them (Content-Length, empty line,
// body). What is malformed is told in a sentence and skipped to the next header; header and body are bounded.

const headerBytesMax = 4_096;
const bodyBytesMax = 64 << 20;
const endOfHeader = Buffer.from("\r\n\r\n");
const name = Buffer.from("Content-Length:");

export class FrameReader {
  readonly #text: (text: string) => void;
  readonly #bad: (sentence: string) => void;
  #bytes: Buffer = Buffer.alloc(0);
  /** Chunks of a body that is not whole yet: joined once. */
  #parts: Buffer[] = [];
  #wanted = 0;
  #skipping = false;

  constructor(text: (text: string) => void, bad: (sentence: string) => void) {
    this.#text = text;
    this.#bad = bad;
  }

  push(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#wanted -= chunk.length;
    if (this.#wanted > 0) return;
    this.#bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts);
    while (this.#next());
    this.#parts = this.#bytes.length > 0 ? [this.#bytes] : [];
    this.#bytes = Buffer.alloc(0);
  }

  /** False: more bytes are needed. */
  #next(): boolean {
    this.#wanted = 0;
    if (this.#skipping && !this.#skip()) return false;
    const end = this.#bytes.indexOf(endOfHeader);
    if (end < 0 || end > headerBytesMax) {
      if (end < 0 && this.#bytes.length <= headerBytesMax) return false;
      return this.#refuse("a header longer than 4 KiB", 1);
    }
    const header = this.#bytes.toString("latin1", 0, end);
    const length = Number(/^content-length: *(\d{1,12}) *$/im.exec(header)?.[1] ?? Number.NaN);
    if (!(length <= bodyBytesMax))
      return this.#refuse(
        Number.isNaN(length) ? "a header without Content-Length" : `Content-Length ${length} is over 64 MiB`,
        end + 4,
      );
    const from = end + endOfHeader.length;
    if (this.#bytes.length < from + length) {
      this.#wanted = from + length - this.#bytes.length;
      return false;
    }
    const body = this.#bytes.toString("utf8", from, from + length);
    this.#bytes = this.#bytes.subarray(from + length);
    this.#text(body);
    return true;
  }

  #refuse(sentence: string, drop: number): boolean {
    this.#bytes = this.#bytes.subarray(drop);
    this.#skipping = true;
    this.#bad(sentence);
    return true;
  }

  /** To where a header may begin. */
  #skip(): boolean {
    const at = this.#bytes.indexOf(name);
    this.#skipping = at < 0;
    this.#bytes = this.#bytes.subarray(at < 0 ? Math.max(0, this.#bytes.length - name.length) : at);
    return at >= 0;
  }
}

export function framed(message: object): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]);
}
