// wire-verify: the URL of a running engine and a worker's settings in; what of the engines' contract it keeps behind the agent's own
// adapter, and how fast, out. Loads the engine as a worker would, and leaves it as it was.
import { hostname } from "node:os";
import type { Clock } from "../lib/clock.ts";
import type { Env } from "../lib/config.ts";
import { silentLog } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import { version } from "../lib/version.ts";
import { readWorkerConfig, type WorkerConfig } from "./config.ts";
import type { Ability } from "./engine/contract/abilities.ts";
import { contractFor, type Item, type Subject } from "./engine/contract/contract.ts";
import { type Timings, timingsOf } from "./engine/contract/timings.ts";
import { type Verified, verifyItems } from "./engine/contract/verifying.ts";
import { withoutAddresses } from "./engine/contract/without-addresses.ts";
import type { Engine } from "./engine/engine.ts";
import { isGrpc } from "./engine/grpc-calls.ts";
import { createWorkerMetrics } from "./metrics.ts";
import { countedThere } from "./wire-counted.ts";
import { type EngineReport, probeEngine, probeOptions } from "./wire-probe.ts";
import { startServed } from "./wire-served.ts";

export type { Verified } from "./engine/contract/verifying.ts";

export interface VerifyReport extends Pick<EngineReport, "engine" | "kind" | "server" | "version" | "models" | "can"> {
  /** Of this report's shape. */
  readonly format: 1;
  readonly slipstream: string;
  readonly node: string;
  /** Only where it was asked for. */
  readonly url?: string;
  /** As the worker would be set. */
  readonly settings: {
    readonly slots: number;
    readonly seats?: number;
    readonly confidence: boolean;
    readonly tokens_out: boolean;
  };
  /** "none": it has no count of what it runs; "others": somebody else uses it, so that its count says nothing here. */
  readonly own_count: "used" | "none" | "others";
  readonly items: readonly Verified[];
  readonly broken: number;
  readonly not_tried: number;
  /** Absent: it was interrupted, or gone. */
  readonly timings?: Timings;
}

export interface VerifyEngineOptions {
  readonly url: string;
  readonly env: Env;
  /** Generations that the engine itself runs at once, where somebody knows it. */
  readonly seats: number | undefined;
  /** Puts it to sleep and wakes it, where it can. */
  readonly sleep: boolean;
  /** Says in the report where it was. */
  readonly withUrl: boolean;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly say: (about: string) => void;
  readonly progress: (item: Item, verified: Verified | undefined, of: { readonly number: number; readonly all: number }) => void;
}

/** A check waits for 20 s where it waits, and asks a few times. */
const itemMs = 120_000;
const timingRounds = 10;

export async function verifyEngine(options: VerifyEngineOptions, deps: Deps): Promise<VerifyReport> {
  const { clock, signal, say } = deps;
  const { url, env, seats } = options;
  say("asking the engine what it is");
  const asking = probeOptions(url, env);
  const found = await probeEngine(asking, deps);
  const config = readWorkerConfig(settingsFor(options, found));
  const counted = await countedThere(url, asking.keyFile, found.kind, deps);
  let engine: Engine | undefined;
  try {
    say(`starting the agent's side of ${found.server} ${found.version}`);
    engine = await startServed(config, { ...deps, log: silentLog, metrics: createWorkerMetrics() });
    const own = await ownCount(counted?.ask);
    const subject: Subject = {
      ...{ engine, kind: found.kind, clock, has: abilitiesOf(found, config) },
      ...(seats !== undefined && { seats }),
      ...(own === "used" && counted && { counted: async () => (await counted.ask()) ?? 0 }),
    };
    const items = contractFor({ ...subject, mayKill: false });
    const verified = await verifyItems(
      items,
      subject,
      { limitMs: itemMs, without: leftOut(options) },
      {
        ...{ clock, signal },
        progress: (item, became) => deps.progress(item, became, { number: items.indexOf(item) + 1, all: items.length }),
      },
    );
    const shown = verified.map((each) => ({ ...each, why: withoutAddresses(each.why, url, hostname()) }));
    const timings = await measured(subject, verified, deps);
    return {
      ...{ format: 1, slipstream: version, node: process.version },
      ...{ engine: found.engine, kind: found.kind, server: found.server, version: found.version },
      ...{ models: found.models, can: found.can },
      ...(options.withUrl && { url }),
      settings: {
        ...{ slots: config.slots, ...(seats !== undefined && { seats }) },
        ...{ confidence: config.engineConfidence, tokens_out: config.engineTokensOut },
      },
      own_count: own,
      items: shown,
      broken: verified.filter(({ became }) => became === "broken").length,
      not_tried: verified.filter(({ became }) => became === "not_tried").length,
      ...(timings && { timings }),
    };
  } finally {
    await engine?.close();
    counted?.close();
  }
}

/** The worker's own, with what a verification needs where nothing is said. */
function settingsFor({ url, env, seats }: VerifyEngineOptions, { engine, kind }: EngineReport): Env {
  const oneTenant = isGrpc(url) || kind === "tensorrt_triton" ? { SLIPSTREAM_WORKER_ONE_TENANT: "true" } : {};
  const oneLane = isGrpc(url) ? { SLIPSTREAM_WORKER_ONLY_LANE: "inline" } : {};
  const slots = Number(env["SLIPSTREAM_WORKER_SLOTS"] ?? 4);
  return {
    ...{ SLIPSTREAM_WORKER_ENGINE_START: "30s", ...oneTenant, ...oneLane, ...env },
    ...{ SLIPSTREAM_WORKER_ENGINE: engine, SLIPSTREAM_WORKER_ENGINE_URL: url },
    // Somebody else runs it, and it stays awake.
    ...{ SLIPSTREAM_WORKER_ENGINE_COMMAND: "", SLIPSTREAM_WORKER_ENGINE_SLEEP: "0ms" },
    // The order in its queue is seen only where there is one.
    ...(seats !== undefined && slots < seats + 2 && { SLIPSTREAM_WORKER_SLOTS: String(seats + 2) }),
  };
}

function abilitiesOf({ has }: EngineReport, { engineConfidence, engineAdapters }: WorkerConfig): Ability[] {
  return [
    ...has,
    ...(engineConfidence ? (["confidence"] as const) : []),
    ...(engineAdapters !== "" ? (["adapters"] as const) : []),
  ];
}

function leftOut({ seats, sleep }: VerifyEngineOptions): Partial<Record<Ability, string>> {
  return {
    ...(seats === undefined && { better_lane_first: "say with --seats how many generations it runs at once (--max-num-seqs)" }),
    ...(!sleep && { sleep: "it would be put to sleep; --sleep has it tried" }),
  };
}

async function ownCount(ask: (() => Promise<number | undefined>) | undefined): Promise<VerifyReport["own_count"]> {
  const count = await ask?.();
  return count === undefined ? "none" : count === 0 ? "used" : "others";
}

async function measured(subject: Subject, verified: readonly Verified[], deps: Deps): Promise<Timings | undefined> {
  const { signal, say } = deps;
  // After one that did not end, or an engine that is gone, not even promises were tried.
  if (signal.aborted || verified.some(({ became, ability }) => became === "not_tried" && ability === undefined)) return undefined;
  say("measuring");
  return timingsOf(subject, { rounds: timingRounds, signal }).catch(() => undefined);
}
