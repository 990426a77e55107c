// router-process: the router of this bench: as shipped, over gRPC, but for the doors that an ablation shuts. Says what time it
// took of triggers beside what it waited for on purpose, and what its own metrics say. Holds the times of one window.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { MemoryBus } from "../../lib/bus/memory.ts";
import { machineMs, systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { systemRandom } from "../../lib/random.ts";
import { readRouterConfig } from "../../router/config.ts";
import { type RunningRouter, startRouter } from "../../router/main.ts";
import { dilatedClock } from "../../sim/dilated-clock.ts";
import { runChild } from "./child.ts";
import { type Added, nothingAdded, probe } from "./probe.ts";
import { type Switches, shut, shutFailover } from "./switches.ts";

export interface RouterOrders {
  /** Addresses of workers. */
  readonly workers: readonly string[];
  readonly switches: Switches;
  readonly sessionsMax: number;
  /** False: nobody looks after a worker that stalls. */
  readonly failover?: boolean;
  /** All of its time goes so many times as slowly (default 1). */
  readonly dilation?: number;
}

export interface RouterFigures extends Added {
  readonly loopDelayP99Ms: number;
  readonly heapMib: number;
  /** As on /metrics, summed over everything since the start: by name and labels. */
  readonly totals: Readonly<Record<string, number>>;
}

await runChild(async (given, lifecycle) => {
  const { workers, switches, sessionsMax, failover = true, dilation = 1 } = given as RouterOrders;
  if (!failover) shutFailover();
  const clock = dilation === 1 ? systemClock : dilatedClock(systemClock, dilation);
  const config = readRouterConfig({
    SLIPSTREAM_ROUTER_WORKERS: workers.join(","),
    SLIPSTREAM_ROUTER_GRPC_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_ROUTER_HTTP_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_ROUTER_ADMIN_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_ROUTER_SESSIONS_MAX: String(sessionsMax),
    SLIPSTREAM_ROUTER_LOG_LEVEL: "silent",
  });
  let added: (() => Added) | undefined;
  const router = await startRouter(config, {
    ...{ lifecycle, clock, random: systemRandom(), log: silentLog, bus: new MemoryBus() },
    measured: (rooms) => {
      shut(rooms, switches);
      added = probe(rooms, machineMs);
    },
  });
  await router.ready;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  return {
    port: router.ports.grpc,
    ports: [router.ports.grpc, router.ports.http],
    take: async (): Promise<RouterFigures> => {
      const loopDelayP99Ms = delay.percentile(99) / 1e6;
      delay.reset();
      const taken = added?.() ?? nothingAdded();
      return { ...taken, loopDelayP99Ms, heapMib: process.memoryUsage().heapUsed / 2 ** 20, totals: await totals(router) };
    },
  };
});

async function totals({ registry }: RunningRouter): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { name, values } of await registry.getMetricsAsJSON())
    for (const { labels, value } of values) {
      const key = `${name.replace("slipstream_router_", "")}{${Object.values(labels).join(",")}}`;
      sums[key] = (sums[key] ?? 0) + value;
    }
  return sums;
}
