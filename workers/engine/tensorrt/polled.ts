// polled: a page that must be asked over and over in, its answers out: one question at a time, a pause after each, a longer one after
// each that failed. Some pages of trtllm-serve answer only when nothing has happened for two seconds: such a question is waited for, since
// what it has read is nowhere else any more.
import type { Clock } from "../../../lib/clock.ts";

export interface Polling {
  readonly everyMs: number;
  readonly timeoutMs: number;
}

const failedPauseMs = 250;
const failedPauseMaxMs = 5_000;

export class Polled {
  readonly #options: Polling;
  readonly #clock: Clock;
  /** True: there will be nothing to ask for. */
  readonly #ask: (how: { readonly signal: AbortSignal; readonly timeoutMs: number }) => Promise<boolean>;
  readonly #over = new AbortController();
  #askedMs: number | undefined;

  constructor(
    options: Polling,
    deps: {
      readonly clock: Clock;
      readonly ask: (how: { readonly signal: AbortSignal; readonly timeoutMs: number }) => Promise<boolean>;
    },
  ) {
    this.#options = options;
    this.#clock = deps.clock;
    this.#ask = deps.ask;
    void this.#run();
  }

  /** For how long the question under way has been waiting. */
  get waitingMs(): number {
    return this.#askedMs === undefined ? 0 : this.#clock.now() - this.#askedMs;
  }

  close(): void {
    this.#over.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    const { everyMs, timeoutMs } = this.#options;
    for (let failed = 0; !signal.aborted; ) {
      this.#askedMs = this.#clock.now();
      const over = await this.#ask({ signal, timeoutMs }).then(
        (ended) => {
          failed = 0;
          return ended;
        },
        () => {
          failed += 1;
          return false;
        },
      );
      this.#askedMs = undefined;
      if (over) return;
      const pauseMs = failed === 0 ? everyMs : Math.min(failedPauseMaxMs, failedPauseMs * 2 ** (failed - 1));
      await this.#clock.sleep(pauseMs, signal).catch(() => {});
    }
  }
}
