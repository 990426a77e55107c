// queue: Triggers wait here, not in an engine, until a worker has a free credit (late binding), so that superseded work never
// reaches a GPU. Lanes by priority, earliest deadline first within a lane. Bounded by count; leaving by the trigger's signal.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { Ewma } from "../../lib/structures/ewma.ts";
import { type Booking, type Hold, type Lane, lanes, type Work } from "../completion.ts";
import type { RouterMetrics } from "../metrics.ts";

export interface QueueOptions {
  /** Waiting in a lane and in those above it: lesser work never keeps better work out. */
  readonly max: number;
  /** Waiting triggers tried at one change of capacity: those behind wait for the same worker nearly always. */
  readonly triesMax: number;
}

export interface QueueDeps {
  readonly clock: Clock;
  readonly metrics: Pick<RouterMetrics, "queued" | "queue_seconds" | "queue_refused_total">;
  /** Told when the depth of a lane changes, so that workers can share out their credits. */
  readonly depths: (depths: Readonly<Record<Lane, number>>) => void;
}

/** What a place is tried with: how long it was waited for, and how many that come first hold out for a worker. */
export interface Waited {
  readonly waitedMs: number;
  readonly ahead: (worker: string) => number;
}

/** Finds a worker and books it; a Hold says for whom it is worth waiting, nothing that nobody has room. */
export type Place = (waited: Waited) => Booking | Hold | undefined;

interface Waiting {
  readonly work: Work;
  readonly sinceMs: number;
  readonly place: Place;
  /** The worker it holds out for. */
  holds: string | undefined;
  readonly go: (booking: Booking) => void;
  readonly refuse: (error: SlipstreamError) => void;
}

/** One lane: who waits, and what of late became of those who no longer do. */
interface Line {
  readonly waiting: Waiting[];
  readonly serviceMs: Ewma;
  held: number;
}

const shuttingDown = () => new SlipstreamError("draining", "the router is shutting down");
const emptyLine = (): Line => ({ waiting: [], serviceMs: new Ewma({ halfLifeMs: 10_000 }), held: 0 });

export class Queue {
  readonly #options: QueueOptions;
  readonly #deps: QueueDeps;
  readonly #lines: Readonly<Record<Lane, Line>> = {
    inline: emptyLine(),
    chat: emptyLine(),
    speculative: emptyLine(),
    batch: emptyLine(),
  };
  /** How many hold out for each worker. */
  #holds = new Map<string, number>();
  #again: { readonly atMs: number; readonly timer: Disposable } | undefined;
  #closed = false;

  constructor(options: QueueOptions, deps: QueueDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  get length(): number {
    return lanes.reduce((sum, lane) => sum + this.#lines[lane].waiting.length, 0);
  }

  /**
   * Waits until `place` finds a worker and books it. Rejects with the trigger's Retired when that comes first, with
   * `overloaded` when the queue is full.
   */
  next(work: Work, place: Place): Promise<Booking> {
    if (work.signal.aborted) return Promise.reject(work.signal.reason);
    if (this.#closed) return Promise.reject(shuttingDown());
    const { clock, metrics } = this.#deps;
    const { lane } = work;
    // Capacity goes to those who wait as it comes (pump); what is left now is of no use to any of them.
    const placed = place({ waitedMs: 0, ahead: (worker) => this.#holds.get(worker) ?? 0 });
    if (placed && "placement" in placed) {
      metrics.queue_seconds.observe({ lane }, 0);
      return Promise.resolve(this.#timed(lane, placed));
    }
    if (this.#upTo(lane) >= this.#options.max) {
      metrics.queue_refused_total.inc({ lane });
      const retryAfterMs = Math.ceil(this.predictedWaitMs(lane)) + 50;
      return Promise.reject(new SlipstreamError("overloaded", "the router's queue is full", { retryAfterMs }));
    }
    const { waiting } = this.#lines[lane];
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiting.splice(waiting.indexOf(entry), 1);
        this.#hold(entry, undefined);
        this.#changed(lane);
        reject(work.signal.reason as Error);
      };
      const stay = () => work.signal.removeEventListener("abort", leave);
      const go = (given: Booking) => {
        stay();
        resolve(given);
      };
      const refuse = (error: SlipstreamError) => {
        stay();
        reject(error);
      };
      const entry: Waiting = { work, sinceMs: clock.now(), place, go, refuse, holds: undefined };
      this.#hold(entry, placed);
      const after = waiting.findIndex((other) => other.work.deadlineMs > work.deadlineMs);
      waiting.splice(after < 0 ? waiting.length : after, 0, entry);
      work.signal.addEventListener("abort", leave, { once: true });
      this.#changed(lane);
    });
  }

  /** Capacity came: hand it to who waits, best lane and earliest deadline first. */
  pump(): void {
    let misses = 0;
    const now = this.#deps.clock.now();
    const ahead = new Map<string, number>();
    for (const lane of lanes) {
      const { waiting } = this.#lines[lane];
      for (let i = 0; i < waiting.length && misses < this.#options.triesMax; ) {
        const entry = waiting[i] as Waiting;
        const placed = entry.place({ waitedMs: now - entry.sinceMs, ahead: (worker) => ahead.get(worker) ?? 0 });
        if (!placed || !("placement" in placed)) {
          this.#hold(entry, placed);
          if (placed) ahead.set(placed.hold, (ahead.get(placed.hold) ?? 0) + 1);
          misses += 1;
          i += 1;
          continue;
        }
        waiting.splice(i, 1);
        this.#hold(entry, undefined);
        entry.go(this.#timed(lane, placed));
        this.#changed(lane);
        this.#deps.metrics.queue_seconds.observe({ lane }, (now - entry.sinceMs) / 1000);
      }
    }
  }

  /** Nobody waits any more: the router is going. */
  close(): void {
    this.#closed = true;
    this.#again?.timer[Symbol.dispose]();
    for (const lane of lanes) {
      for (const entry of this.#lines[lane].waiting.splice(0)) entry.refuse(shuttingDown());
      this.#changed(lane);
    }
  }

  /** What a trigger of the lane that came now would wait, by the lane's mean service time of late. */
  predictedWaitMs(lane: Lane): number {
    const { waiting, serviceMs, held } = this.#lines[lane];
    return waiting.length === 0 ? 0 : (serviceMs.value(0) * (waiting.length + 1)) / Math.max(1, held);
  }

  /** What a trigger of the lane that came now would take to its end: the wait, and a service as of late. */
  answerMs(lane: Lane): number {
    return this.predictedWaitMs(lane) + this.#lines[lane].serviceMs.value(0);
  }

  /** Waiting in the lane and in those above it. */
  #upTo(lane: Lane): number {
    return lanes.slice(0, lanes.indexOf(lane) + 1).reduce((sum, each) => sum + this.#lines[each].waiting.length, 0);
  }

  /** Whom an entry holds out for from now on; who does so is asked again in time, even if no capacity comes. */
  #hold(entry: Waiting, hold: Hold | undefined): void {
    const count = (worker: string, by: number) => {
      const holds = (this.#holds.get(worker) ?? 0) + by;
      if (holds > 0) this.#holds.set(worker, holds);
      else this.#holds.delete(worker);
    };
    if (entry.holds !== undefined) count(entry.holds, -1);
    entry.holds = hold?.hold;
    if (!hold) return;
    count(hold.hold, 1);
    const { clock } = this.#deps;
    const atMs = clock.now() + hold.againMs;
    if (this.#again && this.#again.atMs <= atMs) return;
    this.#again?.timer[Symbol.dispose]();
    const timer = clock.timer(hold.againMs, () => {
      this.#again = undefined;
      this.pump();
    });
    this.#again = { atMs, timer };
  }

  #timed(lane: Lane, booking: Booking): Booking {
    const { clock } = this.#deps;
    const line = this.#lines[lane];
    const since = clock.now();
    line.held += 1;
    let held = true;
    return {
      placement: booking.placement,
      release: () => {
        if (!held) return;
        held = false;
        line.held -= 1;
        line.serviceMs.add(clock.now() - since, clock.now());
        booking.release();
      },
    };
  }

  #changed(lane: Lane): void {
    const depth = (each: Lane) => this.#lines[each].waiting.length;
    this.#deps.metrics.queued.set({ lane }, depth(lane));
    this.#deps.depths({ inline: depth("inline"), chat: depth("chat"), speculative: depth("speculative"), batch: depth("batch") });
  }
}
