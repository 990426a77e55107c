// warming: prefixes to compute ahead in, one after the other to the engine, and within a budget of bytes a second. What somebody is
// expected for soon comes first, in the order it was asked for, and runs while a slot is free; the rest runs only while the engine
// has nothing else to do, the newest first: what was typed last is asked for next. At most `waitingMax` of each wait.
import type { Clock } from "../../lib/clock.ts";
import { TokenBucket } from "../../lib/structures/token-bucket.ts";
import type { Segment } from "../generation.ts";
import type { WorkerMetrics } from "../metrics.ts";

export interface Warming {
  readonly model: string;
  readonly segments: readonly Segment[];
  readonly cacheSalt: string;
  /** Somebody is expected soon. */
  readonly soon?: boolean;
  /** Told once what became of it. */
  readonly ended?: (warm: boolean) => void;
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
  /** Of the engine. */
  readonly slots: number;
}

/** What the engine has to do for those who wait. */
export interface Use {
  readonly running: number;
  readonly waiting: number;
}

/** After an engine's start there is much to compute and nobody who waits. */
const burstSeconds = 8;

export class Warmings {
  readonly #options: WarmingOptions;
  readonly #deps: Deps;
  readonly #soon: Warming[] = [];
  readonly #waiting: Warming[] = [];
  #running: { readonly warming: Warming; readonly controller: AbortController } | undefined;
  readonly #budget: TokenBucket;
  /** What was begun and stopped is paid for. */
  readonly #paid = new WeakSet<Warming>();
  #waits: Disposable | undefined;
  #use: Use = { running: 0, waiting: 0 };
  #closed = false;

  constructor(options: WarmingOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
    const { bytesPerSecond: perSecond } = options;
    this.#budget = new TokenBucket({ perSecond, burst: perSecond * burstSeconds }, deps.clock.now());
  }

  take(warming: Warming): void {
    const { waitingMax, bytesPerSecond } = this.#options;
    const list = warming.soon ? this.#soon : this.#waiting;
    // Without a budget nothing is computed ahead.
    if (this.#closed || bytesPerSecond === 0 || waitingMax === 0) {
      this.#count(warming, "dropped");
      return;
    }
    list.push(warming);
    // Of what was asked for in an order the last is worth least; else the oldest is.
    const dropped = list.length <= waitingMax ? undefined : warming.soon ? list.pop() : list.shift();
    if (dropped) this.#count(dropped, "dropped");
    this.#next();
  }

  /** Real work stops a warming that it wants the place of; when there is room, one starts. */
  use(use: Use): void {
    this.#use = use;
    if (this.#running && !this.#mayRun(this.#running.warming)) this.#running.controller.abort();
    this.#next();
  }

  close(): void {
    this.#closed = true;
    this.#waits?.[Symbol.dispose]();
    for (const warming of [...this.#soon.splice(0), ...this.#waiting.splice(0)]) this.#count(warming, "dropped");
    this.#running?.controller.abort();
  }

  #mayRun({ soon }: Warming): boolean {
    const { running, waiting } = this.#use;
    return waiting === 0 && (soon ? running < this.#options.slots : running === 0);
  }

  #next(): void {
    if (this.#closed || this.#running) return;
    const list = this.#soon.length > 0 ? this.#soon : this.#waiting;
    const warming = list === this.#soon ? list[0] : list.at(-1);
    if (!warming || !this.#mayRun(warming) || !this.#affords(warming)) return;
    if (list === this.#soon) list.shift();
    else list.pop();
    void this.#run(warming);
  }

  async #run(warming: Warming): Promise<void> {
    const controller = new AbortController();
    this.#running = { warming, controller };
    let failed = false;
    try {
      await this.#deps.engine.warm(warming.model, warming.segments, controller.signal, warming.cacheSalt);
    } catch {
      failed = true;
    }
    this.#running = undefined;
    const stopped = controller.signal.aborted;
    // Who is expected soon is still expected: it goes on from what was computed when there is room again.
    if (stopped && warming.soon && !this.#closed) {
      this.#deps.metrics?.warmings_total.inc({ end: "stopped" });
      this.#soon.unshift(warming);
    } else this.#count(warming, stopped ? "stopped" : failed ? "failed" : "warm");
    this.#next();
  }

  /** Comes again when the budget has grown to it. */
  #affords(warming: Warming): boolean {
    const { segments } = warming;
    if (this.#paid.has(warming)) return true;
    const bytes = segments.reduce((sum, part) => sum + Buffer.byteLength("text" in part ? part.text : part.special), 0);
    const now = this.#deps.clock.now();
    const all = this.#options.bytesPerSecond * burstSeconds;
    if (this.#budget.take(now, Math.min(bytes, all))) {
      this.#paid.add(warming);
      return true;
    }
    this.#waits?.[Symbol.dispose]();
    this.#waits = this.#deps.clock.timer(this.#budget.waitMs(now, Math.min(bytes, all)) + 1, () => this.#next());
    return false;
  }

  #count({ ended }: Warming, end: "warm" | "stopped" | "failed" | "dropped"): void {
    this.#deps.metrics?.warmings_total.inc({ end });
    ended?.(end === "warm");
  }
}
