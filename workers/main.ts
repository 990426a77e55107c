// main: the worker process: settings in; engine, agent and servers up; drained on a signal. An engine that dies is started
// anew; until it is back, routers are told to go elsewhere and /readyz says what is missing. One that dies again and again
// ends the process.
import { join } from "node:path";
import { startAdmin } from "../lib/admin.ts";
import type { Bus } from "../lib/bus/bus.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import type { Env } from "../lib/config.ts";
import { Credentials } from "../lib/credentials.ts";
import { guarded, openPort } from "../lib/exposure.ts";
import { startGrpcServer } from "../lib/grpc/server.ts";
import { type Lifecycle, run } from "../lib/lifecycle.ts";
import { createLog, type Log } from "../lib/log.ts";
import { processRegistry } from "../lib/metrics.ts";
import { packageRoot } from "../lib/package-root.ts";
import { type Random, systemRandom } from "../lib/random.ts";
import { startTracing } from "../lib/tracing/start.ts";
import { Announcer, advertised } from "./announcer.ts";
import { readWorkerConfig, type WorkerConfig } from "./config.ts";
import type { Engine } from "./engine/engine.ts";
import { SupervisedEngine } from "./engine/supervised.ts";
import { createWorkerMetrics, type WorkerMetrics } from "./metrics.ts";
import { workerService } from "./service.ts";
import { generationSpans } from "./spans.ts";
import { createAgent } from "./wire.ts";

export { agentDefaults, createAgent } from "./wire.ts";

export interface RunningWorker {
  /** Where routers connect. */
  readonly port: number;
  readonly adminPort: number;
  /** Resolves when the engine died too often to be started again. */
  readonly died: Promise<Error>;
}

interface Deps {
  readonly lifecycle: Lifecycle;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Where it says that it is there; absent: routers must know. */
  readonly bus?: Bus;
  /** Of an engine that is started from here. */
  readonly env?: Env;
  /** Instead of the engine that the settings name: for measurements. */
  readonly startEngine?: () => Promise<Engine>;
}

/** Frames around the largest prompt: segments, digests, names. */
const envelopeBytes = 1 << 20;
const builtInModel = "models/slipstream-fim-4m-q8_0.gguf";
const builtInDraft = "models/slipstream-draft-1m-q8_0.gguf";

export async function startWorker(config: WorkerConfig, deps: Deps): Promise<RunningWorker> {
  const { lifecycle, clock, random, log } = deps;
  const registry = processRegistry();
  const metrics = createWorkerMetrics(registry);
  // Not alive until the model is loaded: the admin port says what is missing meanwhile.
  let missing: readonly string[] = ["engine"];
  const credentials = lifecycle.use(new Credentials(config, "SLIPSTREAM_WORKER_", { clock, log, metrics }));
  const { offer, keys } = credentials;
  if (guarded(exposed(config, credentials), config.insecure))
    log.warn("other machines are served without TLS or without being asked who they are, as --insecure allows");
  const admin = lifecycle.use(
    await startAdmin({ address: config.adminAddress, offer }, { clock, keys, registry, missing: () => missing }),
  );
  const engine = await SupervisedEngine.start(
    {},
    {
      clock,
      log,
      signal: lifecycle.signal,
      start: deps.startEngine ?? ((signal) => startEngine(config, { ...deps, metrics, signal })),
    },
  );
  lifecycle.use({ name: "engine", close: () => engine.close() });
  const tracing = startTracing(config, "slipstream-worker", deps);
  const tail = { slowMs: config.otlpSlowMs, share: config.otlpShare };
  const agent = createAgent(
    { ...config, worker: config.name },
    {
      ...{ clock, random, engine, log, metrics },
      ...(tracing && {
        ended: (ended) => tracing.send(generationSpans(ended, tail, clock.wall() - clock.now(), random)),
      }),
    },
  );
  const grpc = lifecycle.use(
    await startGrpcServer(
      {
        address: config.address,
        offer,
        messageBytesMax: config.promptBytesMax + envelopeBytes,
        // Two for each router, and one to replace each.
        streamsPerConnectionMax: 4 * config.routersMax,
      },
      {
        name: "links",
        mounts: [workerService(agent)],
        failed: (error) => log.error({ err: error.cause ?? error }, "a link failed by a mistake of ours"),
      },
    ),
  );
  const { bus } = deps;
  const { name: worker, pool } = config;
  const announcer =
    bus &&
    new Announcer(
      { worker, pool, address: advertised(config.advertise, config.address, grpc.port), everyMs: 2_000, ttlMs: 10_000 },
      { clock, bus },
    );
  if (bus) lifecycle.use({ name: "bus", close: () => bus.close() });
  const serving = (what: readonly string[]) => {
    missing = what;
    announcer?.serving(what.length === 0);
    grpc.setServing(what.length === 0);
  };
  lifecycle.use({
    name: "agent",
    drain: async () => {
      serving(["draining"]);
      // The rest of the grace period is for the streams to end.
      await agent.drain(config.graceMs * 0.9);
      agent.close();
    },
  });
  engine.watch({
    down: () => {
      serving(["engine"]);
      void agent.drain(0);
    },
    up: () => {
      if (lifecycle.signal.aborted) return;
      agent.resume();
      serving([]);
    },
  });
  serving([]);
  return { port: grpc.port, adminPort: admin.port, died: engine.died };
}

/** Routers bring prompts, which are code: they are asked for a certificate, never for a key. */
function exposed(config: WorkerConfig, { keys, offer }: Credentials): string[] {
  const tls = offer !== undefined;
  const certificate = "SLIPSTREAM_WORKER_TLS_CERT and SLIPSTREAM_WORKER_TLS_KEY";
  return [
    openPort({
      ...{ setting: "SLIPSTREAM_WORKER_ADDRESS", address: config.address, tls, asks: offer?.mutual === true },
      remedy: `${certificate}, and SLIPSTREAM_WORKER_TLS_CLIENT_CA`,
    }),
    openPort({
      ...{ setting: "SLIPSTREAM_WORKER_ADMIN_ADDRESS", address: config.adminAddress, tls, asks: keys !== undefined },
      remedy: `${certificate}, and SLIPSTREAM_WORKER_KEYS_FILE with an administrator's key`,
    }),
  ].flat();
}

/** Engines load lazily: llama.cpp takes long to import and is not for every machine. */
async function startEngine(config: WorkerConfig, deps: Deps & { metrics: WorkerMetrics; signal: AbortSignal }): Promise<Engine> {
  const { clock, random, log } = deps;
  const { slots, modelName, threads, profile, profileEnd, seed } = config;
  if (config.engine === "vllm" || config.engine === "openai") return (await import("./wire-served.ts")).startServed(config, deps);
  if (config.engine === "simulated") {
    const { SimulatedEngine } = await import("./engine/simulated/simulated.ts");
    const options = { profile, profileEnd, seed, slots, ...(modelName === "" ? {} : { model: modelName }) };
    return new SimulatedEngine(options, { clock, random });
  }
  const { EmbeddedEngine } = await import("./engine/embedded/embedded.ts");
  const ownModel = join(packageRoot(), builtInModel);
  const modelPath = config.model === "" ? ownModel : config.model;
  const ownDraft = modelPath === ownModel ? join(packageRoot(), builtInDraft) : undefined;
  const draftPath = config.draftModel === "" ? ownDraft : config.draftModel === "none" ? undefined : config.draftModel;
  const given = {
    ...(draftPath === undefined ? {} : { draftPath }),
    ...(modelName === "" ? {} : { modelName }),
    ...(threads === 0 ? {} : { threads }),
  };
  return EmbeddedEngine.start({ modelPath, slots, ...given }, { clock, log });
}

async function joinBus(config: WorkerConfig, log: Log): Promise<Bus | undefined> {
  if (config.natsServers.length === 0) return undefined;
  const { NatsBus } = await import("../lib/bus/nats.ts");
  const { name, natsServers: servers } = config;
  return new NatsBus({ ...config, servers, name, connectTimeoutMs: 5_000 }, { clock: systemClock, log });
}

/** `slipstream worker`: settings from the environment. Resolves with the exit code. */
export async function main(env: Env, io: Omit<Parameters<typeof run>[1], "clock" | "log">): Promise<number> {
  const config = readWorkerConfig(env);
  const log = createLog({ process: "worker", level: config.logLevel });
  return run({ graceMs: config.graceMs }, { clock: systemClock, log, ...io }, async (lifecycle) => {
    const bus = await joinBus(config, log);
    const deps = { lifecycle, clock: systemClock, random: systemRandom(), log, env, ...(bus && { bus }) };
    const { died, ...ports } = await startWorker(config, deps);
    log.info({ ...ports, engine: config.engine }, "listening");
    throw await died;
  });
}
