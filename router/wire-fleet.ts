// wire-fleet: the way to the workers made, new for each router: who they are (discovery), the links to them (dispatch), what is
// known of them (fleet), who waits for them (queue) and who is chosen (schedule). They tell each other of capacity and demand,
// each by what it is handed here.
import type { Bus } from "../lib/bus/bus.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import type { FleetView, WorkerView } from "./completion.ts";
import type { RouterConfig } from "./config.ts";
import { Discovery, type Resolver } from "./discovery/discovery.ts";
import { type Connect, Dispatch, dispatchDefaults } from "./dispatch/dispatch.ts";
import { Fleet, type FleetDeps } from "./fleet/fleet.ts";
import type { RouterMetrics } from "./metrics.ts";
import type { Rooms } from "./path.ts";
import { Prewarm, type Sent } from "./prewarm/prewarm.ts";
import { Queue } from "./queue/queue.ts";
import { hashOf, place, predict, scheduleDefaults, successorOf, weightOf } from "./schedule/schedule.ts";

type FleetWireOptions = Pick<
  RouterConfig,
  "name" | "workers" | "workersDns" | "workersDnsEveryMs" | "sessionsMax" | "queueMax" | "queueBytes" | "warmBytes"
>;

interface FleetWireDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: RouterMetrics;
  readonly bus: Bus;
  readonly connect: Connect;
  readonly resolver: Resolver | undefined;
  readonly leased: NonNullable<FleetDeps["leased"]>;
}

interface Workers extends Pick<Rooms, "fleet" | "queue" | "dispatch" | "prewarm" | "place" | "predict"> {
  readonly discovery: Discovery;
  /** Every pool that a worker here is of, with how many. */
  readonly pools: () => readonly { readonly pool: string; readonly workers: number }[];
  /** Of the workers that serve this model or pool; "": of any, or there is none. */
  readonly poolOf: (model: string) => string;
}

export function wireFleet(options: FleetWireOptions, deps: FleetWireDeps): Workers {
  const { clock, random, log, metrics, bus } = deps;
  const fleet = new Fleet(
    {
      leases: { max: options.sessionsMax, ttlMs: 300_000, exceptionTtlMs: 60_000 },
      warmth: { documentsMax: 20_000, bytesMax: 32 << 20, ttlMs: 300_000 },
      shared: { max: 10_000, ttlMs: 60_000, stepBlocks: 16, stepsMax: 16, workersMax: 8 },
    },
    {
      ...{ clock, capacity: () => queue.pump(), leased: deps.leased },
      joined: (worker) => prewarm.joined(worker),
      leaving: (worker, ms) => (ms > 0 ? prewarm.leaving(worker, ms) : prewarm.stop(worker)),
    },
  );
  const queue: Queue = new Queue(
    { max: options.queueMax, bytesMax: options.queueBytes, triesMax: 64, quantumMs: 100 },
    { clock, metrics, depths: (depths) => dispatch.demand(depths), slots: () => fleet.snapshot().slots },
  );
  const dispatch: Dispatch = new Dispatch(
    { ...dispatchDefaults, workers: [], router: options.name },
    {
      ...{ clock, random, log, metrics, connect: deps.connect, roster: fleet },
      address: (worker) => fleet.address(worker),
      capacity: () => queue.pump(),
    },
  );
  const staying = (prompt: Sent) =>
    fleet
      .snapshot()
      .workers.filter(
        (worker) =>
          !(worker.draining || worker.leaving) &&
          (prompt.pool === undefined || worker.pool === prompt.pool) &&
          worker.models.some(({ name }) => name === prompt.model),
      )
      .map(({ name }) => name);
  const prewarm: Prewarm = new Prewarm(
    {
      ...{ bytesMax: options.warmBytes, rememberedMax: options.sessionsMax, atOnceMax: 8, joinEveryMs: 30_000 },
      ...{ sessionsMax: 1_000, beginningsMax: 8, beginningBytesMax: 512 << 10 },
    },
    {
      ...{ clock, metrics, staying },
      held: (worker) => fleet.heldBy(worker),
      next: ({ session, prompt: { model, pool } }) =>
        successorOf(scheduleDefaults, { session, model, ...(pool !== undefined && { pool }) }, fleet.snapshot()),
      beginning: (prompt) => fleet.beginning(prompt),
      weight: (beginning, worker) => weightOf(hashOf(beginning), hashOf(worker)),
      send: (worker, tenant, { model, segments }) => dispatch.prewarm(worker, { model, tenant, segments }),
      warmed: (worker, recent, lease) => fleet.warmed(worker, recent, lease),
      settled: (worker) => dispatch.settled(worker),
    },
  );
  const discovery = new Discovery(
    { listed: options.workers, names: options.workersDns, everyMs: options.workersDnsEveryMs, max: 1_000 },
    {
      ...{ clock, bus, log, metrics, resolver: deps.resolver ?? noNames },
      reached: (worker) => fleet.address(worker),
      found: (addresses) => dispatch.retarget(addresses),
    },
  );
  return {
    ...{ fleet, queue, dispatch, prewarm, discovery },
    place: (asking, avoid) => {
      const moment = { now: clock.now(), random };
      return place(scheduleDefaults, asking, fleet.remembered(asking), fleet.snapshot(), moment, both(avoid, dispatch.barred));
    },
    predict: (asking) => predict(scheduleDefaults, asking, fleet.remembered(asking), fleet.snapshot(), clock.now()),
    pools: () => poolsOf(fleet.snapshot()),
    poolOf: (model) => poolOf(model, fleet.snapshot()),
  };
}

const noNames: Resolver = { resolve4: async () => [], resolve6: async () => [], resolveSrv: async () => [] };

/** Whom this generation avoids, with those whose generations end badly. */
function both(avoid: ReadonlySet<string>, barred: ReadonlySet<string>): ReadonlySet<string> {
  if (avoid.size === 0) return barred;
  return barred.size === 0 ? avoid : new Set([...avoid, ...barred]);
}

function poolsOf({ workers }: FleetView): { pool: string; workers: number }[] {
  const counts = new Map<string, number>();
  for (const { pool } of workers) counts.set(pool, (counts.get(pool) ?? 0) + 1);
  return [...counts].map(([pool, count]) => ({ pool, workers: count }));
}

function poolOf(model: string, { workers }: FleetView): string {
  const serves = (worker: WorkerView) => model === "" || worker.pool === model || worker.models.some(({ name }) => name === model);
  return workers.find(serves)?.pool ?? "";
}
