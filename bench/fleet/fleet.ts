// fleet: two routers on a real NATS, several workers and people whose keys reach the routers in turn, each a process on loopback;
// NATS is killed and brought back on the way. Out comes what a newer trigger at one router costs the older one at the other,
// whether anybody noticed that NATS was away, and whether the stream holds an outcome for every trigger, once.
import { setMaxListeners } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import type { Status } from "../../router/status.ts";
import type { ProfileName } from "../../workers/engine/simulated/profiles.ts";
import { BenchProcess } from "../keys/process.ts";
import { ownSources } from "../keys/sources.ts";
import type { Records } from "../records/records.ts";
import { NatsProcess } from "./nats-process.ts";
import { pairsOf } from "./pairs.ts";
import { type Away, type FleetReport, reportOf } from "./report.ts";
import { type Calls, roam } from "./roamer.ts";
import type { Arrival, FleetRouterFigures, FleetRouterOrders } from "./router-process.ts";
import { sharedMs } from "./times.ts";
import type { FleetWorkerFigures, FleetWorkerOrders } from "./worker-process.ts";

export interface FleetOptions {
  readonly natsServer: string;
  readonly profile: ProfileName;
  readonly workers: number;
  readonly slots: number;
  readonly people: number;
  readonly seconds: number;
  readonly seed: number;
}

const routerNames = ["r0", "r1"] as const;
/** Of the run: when NATS is killed, and when it is back. */
const killedAt = 1 / 3;
const backAt = 1 / 2;
/** A bus that was away is found again within this; outcomes follow. */
const settlesWithinMs = 20_000;
const deadlineMs = 5_000;

interface Deps {
  readonly records?: Records;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export async function benchFleet(options: FleetOptions, deps: Deps): Promise<FleetReport> {
  const { say, signal } = deps;
  const folder = mkdtempSync(join(tmpdir(), "slipstream-fleet-"));
  const nats = new NatsProcess({ program: options.natsServer, folder });
  const processes: BenchProcess[] = [];
  const clients: GrpcClient[] = [];
  try {
    await nats.start();
    const workers = await Promise.all(
      Array.from({ length: options.workers }, (_, i) => {
        const { profile, slots, seed } = options;
        return started(processes, "worker", { name: `w${i}`, profile, slots, seed } satisfies FleetWorkerOrders);
      }),
    );
    const addresses = workers.map(({ address }) => address);
    const all = await Promise.all(
      routerNames.map((name) => {
        const orders: FleetRouterOrders = { name, workers: addresses, nats: nats.address, spool: join(folder, name) };
        return started(processes, "router", orders);
      }),
    );
    const routers = new Routers(all);
    await routers.until("both routers know each other", ({ bus }) => bus.connected && bus.routers.length === 1, signal);
    say(`${options.people} people type to ${routerNames.length} routers and ${options.workers} workers for ${options.seconds} s`);
    clients.push(...all.map(({ address }) => new GrpcClient({ address })));
    const { calls, away } = await typed(options, { ...deps, nats, clients, routers });
    say("the last outcomes go to the stream");
    await routers.until("every outcome is stored", ({ bus }) => bus.connected && bus.outcomesWaiting === 0, signal);
    const taken = await Promise.all(workers.map(({ process }) => process.take<FleetWorkerFigures>()));
    const ran = taken.flatMap(({ figures }) => figures.ran);
    return reportOf({ calls, away, pairs: pairsOf(routers.arrivals, routers.told, ran), batches: await nats.batches() });
  } finally {
    for (const client of clients) client.close();
    await Promise.all(processes.map((each) => each.end()));
    await nats.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Started {
  readonly name: string;
  readonly address: string;
  readonly process: BenchProcess;
}

async function started(
  processes: BenchProcess[],
  entry: "router" | "worker",
  orders: FleetWorkerOrders | FleetRouterOrders,
): Promise<Started> {
  const made = await BenchProcess.start(entry, orders, [], "fleet");
  processes.push(made.process);
  return { ...made, name: orders.name };
}

/** Both routers: what they say of themselves now, and all arrivals that they have ever told. */
class Routers {
  readonly #all: readonly Started[];
  readonly arrivals: { readonly name: string; readonly arrivals: Arrival[] }[];
  readonly told: FleetRouterFigures["told"][number][] = [];

  constructor(all: readonly Started[]) {
    this.#all = all;
    this.arrivals = all.map(({ name }) => ({ name, arrivals: [] }));
  }

  async statuses(): Promise<Status[]> {
    const taken = await Promise.all(this.#all.map(({ process }) => process.take<FleetRouterFigures>()));
    for (const [i, { figures }] of taken.entries()) {
      this.arrivals[i]?.arrivals.push(...figures.arrivals);
      this.told.push(...figures.told);
    }
    return taken.map(({ figures }) => figures.status);
  }

  /** Waits until all say so. */
  async until(what: string, holds: (status: Status) => boolean, signal: AbortSignal): Promise<void> {
    const sinceMs = systemClock.now();
    while (!(await this.statuses()).every(holds)) {
      if (systemClock.now() - sinceMs > settlesWithinMs)
        throw new SlipstreamError("unavailable", `after ${settlesWithinMs / 1_000} s it does not hold: ${what}`);
      await systemClock.sleep(50, signal);
    }
  }
}

/** The run itself: people type, and NATS goes and comes back. */
async function typed(
  options: FleetOptions,
  { nats, clients, routers, say, signal, records }: Deps & { nats: NatsProcess; clients: readonly GrpcClient[]; routers: Routers },
): Promise<{ calls: Calls; away: Away }> {
  const begunMs = systemClock.now();
  const ended: Calls["ended"] = ({ id, askedMs, outcome, totalMs }) =>
    records?.add("fleet", { t_ms: Math.round(askedMs - begunMs), id, outcome, total_ms: totalMs });
  const calls: Calls = { asked: new Set(), outcomes: new Map(), failures: [], ended };
  const over = new AbortController();
  setMaxListeners(0, over.signal);
  const stop = () => over.abort(new Error("the bench is over"));
  signal.addEventListener("abort", stop, { once: true });
  const sources = ownSources();
  const typing = Promise.all(
    Array.from({ length: options.people }, (_, i) =>
      roam({ name: `p${i}`, seed: options.seed * 10_007 + i, sources, deadlineMs }, clients, calls, over.signal),
    ),
  );
  const wallMs = options.seconds * 1_000;
  try {
    await systemClock.sleep(wallMs * killedAt, signal);
    say("nats-server is killed");
    const fromMs = sharedMs();
    await nats.kill();
    await systemClock.sleep(wallMs * (backAt - killedAt), signal);
    const degraded = (await routers.statuses()).every(({ bus }) => !bus.connected);
    await nats.start();
    const backMs = sharedMs();
    say("nats-server is back");
    await routers.until("both routers are on the bus", ({ bus }) => bus.connected, signal);
    const toMs = sharedMs();
    await systemClock.sleep(wallMs * (1 - backAt), signal);
    return { calls, away: { fromMs, backMs, toMs, degraded } };
  } finally {
    stop();
    await typing;
  }
}
