// lifecycle: one AbortSignal from the signal handler to the socket. A process starts its parts in order with `use`; on
// SIGINT or SIGTERM they are drained and closed in reverse within the grace period, and the exit code is set, never forced
// unless a part outlives the grace period.
import { setMaxListeners } from "node:events";
import type { Clock } from "./clock.ts";
import { SlipstreamError } from "./errors.ts";
import type { Log } from "./log.ts";

interface Part {
  readonly name: string;
  /** Ends politely: finishes what runs, takes nothing new. */
  drain?(): Promise<void> | void;
  close?(): Promise<void> | void;
}

/** Resolves "late" when the time for a step is over, "done" when nobody needs it any more. */
type Late = Promise<"late" | "done">;

/** Of the grace period. A caller that never leaves must not take the time that closing needs. */
const drainShare = 0.8;

export class Lifecycle {
  readonly #parts: Part[] = [];
  readonly #controller = new AbortController();
  readonly #options: { readonly graceMs: number };
  readonly #deps: { readonly clock: Clock; readonly log: Log };
  #ending: Promise<void> | undefined;
  #grace: Late | undefined;
  #outlived = false;
  /** Ends of parts that were started while the process was ending. */
  readonly #latecomers: Promise<void>[] = [];

  constructor(options: { graceMs: number }, deps: { clock: Clock; log: Log }) {
    this.#options = options;
    this.#deps = deps;
    // Every link and loop of the process listens to this one signal.
    setMaxListeners(0, this.#controller.signal);
  }

  /** Aborts when the process begins to end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Did a part not close within the grace period? It may hold the process open. */
  get outlived(): boolean {
    return this.#outlived;
  }

  /** Registers a started part; parts end in reverse order. Once the process ends, the part is closed and `draining` thrown. */
  use<T extends Part>(part: T): T {
    if (this.#grace !== undefined) {
      this.#latecomers.push(this.#finish(part, "close", this.#grace));
      throw this.signal.reason as SlipstreamError;
    }
    this.#parts.push(part);
    return part;
  }

  /** Drains and closes everything, once. Resolves when all is closed or the grace period is over. */
  end(why: string): Promise<void> {
    this.#ending ??= this.#end(why);
    return this.#ending;
  }

  async #end(why: string): Promise<void> {
    this.#deps.log.info({ why }, "ending");
    this.#controller.abort(new SlipstreamError("draining", "the process is shutting down"));
    const late = new AbortController();
    const after = (ms: number): Late =>
      this.#deps.clock.sleep(ms, late.signal).then(
        () => "late" as const,
        () => "done" as const,
      );
    const drain = after(this.#options.graceMs * drainShare);
    const close = after(this.#options.graceMs);
    this.#grace = close;
    const reverse = [...this.#parts].reverse();
    for (const part of reverse) await this.#finish(part, "drain", drain);
    for (const part of reverse) await this.#finish(part, "close", close);
    for (let last = this.#latecomers.shift(); last; last = this.#latecomers.shift()) await last;
    late.abort();
  }

  /** One step of one part; goes on without it when its time is over. */
  async #finish(part: Part, step: "drain" | "close", late: Late): Promise<void> {
    if (!part[step]) return;
    const act = async () => part[step]?.();
    const work = act().then(
      () => "done" as const,
      (error: unknown) => {
        this.#deps.log.error({ part: part.name, step, err: error }, "a part failed to end");
        return "done" as const;
      },
    );
    if ((await Promise.race([work, late])) === "done") return;
    if (step === "close") this.#outlived = true;
    this.#deps.log.warn({ part: part.name, step }, "grace period is over");
  }
}

/**
 * Runs a process: `start` builds it on a Lifecycle and returns when it is ready. Ends on SIGINT, SIGTERM or when `start` throws.
 * A second signal ends it at once. Resolves with the exit code; `force` is called with it when something may still hold the
 * process open: a second signal came, or a part outlived the grace period.
 */
export async function run(
  options: { graceMs: number },
  deps: {
    clock: Clock;
    log: Log;
    complain: (sentence: string) => void;
    on: (signal: "SIGINT" | "SIGTERM", act: () => void) => void;
    force?: (exit: number) => void;
  },
  start: (lifecycle: Lifecycle) => Promise<void>,
): Promise<number> {
  const lifecycle = new Lifecycle(options, deps);
  let signals = 0;
  let exit = 0;
  const stopped = new Promise<number>((resolve) => {
    const stop = (signal: string) => {
      signals += 1;
      if (signals > 1) return resolve(130);
      void lifecycle.end(signal).then(() => resolve(exit));
    };
    deps.on("SIGINT", () => stop("SIGINT"));
    deps.on("SIGTERM", () => stop("SIGTERM"));
  });
  const started = async () => {
    try {
      await start(lifecycle);
    } catch (thrown) {
      if (lifecycle.signal.aborted) return stopped;
      const error = SlipstreamError.from(thrown);
      exit = error.row.exit;
      deps.complain(error.message);
      if (error.code === "internal") deps.log.fatal({ err: error.cause ?? error }, "failed to start");
      await lifecycle.end("failed to start");
      return exit;
    }
    return stopped;
  };
  // A start that takes long does not hold up the end.
  const code = await Promise.race([stopped, started()]);
  if (signals > 1 || lifecycle.outlived) deps.force?.(code);
  return code;
}
