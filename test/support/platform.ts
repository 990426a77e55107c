// platform: a real router with real workers behind it, over gRPC on free loopback ports, in this process; gone when the test
// file is over.
import { MemoryBus } from "../../lib/bus/memory.ts";
import { systemClock } from "../../lib/clock.ts";
import { type Mount, startGrpcServer } from "../../lib/grpc/server.ts";
import { Lifecycle } from "../../lib/lifecycle.ts";
import { silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import { readRouterConfig } from "../../router/config.ts";
import { type RunningRouter, startRouter } from "../../router/main.ts";
import { SimulatedEngine, type SimulatedOptions } from "../../workers/engine/simulated/simulated.ts";
import { workerService } from "../../workers/service.ts";
import { agentDefaults, createAgent } from "../../workers/wire.ts";

export interface Platform extends RunningRouter {
  /** Where the simulated worker listens. */
  readonly worker: number;
  end(): Promise<void>;
}

const anyPort = "127.0.0.1:0";

export async function startServer(name: string, mount: Mount): Promise<{ port: number; close(): void }> {
  const options = { address: anyPort, messageBytesMax: 4 << 20, streamsPerConnectionMax: 100 };
  return startGrpcServer(options, { name, mounts: [mount], failed: () => {} });
}

/** A router with one simulated worker, and more links to wherever `more` says. */
export async function startPlatform(
  env: Readonly<Record<string, string>>,
  given: { engine?: Partial<SimulatedOptions>; more?: readonly string[] } = {},
): Promise<Platform> {
  const random = seeded(1);
  const lifecycle = new Lifecycle({ graceMs: 2_000 }, { clock: systemClock, log: silentLog });
  const engine = new SimulatedEngine(
    { profile: "h100-7b-eagle3", profileEnd: "mid", seed: 7, slots: 4, model: "m", ...given.engine },
    { clock: systemClock, random },
  );
  lifecycle.use({ name: "engine", close: () => engine.close() });
  const agent = createAgent({ ...agentDefaults, worker: "w1", pool: "p" }, { clock: systemClock, random, engine });
  const worker = await startServer("worker", workerService(agent));
  lifecycle.use({ name: "worker", close: () => worker.close() });
  const config = readRouterConfig({
    SLIPSTREAM_ROUTER_GRPC_ADDRESS: anyPort,
    SLIPSTREAM_ROUTER_HTTP_ADDRESS: anyPort,
    SLIPSTREAM_ROUTER_ADMIN_ADDRESS: anyPort,
    SLIPSTREAM_ROUTER_WORKERS: [`127.0.0.1:${worker.port}`, ...(given.more ?? [])].join(","),
    ...env,
  });
  const running = await startRouter(config, { lifecycle, clock: systemClock, random, log: silentLog, bus: new MemoryBus() });
  await running.ready;
  return { ...running, worker: worker.port, end: () => lifecycle.end("the test is over") };
}
