// records: what became of each trigger of a bench in; out a line of JSON each, in a file that the person named, and beside it a
// histogram of each time in each run, as the tables that HdrHistogram's tools read (FILE.RUN.TIME.hgrm). Without a file it does
// nothing. Holds one buffer and the histograms: at most `histogramsMax`.
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { SlipstreamError } from "../../lib/errors.ts";
import { Histogram } from "../../lib/structures/histogram.ts";

export interface TriggerRecord {
  /** From the begin of its run. */
  readonly t_ms: number;
  readonly outcome: string;
  readonly kind?: string;
  readonly id?: string;
  /** To the first text that could be shown; absent: there was none. */
  readonly first_text_ms?: number | undefined;
  readonly total_ms?: number | undefined;
  /** What else a bench knows of it: no text of anybody's. */
  readonly [more: string]: string | number | boolean | undefined;
}

const bufferUtf16 = 64 << 10;
const histogramsMax = 500;
const timed = ["first_text_ms", "total_ms"] as const;

export class Records {
  readonly #path: string | undefined;
  readonly #file: number | undefined;
  readonly #histograms = new Map<string, Histogram>();
  #buffer = "";

  constructor(path: string | undefined) {
    this.#path = path;
    if (path === undefined) return;
    try {
      mkdirSync(dirname(path), { recursive: true });
      this.#file = openSync(path, "w");
    } catch (thrown) {
      throw new SlipstreamError("invalid_request", `--records: ${path} cannot be written`, { field: "records", cause: thrown });
    }
  }

  /** Whether anybody wants them: what is costly to know need not be known. */
  get wanted(): boolean {
    return this.#file !== undefined;
  }

  add(run: string, record: TriggerRecord): void {
    if (this.#file === undefined) return;
    this.#buffer += `${JSON.stringify({ run, ...record })}\n`;
    if (this.#buffer.length > bufferUtf16) this.#flush();
    for (const name of timed) {
      const ms = record[name];
      if (ms !== undefined) this.#histogram(run, name)?.record(1_000 * ms);
    }
  }

  /** Everything is on disk when it returns. */
  close(): void {
    if (this.#file === undefined) return;
    this.#flush();
    closeSync(this.#file);
    for (const [name, histogram] of this.#histograms)
      writeFileSync(`${this.#path?.replace(/\.ndjson$/, "")}.${name}.hgrm`, histogram.percentiles(1_000));
  }

  #histogram(run: string, name: string): Histogram | undefined {
    const key = `${run.replace(/[^A-Za-z0-9._-]+/g, "-")}.${name}`;
    const known = this.#histograms.get(key);
    if (known || this.#histograms.size >= histogramsMax) return known;
    const made = new Histogram();
    this.#histograms.set(key, made);
    return made;
  }

  #flush(): void {
    if (this.#file !== undefined) writeSync(this.#file, this.#buffer);
    this.#buffer = "";
  }
}
