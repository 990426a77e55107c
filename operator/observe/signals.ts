// signals: what routers and workers say on the bus, of the last seconds: latency and acceptance of pools, and which workers serve.
// Nothing is kept longer than it is true, and nothing is made up: without a report there is no figure. Bounded by pools, routers
// and workers; who hears more forgets the least recent.
import { fromBinary } from "@bufbuild/protobuf";
import type { Bus } from "../../lib/bus/bus.ts";
import { subjects } from "../../lib/bus/subjects.ts";
import type { Clock } from "../../lib/clock.ts";
import { Lru } from "../../lib/structures/lru.ts";
import { type PoolLoad, PoolLoadSchema, WorkerAnnouncementSchema } from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import { Lane } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import type { OperatorMetrics } from "../metrics.ts";
import type { PoolFigures } from "../pool.ts";

export interface SignalsOptions {
  readonly windowMs: number;
  readonly poolsMax: number;
  readonly reportsMax: number;
  readonly workersMax: number;
}

export const signalsDefaults: SignalsOptions = { windowMs: 30_000, poolsMax: 1_000, reportsMax: 2_000, workersMax: 20_000 };

interface Report {
  readonly at: number;
  readonly load: PoolLoad;
}

const laneOf = { Inline: Lane.INLINE, Chat: Lane.CHAT, Batch: Lane.BATCH } as const;

export class Signals {
  readonly #options: SignalsOptions;
  readonly #clock: Clock;
  readonly #metrics: Pick<OperatorMetrics, "signals_total"> | undefined;
  readonly #reports: Lru<Report[]>;
  readonly #workers: Lru<{ readonly untilMs: number; readonly pool: string }>;
  readonly #listening: Disposable[];

  /** `changed` names a pool whose workers said something new. */
  constructor(
    options: SignalsOptions,
    deps: { bus: Bus; clock: Clock; metrics?: Pick<OperatorMetrics, "signals_total">; changed: (pool: string) => void },
  ) {
    this.#options = options;
    this.#clock = deps.clock;
    this.#metrics = deps.metrics;
    this.#reports = new Lru({ max: options.poolsMax });
    this.#workers = new Lru({ max: options.workersMax });
    this.#listening = [
      deps.bus.listen(subjects.allLoads, ({ data }) => this.#load(data)),
      deps.bus.listen(subjects.allWorkers, ({ data }) => this.#worker(data, deps.changed)),
    ];
  }

  close(): void {
    for (const each of this.#listening) each[Symbol.dispose]();
  }

  heard(worker: string): boolean {
    const now = this.#clock.now();
    const known = this.#workers.get(worker, now);
    return known !== undefined && known.untilMs > now;
  }

  /** Of the lane that a pool's tier is for. */
  figures(pool: string, tier: keyof typeof laneOf): PoolFigures | undefined {
    const since = this.#clock.now() - this.#options.windowMs;
    const reports = (this.#reports.get(pool, this.#clock.now()) ?? []).filter(({ at }) => at >= since);
    if (reports.length === 0) return undefined;
    const lanes = reports.flatMap(({ load }) => load.lanes.filter(({ lane }) => lane === laneOf[tier]));
    const seconds = lanes.filter(({ finished, firstTextP95Ms }) => finished > 0 && firstTextP95Ms > 0);
    const finished = seconds.reduce((sum, lane) => sum + lane.finished, 0);
    const drafting = reports.map(({ load }) => load.draftAcceptance).filter((share) => share > 0);
    return {
      p95Ms: finished === 0 ? undefined : seconds.reduce((sum, lane) => sum + lane.firstTextP95Ms * lane.finished, 0) / finished,
      attainment: (targetMs) =>
        finished === 0
          ? undefined
          : seconds.filter((lane) => lane.firstTextP95Ms <= targetMs).reduce((sum, lane) => sum + lane.finished, 0) / finished,
      acceptance: drafting.length === 0 ? undefined : drafting.reduce((sum, share) => sum + share, 0) / drafting.length,
    };
  }

  #load(data: Uint8Array): void {
    const load = read(() => fromBinary(PoolLoadSchema, data));
    if (!load || load.pool === "") return;
    this.#metrics?.signals_total.inc({ kind: "load" });
    const now = this.#clock.now();
    const reports = this.#reports.get(load.pool, now) ?? [];
    const since = now - this.#options.windowMs;
    const kept = reports.filter(({ at }) => at >= since).slice(-(this.#options.reportsMax - 1));
    this.#reports.set(load.pool, [...kept, { at: now, load }], now);
  }

  #worker(data: Uint8Array, changed: (pool: string) => void): void {
    const said = read(() => fromBinary(WorkerAnnouncementSchema, data));
    if (!said || said.worker === "") return;
    this.#metrics?.signals_total.inc({ kind: "worker" });
    const now = this.#clock.now();
    const before = this.heard(said.worker);
    if (said.ttlMs === 0) this.#workers.delete(said.worker);
    else this.#workers.set(said.worker, { untilMs: now + Math.min(said.ttlMs, 60_000), pool: said.pool }, now);
    if (before !== said.ttlMs > 0) changed(said.pool);
  }
}

/** A message that is none is another release's, or somebody else's: it says nothing. */
function read<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
