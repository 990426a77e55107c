// watched-file: the text of a file, now and whenever it becomes another. Looks by the clock, so that it does not matter how the
// file changes: written in place, renamed over, or swapped as a ConfigMap is, whose folder is a link to a link. Bounded:
// a file larger than `bytesMax` is a problem, not a text.
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import type { Clock } from "./clock.ts";
import { SlipstreamError } from "./errors.ts";

export interface WatchedFileOptions {
  readonly path: string;
  readonly everyMs: number;
  readonly bytesMax: number;
}

export interface WatchedFileDeps {
  readonly clock: Clock;
  /** The file has another text than before. */
  readonly changed: (text: string) => void;
  /** The file cannot be read any more; told once, until it can. */
  readonly failed: (error: SlipstreamError) => void;
}

export class WatchedFile implements Disposable {
  readonly #options: WatchedFileOptions;
  readonly #deps: WatchedFileDeps;
  #seen = "";
  #failing = false;
  #timer: Disposable | undefined;
  /** As it was at the start. */
  readonly text: string;
  #last: string;

  /** Throws where the file cannot be read now: who starts with a wrong path is told at once. */
  constructor(options: WatchedFileOptions, deps: WatchedFileDeps) {
    this.#options = options;
    this.#deps = deps;
    const { text, mark } = readText(options);
    this.text = text;
    this.#last = text;
    this.#seen = mark;
    this.#arm();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer = this.#deps.clock.timer(this.#options.everyMs, () => {
      this.#look();
      if (this.#timer) this.#arm();
    });
  }

  #look(): void {
    try {
      // A look costs one stat; the text is read only where that says another file or another time.
      if (!this.#failing && lookOf(this.#options.path) === this.#seen) return;
      const { text, mark } = readText(this.#options);
      this.#failing = false;
      this.#seen = mark;
      if (text === this.#last) return;
      this.#last = text;
      this.#deps.changed(text);
    } catch (thrown) {
      if (this.#failing) return;
      this.#failing = true;
      this.#deps.failed(problem(this.#options.path, thrown));
    }
  }
}

/** The text of a file, and how the file looked when it was read. */
export function readText({ path, bytesMax }: Pick<WatchedFileOptions, "path" | "bytesMax">): { text: string; mark: string } {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (thrown) {
    throw problem(path, thrown);
  }
  try {
    // Of the opened file: what is swapped meanwhile is seen at the next look.
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new SlipstreamError("config", `${path}: is not a file`);
    if (stat.size > bytesMax) throw new SlipstreamError("config", `${path}: is larger than ${bytesMax} bytes`);
    const bytes = Buffer.alloc(stat.size);
    let filled = 0;
    for (let got = 1; got > 0 && filled < bytes.length; filled += got)
      got = readSync(file, bytes, filled, bytes.length - filled, filled);
    return { text: bytes.toString("utf8", 0, filled), mark: markOf(stat) };
  } catch (thrown) {
    throw problem(path, thrown);
  } finally {
    closeSync(file);
  }
}

/** How a file looks now: what `readText` told before, unless it became another. */
export function lookOf(path: string): string {
  try {
    return markOf(statSync(path));
  } catch (thrown) {
    throw problem(path, thrown);
  }
}

/** Two files, or one at two times: the device and number tell a swapped one, size and times one written in place. */
function markOf({ dev, ino, size, mtimeMs, ctimeMs }: ReturnType<typeof statSync> & object): string {
  return [dev, ino, size, mtimeMs, ctimeMs].join(" ");
}

function problem(path: string, thrown: unknown): SlipstreamError {
  if (thrown instanceof SlipstreamError) return thrown;
  const code = (thrown as NodeJS.ErrnoException).code;
  const why = code === "ENOENT" ? "there is no such file" : code === "EACCES" ? "may not be read" : (thrown as Error).message;
  return new SlipstreamError("config", `${path}: ${why}`, { cause: thrown });
}
