// watch: asks a running engine how it is, over and over: every `busyMs` while generations run, every `idleMs` else. What it says goes to
// its owner; and one word when it is gone: its port refuses, or nothing has answered or moved for `hungMs`. One question at a time.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";

export interface WatchOptions {
  readonly busyMs: number;
  readonly idleMs: number;
  readonly hungMs: number;
}

export interface WatchDeps {
  readonly clock: Clock;
  /** Throws when there is no answer. */
  readonly ask: (options: { signal: AbortSignal; timeoutMs: number }) => Promise<void>;
  /** Generations under way, and when one of them last moved. */
  readonly running: () => number;
  readonly movedMs: () => number;
  readonly gone: (why: SlipstreamError) => void;
}

/** One refused connection may be a server that is out of places; three in a row are none. */
const refusedMax = 3;
const refusedPauseMs = 50;

export class Watch {
  readonly #options: WatchOptions;
  readonly #deps: WatchDeps;
  readonly #over = new AbortController();
  #refused = 0;
  #answeredMs: number;
  #timer: Disposable | undefined;
  #asking = false;
  #started = false;

  constructor(options: WatchOptions, deps: WatchDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#answeredMs = deps.clock.now();
  }

  /** Not before the engine is warm: compiling, it stands still for longer than one that is dead. */
  start(): void {
    this.#started = true;
    this.#answeredMs = this.#deps.clock.now();
    this.#later();
  }

  /** A generation has just begun: do not sleep on in the idle rhythm. */
  nudge(): void {
    if (this.#started && !this.#asking && !this.#over.signal.aborted) this.#later();
  }

  /** A request found nobody there: looks at once instead of at the next turn. */
  doubt(): void {
    if (!this.#started || this.#asking || this.#over.signal.aborted) return;
    this.#timer?.[Symbol.dispose]();
    void this.#look();
  }

  close(): void {
    this.#over.abort();
    this.#timer?.[Symbol.dispose]();
  }

  #later(pauseMs = this.#deps.running() > 0 ? this.#options.busyMs : this.#options.idleMs): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#deps.clock.timer(pauseMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { clock, ask, running, movedMs } = this.#deps;
    const { hungMs } = this.#options;
    const { signal } = this.#over;
    this.#asking = true;
    try {
      await ask({ signal, timeoutMs: hungMs });
      this.#refused = 0;
      this.#answeredMs = clock.now();
    } catch (thrown) {
      if (signal.aborted) return;
      if (isRefused(thrown)) this.#refused += 1;
    } finally {
      this.#asking = false;
    }
    if (signal.aborted) return;
    const now = clock.now();
    if (this.#refused >= refusedMax) this.#gone("its port refuses connections");
    else if (now - this.#answeredMs >= hungMs) this.#gone(`it has not answered for ${Math.round(now - this.#answeredMs)} ms`);
    // Its front may answer while what computes behind it stands still.
    else if (running() > 0 && now - movedMs() >= hungMs)
      this.#gone(`none of ${running()} generations has moved for ${Math.round(now - movedMs())} ms`);
    else this.#later(this.#refused > 0 ? refusedPauseMs : undefined);
  }

  #gone(why: string): void {
    this.close();
    this.#deps.gone(new SlipstreamError("engine_failed", `the engine is gone: ${why}`));
  }
}

function isRefused(thrown: unknown): boolean {
  const cause = (thrown as { cause?: { code?: unknown } } | undefined)?.cause;
  return cause?.code === "ECONNREFUSED" || cause?.code === "ECONNRESET";
}
