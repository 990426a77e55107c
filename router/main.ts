// main: the router process: settings in, servers up, drained on a signal. Ready once a worker is linked.
import { Resolver } from "node:dns/promises";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { isLoopback } from "../lib/address.ts";
import { startAdmin } from "../lib/admin.ts";
import type { Bus } from "../lib/bus/bus.ts";
import { MemoryBus } from "../lib/bus/memory.ts";
import { spaced } from "../lib/bus/space.ts";
import { everySpace, subjects } from "../lib/bus/subjects.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { type Env, unknownSettings } from "../lib/config.ts";
import { Credentials } from "../lib/credentials.ts";
import { drainPages } from "../lib/drain-pages.ts";
import { guarded } from "../lib/exposure.ts";
import { type GrpcServer, startGrpcServer } from "../lib/grpc/server.ts";
import { type Lifecycle, run } from "../lib/lifecycle.ts";
import { createLog, type Log } from "../lib/log.ts";
import { processRegistry, type Registry } from "../lib/metrics.ts";
import { packageRoot } from "../lib/package-root.ts";
import { readPages } from "../lib/pages.ts";
import { type Random, systemRandom } from "../lib/random.ts";
import { startTracing } from "../lib/tracing/start.ts";
import { version } from "../lib/version.ts";
import { type RouterConfig, readRouterConfig, routerSettings } from "./config.ts";
import { connectGrpc } from "./connect.ts";
import { type AddedConsole, addConsole } from "./console/console.ts";
import type { Resolver as NameResolver } from "./discovery/discovery.ts";
import { Drain } from "./drain.ts";
import { addExplain } from "./explain-pages.ts";
import { exposed } from "./exposed.ts";
import { DiskSpool } from "./feedback/disk-spool.ts";
import type { Spool } from "./feedback/spool.ts";
import { startHttp } from "./http/http.ts";
import { createRouterMetrics } from "./metrics.ts";
import type { Rooms } from "./path.ts";
import type { Router } from "./router.ts";
import { completionService } from "./service.ts";
import { runSession } from "./session-service.ts";
import { type Status, statusOf } from "./status.ts";
import { wireRouter } from "./wire.ts";

export interface RunningRouter {
  readonly router: Router;
  readonly ports: { readonly grpc: number; readonly http: number; readonly admin: number };
  readonly status: () => Promise<Status>;
  /** Its metrics, as on /metrics. */
  readonly registry: Registry;
  /** Resolves when a worker is linked. */
  readonly ready: Promise<void>;
}

interface Deps {
  readonly lifecycle: Lifecycle;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly bus: Bus;
  /** Where outcomes wait; absent: in memory. */
  readonly spool?: Spool;
  /** Instead of the machine's own. */
  readonly resolver?: NameResolver;
  /** For measurements: is given the rooms before the first trigger. */
  readonly measured?: (rooms: Rooms) => void;
}

/** Frames around the largest document: names, edits, snippets. */
const envelopeBytes = 2 << 20;
const readyPollMs = 10;
/** Of a call without a session, as deadlines can be. */
const callMsMax = 600_000;
/** Pages of the console with a session open at once. */
const consoleSocketsMax = 64;
const prefix = "SLIPSTREAM_ROUTER_";

/** Throws as a start would where other machines would reach it unguarded; for who starts something else before it. */
export function assertGuarded(config: RouterConfig, deps: Pick<Deps, "clock" | "log">): void {
  const credentials = new Credentials(config, prefix, deps);
  try {
    const tls = [config.linkCa, config.linkCert, config.linkKey].some((path) => path !== "");
    guarded(exposed(config, credentials, { tls }), config.insecure);
  } finally {
    credentials.close();
  }
}

export async function startRouter(config: RouterConfig, deps: Deps): Promise<RunningRouter> {
  const { lifecycle, clock, log, bus } = deps;
  const registry = processRegistry();
  const startedMs = clock.now();
  const tracing = startTracing(config, "slipstream-router", deps);
  const metrics = createRouterMetrics(registry);
  const credentials = lifecycle.use(new Credentials(config, prefix, { clock, log, metrics }));
  const linkTls = credentials.client("link tls", {
    prefix: "SLIPSTREAM_ROUTER_LINK_",
    paths: { ca: config.linkCa, cert: config.linkCert, key: config.linkKey },
    serverName: config.linkServerName,
  });
  if (guarded(exposed(config, credentials, { tls: linkTls !== undefined }), config.insecure))
    log.warn("other machines are served without TLS or without being asked who they are, as --insecure allows");
  const { offer, keys } = credentials;
  const router = wireRouter(config, {
    ...deps,
    ...(tracing ? { tracing } : {}),
    ...(keys ? { keys } : {}),
    metrics,
    resolver: deps.resolver ?? new Resolver({ timeout: 2_000, tries: 2 }),
    connect: connectGrpc(() => linkTls?.()),
    draining: () => drain.signal,
  });
  const drain: Drain = new Drain({
    clock,
    left: () => ({ sessions: router.ingress.sessions, triggers: router.feedback.underWay }),
    handOver: () => {
      router.rooms.fleet.handOver();
      // Clients of single calls keep a connection too; the longest call is a chat's.
      grpc?.sendAway(callMsMax);
    },
    ready: (ready) => grpc?.setServing(ready && router.missing().length === 0),
  });
  // The time that it says so before it ends is part of its grace.
  const leaveMs = Math.min(config.leaveMs, config.graceMs / 4);
  lifecycle.signal.addEventListener("abort", () => drain.begin("end", leaveMs), { once: true });
  const missing = () => [...router.missing(), ...(drain.active ? ["draining"] : [])];
  lifecycle.use({ name: "bus", close: () => bus.close() });
  lifecycle.use({ name: "router", drain: () => router.close() });
  const status = () =>
    statusOf(router, { name: config.name, version, startedMs, files: credentials.states(), missing: missing() }, registry);
  let page: AddedConsole | undefined;
  let grpc: GrpcServer | undefined;
  const pages = (app: FastifyInstance) => {
    addExplain(app, router.explain);
    drainPages(app, () => ({
      get told() {
        return drain.told;
      },
      begin: (ms = leaveMs) => drain.begin("admin", ms),
      undo: () => drain.undo("admin"),
    }));
    page = addConsole(
      app,
      {
        pages: readPages(join(packageRoot(), "dist", "console"), "router"),
        ...{ router: config.name, version, targetMs: config.firstTextTargetMs },
        ...{ messageBytesMax: config.documentBytesMax + envelopeBytes, socketsMax: consoleSocketsMax },
        loopback: isLoopback(config.adminAddress),
      },
      {
        ...{ clock, log, registry, status, rooms: router.rooms, ingress: router.ingress },
        session: (stream, tenant, check) => runSession(router, stream, tenant, check),
      },
    );
    return page.free;
  };
  const admin = lifecycle.use(
    await startAdmin({ address: config.adminAddress, offer }, { clock, keys, registry, missing, status, pages }),
  );
  lifecycle.use({ name: "console", drain: () => page?.drain() });
  const http = lifecycle.use(
    await startHttp(
      {
        ...{ address: config.httpAddress, offer, hosts: config.httpHosts, origins: config.httpOrigins },
        ...{ bodyBytesMax: config.documentBytesMax + envelopeBytes, connectionsMax: config.httpConnectionsMax },
      },
      { router, status },
    ),
  );
  grpc = lifecycle.use(
    await startGrpcServer(
      {
        ...{ address: config.grpcAddress, offer, streamsPerConnectionMax: 1_000 },
        messageBytesMax: config.documentBytesMax + envelopeBytes,
      },
      {
        name: "gRPC",
        mounts: [completionService(router)],
        failed: (error) => log.error({ err: error.cause ?? error }, "a call failed"),
      },
    ),
  );
  const serving = grpc;
  lifecycle.use({ name: "health", drain: () => aborted(drain.signal) });
  const ready = (async () => {
    while (router.missing().length > 0) await clock.sleep(readyPollMs, lifecycle.signal);
    serving.setServing(!drain.active);
  })();
  // Whoever waits sees the refusal; nobody waiting is no failure.
  ready.catch(() => {});
  return { router, ports: { grpc: serving.port, http: http.port, admin: admin.port }, status, registry, ready };
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** Joins behind the process's back: a router serves with NATS away. */
export async function joinBus(config: RouterConfig, log: Log): Promise<Bus> {
  if (config.natsServers.length === 0) return new MemoryBus();
  const { NatsBus } = await import("../lib/bus/nats.ts");
  const { name, natsServers: servers } = config;
  const bus = new NatsBus({ ...config, servers, name, connectTimeoutMs: 5_000, echo: false, kept }, { clock: systemClock, log });
  return spaced(bus, config.natsSpace);
}

/** Where outcomes outlive the process; undefined: nowhere. */
export async function openSpool({ spool: folder, spoolBytes: bytesMax }: RouterConfig, log: Log): Promise<Spool | undefined> {
  return folder === "" ? undefined : DiskSpool.open({ folder, bytesMax, recordsMax: 100_000 }, { log });
}

/** The stream of outcomes, where an operator has not made it otherwise. */
const kept = {
  stream: "SLIPSTREAM_OUTCOMES",
  subjects: everySpace(subjects.allOutcomes),
  maxAgeMs: 7 * 86_400_000,
  maxBytes: 2 ** 30,
  idsMs: 600_000,
};

/** `slipstream router`: settings from the environment. Resolves with the exit code. */
export async function main(
  env: Env,
  io: { complain: (sentence: string) => void; on: Parameters<typeof run>[1]["on"] },
): Promise<number> {
  const config = readRouterConfig(env);
  const log = createLog({ process: "router", level: config.logLevel });
  const ignored = unknownSettings(routerSettings, env, "SLIPSTREAM_ROUTER_");
  if (ignored.length > 0) log.warn({ ignored }, "settings that this release does not know are ignored");
  return run({ graceMs: config.graceMs }, { clock: systemClock, log, ...io }, async (lifecycle) => {
    const bus = await joinBus(config, log);
    const spool = await openSpool(config, log);
    const { ports } = await startRouter(config, {
      lifecycle,
      clock: systemClock,
      random: systemRandom(),
      log,
      bus,
      ...(spool && { spool }),
    });
    log.info(ports, "listening");
  });
}
