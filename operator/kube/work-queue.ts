// work-queue: keys in, one run of each at a time out. A key added while it runs runs once more afterwards; one added many times
// while it waits runs once; one that fails comes again after a growing pause. The semantics and metric names are client-go's.
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import type { ClientMetrics } from "../metrics.ts";

export interface WorkQueueOptions {
  readonly name: string;
  readonly pauseMs: number;
  readonly pauseMaxMs: number;
  /** Runs at once, of different keys. */
  readonly atOnce: number;
}

export const workQueueDefaults = { pauseMs: 100, pauseMaxMs: 60_000, atOnce: 4 } as const;

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics?: ClientMetrics;
  /** One run; rejects when it must come again. */
  readonly run: (key: string) => Promise<void>;
}

export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #deps: Deps;
  /** Added and not yet begun, since when. */
  readonly #dirty = new Map<string, number>();
  readonly #waiting: string[] = [];
  readonly #processing = new Map<string, Promise<void>>();
  readonly #later = new Map<string, { timer: Disposable; at: number }>();
  readonly #failures = new Map<string, number>();
  #stopped = true;

  constructor(options: WorkQueueOptions, deps: Deps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Runs from now on; what was added before waits for this. */
  start(): void {
    this.#stopped = false;
    this.#next();
  }

  /** Begins nothing more; resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { timer } of this.#later.values()) timer[Symbol.dispose]();
    this.#later.clear();
    await Promise.allSettled(this.#processing.values());
  }

  get depth(): number {
    return this.#waiting.length;
  }

  get idle(): boolean {
    return this.#dirty.size === 0 && this.#processing.size === 0;
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  add(key: string): void {
    if (this.#dirty.has(key)) return;
    const { name } = this.#options;
    this.#dirty.set(key, this.#deps.clock.now());
    this.#deps.metrics?.workqueue_adds_total.inc({ name });
    if (this.#processing.has(key)) return;
    this.#waiting.push(key);
    this.#told();
    this.#next();
  }

  /** The earlier of this and what is set already. */
  addAfter(key: string, ms: number): void {
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const at = this.#deps.clock.now() + ms;
    const set = this.#later.get(key);
    if (set && set.at <= at) return;
    set?.timer[Symbol.dispose]();
    const timer = this.#deps.clock.timer(ms, () => {
      this.#later.delete(key);
      this.add(key);
    });
    this.#later.set(key, { timer, at });
  }

  #next(): void {
    while (!this.#stopped && this.#processing.size < this.#options.atOnce) {
      const key = this.#waiting.shift();
      if (key === undefined) return;
      const run = this.#run(key);
      this.#processing.set(key, run);
      void run.finally(() => {
        this.#processing.delete(key);
        if (this.#dirty.has(key)) this.#waiting.push(key);
        this.#told();
        this.#next();
      });
    }
  }

  async #run(key: string): Promise<void> {
    const { clock, metrics, random, run } = this.#deps;
    const { name, pauseMs, pauseMaxMs } = this.#options;
    const began = clock.now();
    metrics?.workqueue_queue_duration_seconds.observe({ name }, (began - (this.#dirty.get(key) ?? began)) / 1_000);
    this.#dirty.delete(key);
    try {
      await run(key);
      this.#failures.delete(key);
    } catch {
      const failures = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, failures);
      metrics?.workqueue_retries_total.inc({ name });
      if (!this.#stopped)
        this.addAfter(key, Math.min(pauseMaxMs, pauseMs * 2 ** Math.min(failures - 1, 20)) * (0.75 + random.next() / 2));
    }
    metrics?.workqueue_work_duration_seconds.observe({ name }, (clock.now() - began) / 1_000);
  }

  #told(): void {
    this.#deps.metrics?.workqueue_depth.set({ name: this.#options.name }, this.#waiting.length);
  }
}
