// watched-files: what a few small files say together, parsed, and parsed anew when one of them changes: renewed certificates,
// swapped links of ConfigMaps and Secrets, edited key files take effect without a restart. Files that cannot be read or used
// leave the last good value standing; a log line, a metric and the status say so until they are good again. Looked at by
// time: no watching call of any system sees every way in which a mounted file changes.
import { readFile, stat } from "node:fs/promises";
import type { Clock } from "./clock.ts";
import { SlipstreamError } from "./errors.ts";
import type { Log } from "./log.ts";
import { counter, gauge, type Metrics } from "./metrics.ts";

export interface WatchedOptions {
  /** Word for them in logs, metrics and status: "keys", "tls". */
  readonly what: string;
  readonly paths: readonly string[];
  readonly everyMs: number;
  readonly bytesMax: number;
}

/** Rows for a process's table of metrics. */
export const watchedFileMetrics = {
  file_loads_total: counter("Times that watched files changed, by whether they could be used.", ["files", "result"]),
  files_stale: gauge("1 while watched files cannot be used and what they said before stands.", ["files"]),
} as const;

interface Deps<T> {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Metrics<typeof watchedFileMetrics>;
  /** Contents, in the order of the paths; throws an Error whose message names the file, and never what it holds. */
  readonly parse: (contents: readonly Buffer[]) => T;
}

/** As the status shows it. */
export interface FilesState {
  readonly files: string;
  readonly paths: readonly string[];
  /** Seconds since what stands was read. */
  readonly ageS: number;
  /** Why what stands is not what the files say now. */
  readonly problem: string | null;
}

export class WatchedFiles<T> {
  readonly #options: WatchedOptions;
  readonly #deps: Deps<T>;
  readonly #listeners = new Set<(value: T) => void>();
  #value: T;
  /** How the files looked when they were last read, whether they could be used or not; "": they could not be read. */
  #looked: string;
  #loadedMs: number;
  #problem: string | null = null;
  #timer: Disposable | undefined;
  #closed = false;

  /** Reads them for the first time; what cannot be used then is a mistake in the configuration. */
  static async open<T>(options: WatchedOptions, deps: Deps<T>): Promise<WatchedFiles<T>> {
    try {
      const looked = await appearance(options);
      return new WatchedFiles(options, deps, { value: deps.parse(await contents(options)), looked });
    } catch (thrown) {
      throw new SlipstreamError("config", messageOf(thrown), { cause: thrown });
    }
  }

  private constructor(options: WatchedOptions, deps: Deps<T>, first: { value: T; looked: string }) {
    this.#options = options;
    this.#deps = deps;
    this.#value = first.value;
    this.#looked = first.looked;
    this.#loadedMs = deps.clock.now();
    this.#tell("used");
    this.#arm();
  }

  readonly name = "files";

  get value(): T {
    return this.#value;
  }

  get state(): FilesState {
    const { what, paths } = this.#options;
    return { files: what, paths, ageS: Math.round((this.#deps.clock.now() - this.#loadedMs) / 1000), problem: this.#problem };
  }

  /** Told of each new value. */
  watch(listener: (value: T) => void): void {
    this.#listeners.add(listener);
  }

  /** Looks now. Never rejects. */
  async look(): Promise<void> {
    const before = this.#looked;
    try {
      const looks = await appearance(this.#options);
      if (looks === before) return;
      this.#looked = "";
      const read = await contents(this.#options);
      // What changed while it was read is read again next time.
      if (this.#closed || looks !== (await appearance(this.#options))) return;
      this.#looked = looks;
      this.#use(this.#deps.parse(read));
    } catch (thrown) {
      if (!this.#closed) this.#refuse(messageOf(thrown));
    }
  }

  #use(value: T): void {
    this.#value = value;
    this.#loadedMs = this.#deps.clock.now();
    this.#problem = null;
    for (const listener of this.#listeners) listener(value);
    this.#deps.log.info({ files: this.#options.what }, "changed files were read and are used from now");
    this.#tell("used");
  }

  #refuse(problem: string): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#deps.log.warn({ files: this.#options.what, why: problem }, "changed files cannot be used; what they said before stands");
    this.#tell("refused");
  }

  close(): void {
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
  }

  #arm(): void {
    this.#timer = this.#deps.clock.timer(this.#options.everyMs, () => {
      void this.look().then(() => {
        if (!this.#closed) this.#arm();
      });
    });
  }

  #tell(result: "used" | "refused"): void {
    const files = this.#options.what;
    this.#deps.metrics?.file_loads_total.inc({ files, result });
    this.#deps.metrics?.files_stale.set({ files }, result === "used" ? 0 : 1);
  }
}

/** Changes whenever a path leads to another file or its file is written. */
async function appearance({ paths }: WatchedOptions): Promise<string> {
  const stats = await Promise.all(paths.map((path) => reading(path, () => stat(path, { bigint: true }))));
  return stats.map(({ dev, ino, size, mtimeNs, ctimeNs }) => [dev, ino, size, mtimeNs, ctimeNs].join(":")).join(" ");
}

function contents({ paths, bytesMax }: WatchedOptions): Promise<Buffer[]> {
  return Promise.all(
    paths.map((path) =>
      reading(path, async () => {
        const found = await stat(path);
        if (!found.isFile()) throw new Error("is not a file");
        if (found.size > bytesMax) throw new Error(`is larger than ${bytesMax} bytes`);
        return readFile(path);
      }),
    ),
  );
}

const causes: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EACCES: "may not be read by this process",
  ENOTDIR: "no such file",
};

async function reading<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    const { code = "" } = thrown as NodeJS.ErrnoException;
    throw new Error(`${path}: ${causes[code] ?? messageOf(thrown)}`, { cause: thrown });
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
