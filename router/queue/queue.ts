// queue: generations wait here, not in an engine, until a worker has a free credit (late binding), so that superseded work never
// reaches a GPU. Lanes by priority; in a lane tenants in turn, earliest deadline first, newest first within a session (line.ts).
// What can no longer be in time is refused, never started, as soon as that shows (overdue.ts). Bounded by count and bytes over
// all lanes: for better work, or that of a tenant with fewer waiting, the least worth keeping gives way. Leaving by the work's
// signal.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { type Booking, type Hold, type Lane, type Late, lanes, type Work } from "../completion.ts";
import type { RouterMetrics } from "../metrics.ts";
import { overdue, waitOf } from "./overdue.ts";
import { Shares } from "./shares.ts";
import { count, type LaneState, newLane, type Place, type Size, type Waited, type Waiting } from "./waiting.ts";

export type { Place, Size, Waited };

export interface QueueOptions {
  /** Waiting in all lanes together, and the bytes of their prompts. */
  readonly max: number;
  readonly bytesMax: number;
  /** Waiting generations tried at one change of capacity: those behind wait for the same worker nearly always. */
  readonly triesMax: number;
  /** Worker time that a tenant is served in a round. */
  readonly quantumMs: number;
}

export interface QueueDeps {
  readonly clock: Clock;
  readonly metrics: Pick<RouterMetrics, "queued" | "queued_bytes" | "queue_seconds" | "queue_refused_total" | "slot_seconds_total">;
  /** Told when the depth of a lane changes, so that workers can share out their credits. */
  readonly depths: (depths: Readonly<Record<Lane, number>>) => void;
  /** Slots of all workers, and those in use, at this moment. */
  readonly slots: () => { readonly all: number; readonly used: number };
}

/** When the last of its readers has no more use for it. */
const dueOf = (work: Work) => work.due?.() ?? work.deadlineMs;
const shuttingDown = () => new SlipstreamError("draining", "the router is shutting down");
const retryMinMs = 50;

export class Queue {
  readonly #options: QueueOptions;
  readonly #deps: QueueDeps;
  readonly #lanes: Readonly<Record<Lane, LaneState>>;
  readonly #shares: Shares;
  #length = 0;
  #bytes = 0;
  /** How many hold out for each worker. */
  readonly #holds = new Map<string, number>();
  #again: { readonly atMs: number; readonly timer: Disposable } | undefined;
  #closed = false;

  constructor(options: QueueOptions, deps: QueueDeps) {
    this.#options = options;
    this.#deps = deps;
    const lane = () => newLane(options.quantumMs);
    this.#lanes = { inline: lane(), chat: lane(), speculative: lane(), batch: lane() };
    this.#shares = new Shares({
      clock: deps.clock,
      slots: deps.slots,
      seconds: (state, s) => deps.metrics.slot_seconds_total.inc({ state }, s),
    });
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Share of all slots that stood idle while something waited for one, of late. */
  get idleShare(): number {
    return this.#shares.idle;
  }

  /**
   * Waits until `place` finds a worker and books it. Rejects with the work's Retired when that comes first, with `too_late` when
   * it cannot be in time, with `overloaded` when the queue is full.
   */
  next(work: Work, size: Size, place: Place): Promise<Booking> {
    if (work.signal.aborted) return Promise.reject(work.signal.reason);
    if (this.#closed) return Promise.reject(shuttingDown());
    const { clock, metrics } = this.#deps;
    const { lane, tenant } = work;
    // Capacity goes to those who wait as it comes (pump); what is left now is of no use to any of them.
    const placed = place({
      waitedMs: 0,
      greedy: this.#shares.isGreedy(tenant),
      ahead: (worker) => this.#holds.get(worker) ?? 0,
    });
    if ("placement" in placed) {
      metrics.queue_seconds.observe({ lane }, 0);
      return Promise.resolve(this.#timed(work, size.model, placed));
    }
    if ("lateByMs" in placed) return Promise.reject(this.#late(lane, placed));
    if (!this.#makeRoom(work, size)) return Promise.reject(this.#full(lane, tenant));
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#remove(entry);
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
      const entry: Waiting = {
        work,
        ...size,
        sinceMs: clock.now(),
        place,
        go,
        refuse,
        holds: undefined,
        startByMs: undefined,
        dueMs: dueOf(work),
      };
      work.signal.addEventListener("abort", leave, { once: true });
      this.#lanes[lane].line.add(entry);
      this.#length += 1;
      this.#bytes += size.bytes;
      this.#hold(entry, placed);
      this.#changed(lane);
      // Whoever stands behind it now waits longer; it may be its own wait that is too long.
      this.#refuseOverdue(lane);
    });
  }

  /** Capacity came: hand it to who waits, best lane first. */
  pump(): void {
    this.#shares.changed(this.#length);
    if (this.#length === 0) return;
    const now = this.#deps.clock.now();
    const ahead = new Map<string, number>();
    const missed = new Set<Waiting>();
    for (const lane of lanes) while (this.#serve(lane, now, ahead, missed));
    for (const lane of lanes) this.#refuseOverdue(lane);
  }

  /** Nobody waits any more: the router is going. */
  close(): void {
    this.#closed = true;
    this.#again?.timer[Symbol.dispose]();
    this.#again = undefined;
    for (const lane of lanes)
      for (const entry of [...this.#lanes[lane].line.order()]) {
        this.#remove(entry);
        entry.refuse(shuttingDown());
      }
  }

  /** What a generation of the lane, of any model or of one, that came now would wait: those who would be served first, by the lane's service of late. */
  predictedWaitMs(lane: Lane, tenant: string, model?: string): number {
    const { line, serviceMs, held, heldOf } = this.#lanes[lane];
    const all = line.order();
    // Whoever waits for another model's workers is before nobody of this one.
    const [order, of] = model === undefined ? [all, held] : [[...all].filter((each) => each.model === model), heldOf.get(model)];
    return waitOf(order, tenant, serviceMs.value(0), of ?? 0);
  }

  /** How long a generation of the lane was under way of late; 0: not known. */
  serviceMs(lane: Lane): number {
    return this.#lanes[lane].serviceMs.value(0);
  }

  /** What a generation of the lane that came now would take to its end: the wait, and a service as of late. */
  answerMs(lane: Lane, tenant: string): number {
    return this.predictedWaitMs(lane, tenant) + this.#lanes[lane].serviceMs.value(0);
  }

  /** How much of its share of all slots a tenant has in use: others' floods do not make it slower to ask. */
  busyShare(tenant: string): number {
    return this.#shares.of(tenant);
  }

  /** Has it more than its share of the slots already, while others are about? */
  isGreedy(tenant: string): boolean {
    return this.#shares.isGreedy(tenant);
  }

  /** Tries who waits in a lane, in turn; true when one was served, and the turn may be another's. */
  #serve(lane: Lane, now: number, ahead: Map<string, number>, missed: Set<Waiting>): boolean {
    const { line } = this.#lanes[lane];
    for (const entry of line.order()) {
      if (missed.has(entry)) continue;
      if (missed.size >= this.#options.triesMax) return false;
      const waitedMs = now - entry.sinceMs;
      const placed = entry.place({
        waitedMs,
        greedy: this.#shares.isGreedy(entry.work.tenant),
        ahead: (worker) => ahead.get(worker) ?? 0,
      });
      if ("placement" in placed) {
        line.charge(entry);
        this.#remove(entry);
        entry.go(this.#timed(entry.work, entry.model, placed));
        this.#deps.metrics.queue_seconds.observe({ lane }, waitedMs / 1000);
        return true;
      }
      if ("lateByMs" in placed) {
        this.#remove(entry);
        entry.refuse(this.#late(lane, placed));
        continue;
      }
      missed.add(entry);
      this.#hold(entry, placed);
      if (placed.hold !== undefined) ahead.set(placed.hold, (ahead.get(placed.hold) ?? 0) + 1);
    }
    return false;
  }

  /** Who waits in vain, by the pace of late, hears of it now. */
  #refuseOverdue(lane: Lane): void {
    const { line, serviceMs, heldOf } = this.#lanes[lane];
    if (line.length === 0) return;
    const pace = { serviceMs: serviceMs.value(0), held: (model: string) => heldOf.get(model) ?? 0 };
    for (const [entry, lateByMs] of [...overdue(line.order(), this.#deps.clock.now(), pace)]) {
      // Somebody with more time joined it since it was thought over: it is soon again.
      if (dueOf(entry.work) > entry.dueMs) continue;
      this.#remove(entry);
      entry.refuse(this.#late(lane, { lateByMs }));
    }
  }

  /** Room for one more: there is, or what is worth less gives way. */
  #makeRoom(work: Work, { bytes }: Size): boolean {
    const { max, bytesMax } = this.#options;
    const fits = () => this.#length < max && this.#bytes + bytes <= bytesMax;
    while (!fits()) {
      const worst = lanes.findLast((lane) => this.#lanes[lane].line.length > 0);
      if (worst === undefined || lanes.indexOf(worst) < lanes.indexOf(work.lane)) return false;
      const { line } = this.#lanes[worst];
      const given = line.last;
      if (!given) return false;
      if (worst === work.lane && line.waitingOf(given.work.tenant) <= line.waitingOf(work.tenant) + 1) return false;
      this.#remove(given);
      given.refuse(this.#full(worst, given.work.tenant));
    }
    return true;
  }

  #full(lane: Lane, tenant: string): SlipstreamError {
    this.#deps.metrics.queue_refused_total.inc({ lane, why: "full" });
    const retryAfterMs = Math.ceil(this.predictedWaitMs(lane, tenant)) + retryMinMs;
    return new SlipstreamError("overloaded", "the router's queue is full", { retryAfterMs });
  }

  #late(lane: Lane, { lateByMs }: Late): SlipstreamError {
    this.#deps.metrics.queue_refused_total.inc({ lane, why: "late" });
    const retryAfterMs = Math.ceil(Math.min(lateByMs, 60_000)) + retryMinMs;
    return new SlipstreamError("too_late", "no worker can answer before the deadline", { retryAfterMs });
  }

  #remove(entry: Waiting): void {
    const { lane } = entry.work;
    if (!this.#lanes[lane].line.remove(entry)) return;
    this.#length -= 1;
    this.#bytes -= entry.bytes;
    this.#hold(entry, undefined);
    this.#changed(lane);
  }

  /** Whom an entry holds out for from now on; it is asked again in time, even if no capacity comes. */
  #hold(entry: Waiting, hold: Hold | undefined): void {
    const count = (worker: string, by: number) => {
      const holds = (this.#holds.get(worker) ?? 0) + by;
      if (holds > 0) this.#holds.set(worker, holds);
      else this.#holds.delete(worker);
    };
    if (entry.holds !== undefined) count(entry.holds, -1);
    entry.holds = hold?.hold;
    entry.startByMs = hold?.startByMs;
    entry.dueMs = dueOf(entry.work);
    if (!hold) return;
    if (hold.hold !== undefined) count(hold.hold, 1);
    if (!Number.isFinite(hold.againMs)) return;
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

  #timed({ lane, tenant }: Work, model: string, booking: Booking): Booking {
    const { clock } = this.#deps;
    const state = this.#lanes[lane];
    const since = clock.now();
    count(state, model, 1);
    const back = this.#shares.take(tenant);
    let held = true;
    return {
      placement: booking.placement,
      release: (spent) => {
        if (!held) return;
        held = false;
        count(state, model, -1);
        back();
        state.serviceMs.add(clock.now() - since, clock.now());
        booking.release(spent);
      },
    };
  }

  #changed(lane: Lane): void {
    const depth = (each: Lane) => this.#lanes[each].line.length;
    this.#shares.changed(this.#length);
    this.#deps.metrics.queued.set({ lane }, depth(lane));
    this.#deps.metrics.queued_bytes.set({}, this.#bytes);
    this.#deps.depths({ inline: depth("inline"), chat: depth("chat"), speculative: depth("speculative"), batch: depth("batch") });
  }
}
