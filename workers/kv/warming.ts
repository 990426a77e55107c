// warming: prefixes to compute ahead in, one after the other to the engine, only while it has nothing else to do, and within a budget of
// bytes a second. At most `waitingMax` wait, the newest kept: what was typed last is asked for next.
import type { Clock } from "../../lib/clock.ts";
import { TokenBucket } from "../../lib/structures/token-bucket.ts";
import type { Segment } from "../generation.ts";
import type { WorkerMetrics } from "../metrics.ts";

export interface Warming {
  readonly model: string;
  readonly segments: readonly Segment[];
  readonly cacheSalt: string;
}

interface Deps {
  readonly clock: Clock;
  readonly engine: {
    warm(model: string, segments: readonly Segment[], signal: AbortSignal, cacheSalt: string): Promise<void>;
  };
  readonly metrics?: Pick<WorkerMetrics, "warmings_total">;
}

export interface WarmingOptions {
  readonly waitingMax: number;
  /** Bytes of prompts; what it costs an engine that would else be idle is power, and a step's length for who comes meanwhile. */
  readonly bytesPerSecond: number;
}

/** After an engine's start there is much to compute and nobody who waits. */
const burstSeconds = 8;

export class Warmings {
  readonly #options: WarmingOptions;
  readonly #deps: Deps;
  readonly #waiting: Warming[] = [];
  #running: AbortController | undefined;
  readonly #budget: TokenBucket;
  #waits: Disposable | undefined;
  #busy = false;
  #closed = false;

  constructor(options: WarmingOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
    const { bytesPerSecond: perSecond } = options;
    this.#budget = new TokenBucket({ perSecond, burst: perSecond * burstSeconds }, deps.clock.now());
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
    this.#waits?.[Symbol.dispose]();
    this.#waiting.length = 0;
    this.#running?.abort();
  }

  #next(): void {
    if (this.#closed || this.#busy || this.#running) return;
    const warming = this.#waiting.at(-1);
    if (!warming || !this.#affords(warming)) return;
    this.#waiting.pop();
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

  /** Comes again when the budget has grown to it. */
  #affords({ segments }: Warming): boolean {
    // Without a budget nothing is computed ahead.
    if (this.#options.bytesPerSecond === 0) return false;
    const bytes = segments.reduce((sum, part) => sum + Buffer.byteLength("text" in part ? part.text : part.special), 0);
    const now = this.#deps.clock.now();
    const all = this.#options.bytesPerSecond * burstSeconds;
    if (this.#budget.take(now, Math.min(bytes, all))) return true;
    this.#waits?.[Symbol.dispose]();
    this.#waits = this.#deps.clock.timer(this.#budget.waitMs(now, Math.min(bytes, all)) + 1, () => this.#next());
    return false;
  }

  #count(end: "warm" | "stopped" | "failed" | "dropped"): void {
    this.#deps.metrics?.warmings_total.inc({ end });
  }
}
