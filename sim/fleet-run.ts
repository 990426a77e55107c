// fleet-run: one router, its workers with pretend GPUs and crowds, under one fake clock: a run of minutes in seconds, the same for
// the same seed. Options in; what became of every trigger in the measured part, and what the workers spent, out.
import { MemoryBus } from "../lib/bus/memory.ts";
import { FakeClock } from "../lib/clock.fake.ts";
import { silentLog } from "../lib/log.ts";
import { fork, type Random, seeded } from "../lib/random.ts";
import { RouterFrameSchema, WorkerFrameSchema } from "../proto/gen/slipstream/v1/worker_pb.ts";
import { readRouterConfig } from "../router/config.ts";
import { routerMetricTable } from "../router/metrics.ts";
import type { Rooms } from "../router/path.ts";
import { wireRouter } from "../router/wire.ts";
import { profile as blocksOf, type ProfileEnd, type ProfileName } from "../workers/engine/simulated/profiles.ts";
import type { Generation } from "../workers/generation.ts";
import { type Crowd, type CrowdRecord, People } from "./crowd.ts";
import { pipe } from "./pipe.ts";
import { RecordedMetrics } from "./recorded-metrics.ts";
import type { Source } from "./trace/generate.ts";
import { WorkerNode } from "./worker-node.ts";

export interface FleetOptions {
  readonly seed: number;
  readonly workers: number;
  readonly slots: number;
  readonly profile: ProfileName;
  readonly profileEnd: ProfileEnd;
  /** Of the workers (default "inline"); and of others beside them, which are named by it. */
  readonly pool?: string;
  readonly also?: readonly { readonly pool: string; readonly workers: number; readonly profile: ProfileName }[];
  /** Where the policy document is; none by default. */
  readonly policy?: string;
  readonly crowds: readonly Crowd[];
  /** Of inline triggers. */
  readonly deadlineMs: number;
  readonly warmMs: number;
  readonly measureMs: number;
  /** Chance that a step of a pretend GPU stalls, and how long. */
  readonly stall: { readonly probability: number; readonly ms: number };
  /** False: what a router places waits in the worker's own queue. */
  readonly lateBinding: boolean;
  /** What a pretend model knows of what will be typed. */
  readonly oracle: (work: Generation) => string | undefined;
  /** Every worker of the first pool is replaced in turn, the first when the measured part begins. */
  readonly replaced?: {
    readonly everyMs: number;
    readonly handOverMs: number;
    readonly graceMs: number;
    readonly awayMs: number;
    /** Told of each as it begins to leave. */
    readonly leaves: (worker: string) => void;
  };
  /** Of prompts that the router keeps to warm workers with, instead of as shipped. */
  readonly warmBytes?: number;
  /** Given the router's rooms before the first trigger. */
  readonly measured: (rooms: Rooms, random: Random) => void;
}

export interface FleetFigures {
  readonly records: readonly CrowdRecord[];
  /** Time the pretend GPUs computed, of all the time they had. */
  readonly gpuMs: number;
  readonly gpuShare: number;
  /** Of the time of all slots: in use, and idle while something waited in the router. */
  readonly usedShare: number;
  readonly wantedShare: number;
  readonly recomputedTokens: number;
  readonly completionTokens: number;
  readonly hedges: number;
}

/** Slots that a GPU's memory is shared by: a worker with fewer has a part of it. */
const fullSlots = 16;
/** Generations that wait in an agent where work is bound at once. */
const boundEarly = 4_096;
/** Time goes on in pieces, so that an interrupt is heard. */
const pieceMs = 500;
const closingMs = 5_000;

export async function fleetRun(options: FleetOptions, sources: readonly Source[], signal: AbortSignal): Promise<FleetFigures> {
  const { seed, slots, profile, profileEnd, stall, lateBinding, warmMs, measureMs, oracle, measured } = options;
  const random = seeded(seed);
  const clock = new FakeClock();
  const recorded = new RecordedMetrics(routerMetricTable);
  const workers: WorkerNode[] = [];
  const { pool = "inline", also = [] } = options;
  const pools = [{ pool, workers: options.workers, profile }, ...also];
  for (const [i, each] of pools.flatMap((of, k) => Array.from({ length: of.workers }, (_, i) => [i, { ...of, k }] as const)))
    workers.push(
      await WorkerNode.start(
        {
          ...{ name: each.k === 0 ? `w${i}` : `${each.pool}${i}`, pool: each.pool },
          ...{ profile: each.profile, profileEnd, slots, seed, agreement: 1, stall },
          kvBlocks: Math.round((blocksOf(each.profile, profileEnd).kvBlocks * slots) / fullSlots),
          ...(lateBinding ? {} : { ahead: boundEarly }),
        },
        { clock, random: fork(random), oracle },
      ),
    );
  const links = fork(random);
  const bus = new MemoryBus();
  const router = wireRouter(
    {
      ...{ ...readRouterConfig({}), workers: workers.map(({ name }) => name), explainMax: 0, policy: options.policy ?? "" },
      ...(options.warmBytes !== undefined && { warmBytes: options.warmBytes }),
    },
    {
      ...{ clock, random: fork(random), log: silentLog, metrics: recorded.metrics, bus },
      connect: (address) => {
        const { client, server } = pipe(
          { up: RouterFrameSchema, down: WorkerFrameSchema, latencyMs: 0.2, jitterMs: 0.2 },
          { clock, random: links },
        );
        const worker = workers.find(({ name }) => name === address) as WorkerNode;
        const call = { signal: server.signal, metadata: () => undefined, peer: "router" };
        worker.link(server, call).then(
          () => server.end(),
          () => server.end(),
        );
        return client;
      },
      measured: (rooms) => measured(rooms, fork(random)),
    },
  );
  await clock.advance(100);
  let records: CrowdRecord[] = [];
  const people = new People(options.crowds, options, {
    ...{ clock, random: fork(random), router, sources },
    record: (record) => records.push(record),
  });
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= pieceMs) {
      signal.throwIfAborted();
      await clock.advance(Math.min(pieceMs, left));
    }
  };
  const counted = () => {
    const seconds = (state: string) => recorded.count("slot_seconds_total", { state });
    return {
      gpuMs: workers.reduce((sum, worker) => sum + worker.gpuMs, 0),
      ...{ used: seconds("used"), wanted: seconds("wanted"), idle: seconds("idle") },
      recomputedTokens: recorded.count("prompt_tokens_total", { kv: "recomputed" }),
      completionTokens: recorded.count("completion_tokens_total"),
      hedges: recorded.count("hedges_total", { end: "sent" }),
    };
  };
  try {
    await pass(warmMs);
    records = [];
    const before = counted();
    if (options.replaced) inTurn(workers.slice(0, options.workers), options.replaced, clock);
    await pass(measureMs);
    const after = counted();
    const grown = (key: keyof typeof before) => after[key] - before[key];
    const all = grown("used") + grown("wanted") + grown("idle");
    return {
      records,
      gpuMs: grown("gpuMs"),
      gpuShare: grown("gpuMs") / (measureMs * workers.length),
      usedShare: all === 0 ? 0 : grown("used") / all,
      wantedShare: all === 0 ? 0 : grown("wanted") / all,
      ...{ recomputedTokens: grown("recomputedTokens"), completionTokens: grown("completionTokens"), hedges: grown("hedges") },
    };
  } finally {
    people.stop();
    // What it still sends waits on the clock.
    await Promise.all([router.close(), clock.advance(closingMs)]);
    await bus.close();
  }
}

function inTurn(workers: readonly WorkerNode[], replaced: NonNullable<FleetOptions["replaced"]>, clock: FakeClock): void {
  const { everyMs, handOverMs, graceMs, awayMs, leaves } = replaced;
  for (const [i, worker] of workers.entries())
    clock.timer(i * everyMs, () => {
      leaves(worker.name);
      void worker.replace(handOverMs, graceMs, awayMs);
    });
}
