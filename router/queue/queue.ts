// queue: Triggers wait here, not in an engine, until a worker has a free credit (late binding), so that superseded work never
// reaches a GPU. Lanes by priority, earliest deadline first within a lane. Bounded by count; leaving by the trigger's signal.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { Ewma } from "../../lib/structures/ewma.ts";
import { type Booking, type Lane, lanes, type Trigger } from "../completion.ts";
import type { RouterMetrics } from "../metrics.ts";

export interface QueueOptions {
  /** Over all lanes. */
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

interface Waiting {
  readonly trigger: Trigger;
  readonly sinceMs: number;
  readonly place: () => Booking | undefined;
  readonly resolve: (booking: Booking) => void;
}

export class Queue {
  readonly #options: QueueOptions;
  readonly #deps: QueueDeps;
  readonly #lanes: Record<Lane, Waiting[]> = { inline: [], chat: [], speculative: [], batch: [] };
  readonly #serviceMs = new Ewma({ halfLifeMs: 10_000 });
  #held = 0;

  constructor(options: QueueOptions, deps: QueueDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  get length(): number {
    return lanes.reduce((sum, lane) => sum + this.#lanes[lane].length, 0);
  }

  /**
   * Waits until `place` finds a worker and books it. Rejects with the trigger's Retired when that comes first, with
   * `overloaded` when the queue is full.
   */
  next(trigger: Trigger, place: () => Booking | undefined): Promise<Booking> {
    if (trigger.signal.aborted) return Promise.reject(trigger.signal.reason);
    const { clock, metrics } = this.#deps;
    const line = this.#lanes[trigger.lane];
    if (line.length === 0) {
      const booking = place();
      if (booking) {
        metrics.queue_seconds.observe({ lane: trigger.lane }, 0);
        return Promise.resolve(this.#timed(booking));
      }
    }
    if (this.length >= this.#options.max) {
      metrics.queue_refused_total.inc({ lane: trigger.lane });
      return Promise.reject(
        new SlipstreamError("overloaded", "the router's queue is full", { retryAfterMs: Math.ceil(this.predictedWaitMs()) + 50 }),
      );
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        line.splice(line.indexOf(waiting), 1);
        this.#changed(trigger.lane);
        reject(trigger.signal.reason as Error);
      };
      const waiting: Waiting = {
        trigger,
        sinceMs: clock.now(),
        place,
        resolve: (booking) => {
          trigger.signal.removeEventListener("abort", leave);
          resolve(booking);
        },
      };
      const after = line.findIndex((other) => other.trigger.deadlineMs > trigger.deadlineMs);
      line.splice(after < 0 ? line.length : after, 0, waiting);
      trigger.signal.addEventListener("abort", leave, { once: true });
      this.#changed(trigger.lane);
    });
  }

  /** Capacity came: hand it to who waits, best lane and earliest deadline first. */
  pump(): void {
    let misses = 0;
    for (const lane of lanes) {
      const line = this.#lanes[lane];
      for (let i = 0; i < line.length && misses < this.#options.triesMax; ) {
        const waiting = line[i] as Waiting;
        const booking = waiting.place();
        if (!booking) {
          misses += 1;
          i += 1;
          continue;
        }
        line.splice(i, 1);
        this.#changed(lane);
        this.#deps.metrics.queue_seconds.observe({ lane }, (this.#deps.clock.now() - waiting.sinceMs) / 1000);
        waiting.resolve(this.#timed(booking));
      }
    }
  }

  /** What a trigger that came now would wait, by the mean service time of late. */
  predictedWaitMs(): number {
    if (this.length === 0) return 0;
    return (this.#serviceMs.value(0) * (this.length + 1)) / Math.max(1, this.#held);
  }

  #timed(booking: Booking): Booking {
    const { clock } = this.#deps;
    const since = clock.now();
    this.#held += 1;
    let held = true;
    return {
      placement: booking.placement,
      release: () => {
        if (!held) return;
        held = false;
        this.#held -= 1;
        this.#serviceMs.add(clock.now() - since, clock.now());
        booking.release();
      },
    };
  }

  #changed(lane: Lane): void {
    this.#deps.metrics.queued.set({ lane }, this.#lanes[lane].length);
    const { inline, chat, speculative, batch } = this.#lanes;
    this.#deps.depths({ inline: inline.length, chat: chat.length, speculative: speculative.length, batch: batch.length });
  }
}
