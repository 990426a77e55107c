// warming: prefixes to compute ahead in, one after the other to the engine, only while it has nothing else to do. At most
// `waitingMax` wait, the newest kept: what was typed last is asked for next.
import type { Segment } from "../generation.ts";
import type { WorkerMetrics } from "../metrics.ts";

export interface Warming {
  readonly model: string;
  readonly segments: readonly Segment[];
  readonly cacheSalt: string;
}

interface Deps {
  readonly engine: {
    warm(model: string, segments: readonly Segment[], signal: AbortSignal, cacheSalt: string): Promise<void>;
  };
  readonly metrics?: Pick<WorkerMetrics, "warmings_total">;
}

export class Warmings {
  readonly #options: { readonly waitingMax: number };
  readonly #deps: Deps;
  readonly #waiting: Warming[] = [];
  #running: AbortController | undefined;
  #busy = false;
  #closed = false;

  constructor(options: { waitingMax: number }, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
  }

  take(warming: Warming): void {
    this.#waiting.push(warming);
    if (this.#waiting.length > this.#options.waitingMax) {
      this.#waiting.shift();
      this.#count("dropped");
    }
    this.#next();
  }

  /** Real work stops a warming, idle time starts one. */
  busy(busy: boolean): void {
    this.#busy = busy;
    if (busy) this.#running?.abort();
    else this.#next();
  }

  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
    this.#running?.abort();
  }

  #next(): void {
    if (this.#closed || this.#busy || this.#running) return;
    const warming = this.#waiting.pop();
    if (!warming) return;
    const controller = new AbortController();
    this.#running = controller;
    void this.#deps.engine
      .warm(warming.model, warming.segments, controller.signal, warming.cacheSalt)
      .then(
        () => this.#count(controller.signal.aborted ? "stopped" : "warm"),
        () => this.#count(controller.signal.aborted ? "stopped" : "failed"),
      )
      .then(() => {
        this.#running = undefined;
        this.#next();
      });
  }

  #count(end: "warm" | "stopped" | "failed" | "dropped"): void {
    this.#deps.metrics?.warmings_total.inc({ end });
  }
}
