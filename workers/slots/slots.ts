// slots: a Generation in, a Slot of the engine out, as soon as one is free and nothing more urgent waits: better lane
// first, then earlier deadline. What expires while it waits is refused and never started. Holds at most `slots` that run (fewer
// where a step would outgrow its budget: batch.ts) and `waitingMax` that wait; an inline arrival at full slots retires work that
// may be taken back.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { type Generation, type Lane, lanes } from "../generation.ts";
import type { WorkerMetrics } from "../metrics.ts";
import { Batch } from "./batch.ts";
import { Ledger } from "./ledger.ts";

export type { LedgerStream } from "./ledger.ts";

export interface SlotsOptions {
  readonly slots: number;
  /** Handed out beyond the slots, so that none idles for a round trip (default 1). */
  readonly ahead?: number;
  /** Longest decode step (default 0: none). */
  readonly stepBudgetMs?: number;
  readonly waitingMax: number;
  /** Routers connected at once. */
  readonly routersMax: number;
}

/** Longer than a Credits frame and a Submit that cross on the way. */
const creditGraceMs = 1_000;

export interface Slot extends Disposable {
  readonly waitedMs: number;
}

interface Waiting {
  readonly work: Generation;
  readonly retire: () => void;
  readonly order: number;
  readonly enter: (slot: Slot) => void;
}

interface Holder {
  readonly work: Generation;
  readonly retire: () => void;
  readonly order: number;
  retiring: boolean;
}

/** Least worth keeping first. */
const preemptible: readonly Lane[] = ["batch", "speculative"];

export class Slots {
  /** Who may send how much; slots hands out what the ledger promised. */
  readonly ledger: Ledger;
  readonly #options: SlotsOptions;
  readonly #clock: Clock;
  readonly #metrics: Pick<WorkerMetrics, "preempted_total" | "queue_seconds" | "running" | "waiting" | "batch_max"> | undefined;
  /** In the order they are let in. */
  #waiting: Waiting[] = [];
  readonly #holders = new Set<Holder>();
  readonly #refusals = new Map<Waiting, (error: SlipstreamError) => void>();
  readonly #batch: Batch;
  #order = 0;
  #draining = false;

  constructor(
    options: SlotsOptions,
    deps: {
      clock: Clock;
      metrics?: Pick<WorkerMetrics, "preempted_total" | "queue_seconds" | "running" | "waiting" | "batch_max">;
    },
  ) {
    this.#options = options;
    this.#clock = deps.clock;
    this.#metrics = deps.metrics;
    const { slots, ahead = 1, routersMax, stepBudgetMs = 0 } = options;
    this.ledger = new Ledger({ slots, ahead, graceMs: creditGraceMs, routersMax }, deps);
    this.#batch = new Batch({ slots, stepBudgetMs });
  }

  get running(): number {
    return this.#holders.size;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Waits for a slot. Undefined when `signal` aborts first; throws `deadline_exceeded`, `overloaded` or `draining`.
   * `retire` is called when the slot is wanted back for inline work; it is free again when it is disposed.
   */
  enter(work: Generation, signal: AbortSignal, retire: () => void): Promise<Slot | undefined> {
    if (this.#draining) return Promise.reject(new SlipstreamError("draining", "the worker takes no new work"));
    if (signal.aborted) return Promise.resolve(undefined);
    if (this.#waiting.length >= this.#options.waitingMax) {
      return Promise.reject(new SlipstreamError("overloaded", `${this.#waiting.length} generations wait here, which is the most`));
    }
    return new Promise((resolve, reject) => {
      const entry: Waiting = { work, retire, order: this.#order++, enter: (slot) => settle(() => resolve(slot)) };
      const leave = () => settle(() => resolve(undefined));
      const settle = (how: () => void) => {
        this.#waiting = this.#waiting.filter((other) => other !== entry);
        this.#refusals.delete(entry);
        expiry?.[Symbol.dispose]();
        signal.removeEventListener("abort", leave);
        how();
        this.#count();
      };
      const expiry = Number.isFinite(work.deadlineMs)
        ? this.#clock.timer(work.deadlineMs - this.#clock.now(), () => settle(() => reject(expired())))
        : undefined;
      signal.addEventListener("abort", leave, { once: true });
      this.#refusals.set(entry, (error) => settle(() => reject(error)));
      this.#waiting.push(entry);
      this.#waiting.sort(before);
      this.#count();
      this.#fill();
      if (this.#waiting.includes(entry) && work.lane === "inline") this.#preempt();
    });
  }

  /** The engine's steps of late took so long with so many: fewer or more may run from now on. */
  stepped(running: number, ms: number): void {
    const before = this.#batch.max;
    this.#batch.stepped(running, ms);
    const { max } = this.#batch;
    if (max === before) return;
    this.#metrics?.batch_max.set({}, max);
    this.ledger.resize(max);
    this.#fill();
  }

  /** Refuses what waits and whatever comes; what runs runs on. */
  drain(): void {
    this.#draining = true;
    this.ledger.close();
    for (const refuse of [...this.#refusals.values()]) refuse(new SlipstreamError("draining", "the worker takes no new work"));
  }

  resume(): void {
    this.#draining = false;
    this.ledger.reopen();
  }

  #fill(): void {
    while (this.#holders.size < this.#batch.max) {
      const next = this.#waiting[0];
      if (!next) return;
      const now = this.#clock.now();
      // Its timer may be late by a turn of the event loop: never start what can no longer be in time.
      if (next.work.deadlineMs <= now) {
        this.#refusals.get(next)?.(expired());
        continue;
      }
      const holder: Holder = { work: next.work, retire: next.retire, order: next.order, retiring: false };
      this.#holders.add(holder);
      const waitedMs = now - next.work.receivedMs;
      this.#metrics?.queue_seconds.observe({ lane: next.work.lane }, waitedMs / 1_000);
      next.enter({
        waitedMs,
        [Symbol.dispose]: () => {
          if (!this.#holders.delete(holder)) return;
          this.#fill();
          this.#count();
        },
      });
    }
  }

  /** As many as inline work waits for, and no more: those on their way out count. */
  #preempt(): void {
    const wanted = this.#waiting.filter(({ work }) => work.lane === "inline").length;
    let leaving = [...this.#holders].filter((holder) => holder.retiring).length;
    const candidates = [...this.#holders]
      .filter((holder) => !holder.retiring && preemptible.includes(holder.work.lane))
      .sort((a, b) => preemptible.indexOf(a.work.lane) - preemptible.indexOf(b.work.lane) || b.order - a.order);
    for (const holder of candidates) {
      if (leaving >= wanted) return;
      holder.retiring = true;
      leaving += 1;
      this.#metrics?.preempted_total.inc({ lane: holder.work.lane });
      holder.retire();
    }
  }

  #count(): void {
    this.#metrics?.running.set({}, this.#holders.size);
    for (const lane of lanes) this.#metrics?.waiting.set({ lane }, this.#waiting.filter(({ work }) => work.lane === lane).length);
  }
}

function before(a: Waiting, b: Waiting): number {
  const lane = lanes.indexOf(a.work.lane) - lanes.indexOf(b.work.lane);
  if (lane !== 0) return lane;
  // Infinity − Infinity is no order: without a deadline, who came first.
  if (a.work.deadlineMs !== b.work.deadlineMs) return a.work.deadlineMs < b.work.deadlineMs ? -1 : 1;
  return a.order - b.order;
}

function expired(): SlipstreamError {
  return new SlipstreamError("deadline_exceeded", "the deadline passed while it waited for a slot");
}
