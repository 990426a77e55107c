// main: the worker process: settings in; engine, agent and servers up; drained on a signal. An engine that dies is started
// anew; until it is back, routers are told to go elsewhere and /readyz says what is missing. One that dies again and again
// ends the process.
import { join } from "node:path";
import { startAdmin } from "../lib/admin.ts";
import type { Bus } from "../lib/bus/bus.ts";
import { spaced } from "../lib/bus/space.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { type Env, unknownSettings } from "../lib/config.ts";
import { Credentials } from "../lib/credentials.ts";
import { type Drainable, drainPages } from "../lib/drain-pages.ts";
import { guarded, openPort } from "../lib/exposure.ts";
import { startGrpcServer } from "../lib/grpc/server.ts";
import { type Lifecycle, run } from "../lib/lifecycle.ts";
import { createLog, type Log } from "../lib/log.ts";
import { processRegistry } from "../lib/metrics.ts";
import { packageRoot } from "../lib/package-root.ts";
import { type Random, systemRandom } from "../lib/random.ts";
import { startTracing } from "../lib/tracing/start.ts";
import type { Agent } from "./agent.ts";
import { Announcer, advertised, type Doing } from "./announcer.ts";
import { readWorkerConfig, type WorkerConfig, workerSettings } from "./config.ts";
import { draftsOf } from "./drafts.ts";
import { Drain } from "./drain.ts";
import type { Engine } from "./engine/engine.ts";
import { SupervisedEngine } from "./engine/supervised.ts";
import { warmUp } from "./engine/warm-up.ts";
import { Leaving } from "./leaving.ts";
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

/** Of prefixes, and for a first router: a worker that nobody sends any serves without. */
const warmUpTimes = { ms: 10_000, firstMs: 3_000 };
/** Frames around the largest prompt: segments, digests, names. */
const envelopeBytes = 1 << 20;
const builtInModel = "models/slipstream-fim-13m-q8_0.gguf";
const builtInDraft = "models/slipstream-draft-1m-q8_0.gguf";

export async function startWorker(config: WorkerConfig, deps: Deps): Promise<RunningWorker> {
  const { lifecycle, clock, random, log } = deps;
  const registry = processRegistry();
  const metrics = createWorkerMetrics(registry);
  // Not alive until the model is loaded: the admin port says what is missing meanwhile.
  let missing: readonly string[] = ["engine"];
  let drain: Drain | undefined;
  const credentials = lifecycle.use(new Credentials(config, "SLIPSTREAM_WORKER_", { clock, log, metrics }));
  const { offer, keys } = credentials;
  if (guarded(exposed(config, credentials), config.insecure))
    log.warn("other machines are served without TLS or without being asked who they are, as --insecure allows");
  const admin = lifecycle.use(
    await startAdmin(
      { address: config.adminAddress, offer },
      { clock, keys, registry, missing: () => missing, pages: (app) => drainPages(app, () => drain && drainable(drain)) },
    ),
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
      { clock, bus, doing: () => doing(engine, agent, leaves.closed) },
    );
  if (bus) lifecycle.use({ name: "bus", close: () => bus.close() });
  const serving = (what: readonly string[]) => {
    missing = what;
    // Who drains says how far that is until it is gone.
    announcer?.says(what[0] === "engine" ? "nothing" : what[0] === "prefixes" ? "warming" : "serving");
    grpc.setServing(what.length === 0);
  };
  let engineIsUp = true;
  const lacking = () => (!engineIsUp ? ["engine"] : leaves.active ? ["draining"] : []);
  const leaves: Drain = new Drain(config, {
    // Taken back while the engine is away, it stays away until that is back.
    ...{ clock, agent: staying(agent, () => engineIsUp) },
    changed: () => {
      serving(lacking());
      announcer?.again();
    },
  });
  drain = leaves;
  if (bus) {
    const asked = {
      drain: (graceMs: number) => leaves.begin("operator", graceMs),
      stay: () => leaves.undo("operator"),
    };
    const leaving = new Leaving({ worker }, { clock, log, bus, agent: asked, changed: () => announcer?.again() });
    lifecycle.use({ name: "leaving", close: () => leaving[Symbol.dispose]() });
  }
  lifecycle.use({
    name: "agent",
    drain: async () => {
      await leaves.begin("end");
      announcer?.says("nothing");
      agent.close();
    },
  });
  engine.watch({
    down: () => {
      engineIsUp = false;
      serving(lacking());
      void agent.drain(0);
    },
    up: () => {
      if (lifecycle.signal.aborted) return;
      engineIsUp = true;
      if (!leaves.active) agent.resume();
      serving(lacking());
    },
  });
  const ready = agent.presence.warmUp(config.warmPrefixes, warmUpTimes);
  serving(config.warmPrefixes === 0 ? [] : ["prefixes"]);
  void ready.then(() => {
    if (agent.presence.state === "serving") serving([]);
  });
  return { port: grpc.port, adminPort: admin.port, died: engine.died };
}

/** An agent that takes work again only where there is an engine for it. */
function staying(agent: Agent, engineIsUp: () => boolean): Pick<Agent, "presence" | "drain" | "stay" | "outstanding"> {
  return {
    presence: agent.presence,
    get outstanding() {
      return agent.outstanding;
    },
    drain: (graceMs) => agent.drain(graceMs),
    stay: () => engineIsUp() && agent.stay(),
  };
}

function drainable(drain: Drain): Drainable {
  // Routers are told by the links themselves: nobody else leads anything here.
  return {
    get told() {
      return drain.told;
    },
    begin: () => void drain.begin("admin"),
    undo: () => drain.undo("admin"),
  };
}

function doing(engine: SupervisedEngine, agent: Agent, leaving: boolean): Doing {
  const drafts = draftsOf(engine.acceptance(), engine.recommendation());
  const { kvBlocksUsed } = engine.load();
  return { outstanding: agent.outstanding, leaving, kvBlocksUsed, ...(drafts && { drafts }) };
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

type EngineDeps = Deps & { readonly metrics: WorkerMetrics; readonly signal: AbortSignal };

async function startEngine(config: WorkerConfig, deps: EngineDeps): Promise<Engine> {
  // They are warm before they are watched, and warm themselves.
  if (config.engine !== "embedded" && config.engine !== "simulated")
    return (await import("./wire-served.ts")).startServed(config, deps);
  const engine = await startOwnEngine(config, deps);
  await warmUp(engine, { withinMs: config.engineStartMs, requests: Math.max(0, config.warmUpRequests) }, deps);
  return engine;
}

/** Engines load lazily: llama.cpp takes long to import and is not for every machine. */
async function startOwnEngine(config: WorkerConfig, { clock, random, log }: EngineDeps): Promise<Engine> {
  const { slots, modelName, threads, profile, profileEnd, seed } = config;
  if (config.engine === "simulated") {
    const { SimulatedEngine } = await import("./engine/simulated/simulated.ts");
    const options = { profile, profileEnd, seed, slots, ...(modelName === "" ? {} : { model: modelName }) };
    return new SimulatedEngine(options, { clock, random });
  }
  const { EmbeddedEngine, ggufFileAt } = await import("./engine/embedded/embedded.ts");
  const ownModel = join(packageRoot(), builtInModel);
  const modelPath = config.model === "" ? ownModel : await ggufFileAt(config.model);
  const ownDraft = modelPath === ownModel ? join(packageRoot(), builtInDraft) : undefined;
  const draftPath =
    config.draftModel === "" ? ownDraft : config.draftModel === "none" ? undefined : await ggufFileAt(config.draftModel);
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
  const bus = new NatsBus({ ...config, servers, name, connectTimeoutMs: 5_000 }, { clock: systemClock, log });
  return spaced(bus, config.natsSpace);
}

/** `slipstream worker`: settings from the environment. Resolves with the exit code. */
export async function main(env: Env, io: Omit<Parameters<typeof run>[1], "clock" | "log">): Promise<number> {
  const config = readWorkerConfig(env);
  const log = createLog({ process: "worker", level: config.logLevel });
  const ignored = unknownSettings(workerSettings, env, "SLIPSTREAM_WORKER_");
  if (ignored.length > 0) log.warn({ ignored }, "settings that this release does not know are ignored");
  return run({ graceMs: config.graceMs }, { clock: systemClock, log, ...io }, async (lifecycle) => {
    const bus = await joinBus(config, log);
    const deps = { lifecycle, clock: systemClock, random: systemRandom(), log, env, ...(bus && { bus }) };
    const { died, ...ports } = await startWorker(config, deps);
    log.info({ ...ports, engine: config.engine }, "listening");
    throw await died;
  });
}
