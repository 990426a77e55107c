// signals: what routers and workers say on the bus, of the last seconds: latency of pools as routers see it, drafts as their workers
// count them (drafts.ts), and which workers serve. Each namespace is a space of the bus; who speaks in none is believed of any
// namespace that has no voice of its own.
// Nothing is kept longer than it is true, and nothing is made up: without a report there is no figure. Bounded by pools, routers
// and workers; who hears more forgets the least recent.
import { fromBinary } from "@bufbuild/protobuf";
import type { Bus } from "../../lib/bus/bus.ts";
import { everySpace, spaceOf, subjects } from "../../lib/bus/subjects.ts";
import type { Clock } from "../../lib/clock.ts";
import { Lru } from "../../lib/structures/lru.ts";
import {
  type DraftReport,
  type PoolLoad,
  PoolLoadSchema,
  WorkerAnnouncementSchema,
} from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import { Lane } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import type { OperatorMetrics } from "../metrics.ts";
import type { PoolFigures, WorkerSays } from "../pool.ts";
import type { LoadSecond } from "../scaling.ts";
import { draftsOf } from "./drafts.ts";
import { LoadWindow } from "./load-window.ts";
import { RevisionWindow } from "./revision-window.ts";

export interface SignalsOptions {
  readonly windowMs: number;
  readonly poolsMax: number;
  readonly reportsMax: number;
  readonly workersMax: number;
  /** Seconds of load that are kept, a pool: more than from one writing of what is remembered to the next. */
  readonly secondsMax: number;
  /** For so long what a revision did is known: longer than a canary is watched for, and however few ask it. */
  readonly revisionsMs: number;
  /** Revisions of a pool, at any one time. */
  readonly revisionsMax: number;
}

export const signalsDefaults: SignalsOptions = {
  windowMs: 30_000,
  poolsMax: 1_000,
  reportsMax: 2_000,
  workersMax: 20_000,
  secondsMax: 150,
  revisionsMs: 604_800_000,
  revisionsMax: 8,
};

interface Report {
  readonly at: number;
  readonly load: PoolLoad;
}

interface Heard {
  readonly untilMs: number;
  readonly space: string;
  readonly pool: string;
  readonly drafts: DraftReport | undefined;
  readonly says: WorkerSays;
}

const laneOf = { Inline: Lane.INLINE, Chat: Lane.CHAT, Batch: Lane.BATCH } as const;
type Tier = keyof typeof laneOf;
const tiers = Object.keys(laneOf) as Tier[];

export class Signals {
  readonly #options: SignalsOptions;
  readonly #clock: Clock;
  readonly #metrics: Pick<OperatorMetrics, "signals_total"> | undefined;
  readonly #reports: Lru<Report[]>;
  readonly #workers: Lru<Heard>;
  readonly #windows: Lru<ReadonlyMap<Tier, { readonly load: LoadWindow; readonly revisions: RevisionWindow }>>;
  readonly #listening: Disposable[];

  /** `changed` names a pool whose workers said something new, and its namespace where that is known. */
  constructor(
    options: SignalsOptions,
    deps: {
      bus: Bus;
      clock: Clock;
      metrics?: Pick<OperatorMetrics, "signals_total">;
      changed: (namespace: string, pool: string) => void;
    },
  ) {
    this.#options = options;
    this.#clock = deps.clock;
    this.#metrics = deps.metrics;
    this.#reports = new Lru({ max: options.poolsMax });
    this.#workers = new Lru({ max: options.workersMax });
    this.#windows = new Lru({ max: options.poolsMax });
    this.#listening = [
      ...everySpace(subjects.allLoads).map((each) =>
        deps.bus.listen(each, ({ subject, data }) => this.#load(spaceOf(subject), data)),
      ),
      ...everySpace(subjects.allWorkers).map((each) =>
        deps.bus.listen(each, ({ subject, data }) => this.#worker(spaceOf(subject), data, deps.changed)),
      ),
    ];
  }

  close(): void {
    for (const each of this.#listening) each[Symbol.dispose]();
  }

  /** What a worker said of itself, while it serves. */
  says(namespace: string, worker: string): WorkerSays | undefined {
    const name = [key(namespace, worker), key("", worker)].find((each) => this.#serves(each));
    return name === undefined ? undefined : this.#workers.get(name, this.#clock.now())?.says;
  }

  /** The load of a pool's own lane, by whole seconds; empty where no router reports. */
  seconds(namespace: string, pool: string, tier: Tier): readonly LoadSecond[] {
    return this.#window(namespace, pool, tier)?.load.seconds(this.#clock.wall()) ?? [];
  }

  #window(namespace: string, pool: string, tier: Tier) {
    const now = this.#clock.now();
    return (this.#windows.get(key(namespace, pool), now) ?? this.#windows.get(key("", pool), now))?.get(tier);
  }

  #serves(worker: string): boolean {
    const now = this.#clock.now();
    const known = this.#workers.get(worker, now);
    return known !== undefined && known.untilMs > now;
  }

  /** Of the lane that a pool's tier is for. */
  figures(namespace: string, pool: string, tier: Tier): PoolFigures | undefined {
    const own = this.#lately(key(namespace, pool));
    const reports = own.length > 0 ? own : this.#lately(key("", pool));
    const drafts = this.#drafts(namespace, pool);
    if (reports.length === 0 && drafts.length === 0) return undefined;
    const lanes = reports.flatMap(({ load }) => load.lanes.filter(({ lane }) => lane === laneOf[tier]));
    const seconds = lanes.filter(({ finished, firstTextP95Ms }) => finished > 0 && firstTextP95Ms > 0);
    const finished = seconds.reduce((sum, lane) => sum + lane.finished, 0);
    return {
      p95Ms: finished === 0 ? undefined : seconds.reduce((sum, lane) => sum + lane.firstTextP95Ms * lane.finished, 0) / finished,
      attainment: (targetMs) =>
        finished === 0
          ? undefined
          : seconds.filter((lane) => lane.firstTextP95Ms <= targetMs).reduce((sum, lane) => sum + lane.finished, 0) / finished,
      revisions: (sinceMs) => this.#window(namespace, pool, tier)?.revisions.since(sinceMs, this.#clock.wall()) ?? new Map(),
      ...draftsOf(drafts),
    };
  }

  #drafts(namespace: string, pool: string): DraftReport[] {
    const now = this.#clock.now();
    return [...this.#workers.entries()].flatMap(([, heard]) =>
      heard.pool === pool && (heard.space === namespace || heard.space === "") && heard.untilMs > now && heard.drafts
        ? [heard.drafts]
        : [],
    );
  }

  #lately(pool: string): Report[] {
    const now = this.#clock.now();
    return (this.#reports.get(pool, now) ?? []).filter(({ at }) => at >= now - this.#options.windowMs);
  }

  #load(space: string, data: Uint8Array): void {
    const load = read(() => fromBinary(PoolLoadSchema, data));
    if (!load || load.pool === "") return;
    this.#metrics?.signals_total.inc({ kind: "load" });
    const now = this.#clock.now();
    const pool = key(space, load.pool);
    const kept = this.#lately(pool).slice(-(this.#options.reportsMax - 1));
    this.#reports.set(pool, [...kept, { at: now, load }], now);
    const windows = this.#windows.get(pool, now) ?? new Map(tiers.map((tier) => [tier, this.#windowsOf()]));
    this.#windows.set(pool, windows, now);
    for (const [tier, window] of windows) {
      const lane = load.lanes.find((each) => each.lane === laneOf[tier]);
      window.load.take({ atMs: this.#clock.wall(), router: load.router, workers: load.workersSeen, lane });
      window.revisions.take(this.#clock.wall(), lane?.revisions ?? []);
    }
  }

  #windowsOf() {
    const { secondsMax, revisionsMs: windowMs, revisionsMax } = this.#options;
    return { load: new LoadWindow({ secondsMax }), revisions: new RevisionWindow({ windowMs, revisionsMax }) };
  }

  #worker(space: string, data: Uint8Array, changed: (namespace: string, pool: string) => void): void {
    const said = read(() => fromBinary(WorkerAnnouncementSchema, data));
    if (!said || said.worker === "") return;
    this.#metrics?.signals_total.inc({ kind: "worker" });
    const now = this.#clock.now();
    const worker = key(space, said.worker);
    const before = this.#serves(worker);
    // Who warms up is there for routers, and serves nobody yet.
    if (said.ttlMs === 0 || said.warming) this.#workers.delete(worker);
    else {
      const untilMs = now + Math.min(said.ttlMs, 60_000);
      const { pool, drafts, outstanding, leaving, kvBlocksUsed } = said;
      const acceptance = drafts && draftsOf([drafts]).acceptance;
      this.#workers.set(worker, { untilMs, space, pool, drafts, says: { outstanding, leaving, kvBlocksUsed, acceptance } }, now);
    }
    if (before !== this.#serves(worker)) changed(space, said.pool);
  }
}

const key = (namespace: string, name: string) => `${namespace}/${name}`;

/** A message that is none is another release's, or somebody else's: it says nothing. */
function read<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
