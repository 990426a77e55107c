// watched-files: what a few small files say together, parsed, and parsed anew when one of them changes: renewed certificates,
// edited key files take effect without a restart. Files that cannot be read or used leave the last good value standing; a log
// line, a metric and the status say so until they are good again. How a change is seen is said in watched-file.ts.
import type { Clock } from "./clock.ts";
import { SlipstreamError } from "./errors.ts";
import type { Log } from "./log.ts";
import { counter, gauge, type Metrics } from "./metrics.ts";
import { lookOf, readText } from "./watched-file.ts";

export interface WatchedOptions {
  /** Word for them in logs, metrics and status: "keys", "tls". */
  readonly what: string;
  readonly paths: readonly string[];
  readonly everyMs: number;
  /** Of each. */
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
  /** Texts in the order of the paths; throws an Error whose message names the file, and never what it holds. */
  readonly parse: (texts: readonly string[]) => T;
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

export class WatchedFiles<T> implements Disposable {
  readonly #options: WatchedOptions;
  readonly #deps: Deps<T>;
  readonly #listeners = new Set<(value: T) => void>();
  #value: T;
  /** How the files looked when they were last read, whether they could be used or not; "": they could not be read. */
  #looked: string;
  #loadedMs: number;
  #problem: string | null = null;
  #timer: Disposable | undefined;

  /** Throws `config` where they cannot be used at the start. */
  constructor(options: WatchedOptions, deps: Deps<T>) {
    this.#options = options;
    this.#deps = deps;
    try {
      const { texts, looks } = read(options);
      this.#value = deps.parse(texts);
      this.#looked = looks;
    } catch (thrown) {
      throw new SlipstreamError("config", messageOf(thrown), { cause: thrown });
    }
    this.#loadedMs = deps.clock.now();
    this.#tell("used");
    this.#arm();
  }

  get value(): T {
    return this.#value;
  }

  get state(): FilesState {
    const { what, paths } = this.#options;
    const ageS = Math.round((this.#deps.clock.now() - this.#loadedMs) / 1000);
    return { files: what, paths, ageS, problem: this.#problem };
  }

  /** Told of each new value. */
  watch(listener: (value: T) => void): void {
    this.#listeners.add(listener);
  }

  /** Looks now. Never throws. */
  look(): void {
    try {
      if (looksOf(this.#options) === this.#looked) return;
      this.#looked = "";
      const { texts, looks } = read(this.#options);
      // One that changed while another was read is read again next time.
      if (looks !== looksOf(this.#options)) return;
      this.#looked = looks;
      this.#use(this.#deps.parse(texts));
    } catch (thrown) {
      this.#refuse(messageOf(thrown));
    }
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
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

  #arm(): void {
    this.#timer = this.#deps.clock.timer(this.#options.everyMs, () => {
      this.look();
      if (this.#timer) this.#arm();
    });
  }

  #tell(result: "used" | "refused"): void {
    const files = this.#options.what;
    this.#deps.metrics?.file_loads_total.inc({ files, result });
    this.#deps.metrics?.files_stale.set({ files }, result === "used" ? 0 : 1);
  }
}

function read({ paths, bytesMax }: WatchedOptions): { texts: string[]; looks: string } {
  const found = paths.map((path) => readText({ path, bytesMax }));
  return { texts: found.map(({ text }) => text), looks: found.map(({ mark }) => mark).join("\n") };
}

const looksOf = ({ paths }: WatchedOptions) => paths.map(lookOf).join("\n");

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
