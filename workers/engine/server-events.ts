// server-events: the bytes of a text/event-stream in, its data out, event by event. An event may come in any cuts, several may
// come at once; one longer than `bytesMax` is refused. Keeps at most one event that is not whole.

const newline = 0x0a;
const prefix = "data:";

export class ServerEvents {
  readonly #bytesMax: number;
  readonly #data: (data: string) => void;
  #rest: Buffer | undefined;

  constructor(options: { bytesMax: number }, deps: { data: (data: string) => void }) {
    this.#bytesMax = options.bytesMax;
    this.#data = deps.data;
  }

  /** Throws a RangeError for a line that is too long. */
  push(chunk: Buffer): void {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    let start = 0;
    // Engines write an event's data as one line of JSON: each line that begins with "data:" is one.
    for (let end = bytes.indexOf(newline, start); end >= 0; end = bytes.indexOf(newline, start)) {
      if (end > start) this.#line(bytes.toString("utf8", start, end));
      start = end + 1;
    }
    if (bytes.length - start > this.#bytesMax) throw new RangeError(`an event has more than ${this.#bytesMax} bytes`);
    this.#rest = start === bytes.length ? undefined : bytes.subarray(start);
  }

  #line(line: string): void {
    if (line.startsWith(prefix)) this.#data(line.slice(prefix.length).trim());
  }
}
