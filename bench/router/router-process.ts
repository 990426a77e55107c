// router-process: the router of this bench, as shipped, over gRPC, with API keys and outcomes on. Says how late its event loop
// came, beside the CPU that child.ts counts.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { MemoryBus } from "../../lib/bus/memory.ts";
import { systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { systemRandom } from "../../lib/random.ts";
import { readRouterConfig } from "../../router/config.ts";
import { startRouter } from "../../router/main.ts";
import { runChild } from "../keys/child.ts";

export interface RouterOrders {
  /** Addresses of workers. */
  readonly workers: readonly string[];
  /** File of API keys. */
  readonly keysFile: string;
}

export interface RouterFigures {
  readonly loopDelayP99Ms: number;
  /** By outcome, since the start. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly hedges: number;
  /** Of generations that another worker was asked for: before their text, and after it began. */
  readonly retries: number;
  readonly continued: number;
  /** Workers that were left alone for a while. */
  readonly opened: number;
  readonly eventsSent: number;
}

await runChild(async (given, lifecycle) => {
  const { workers, keysFile } = given as RouterOrders;
  const config = readRouterConfig({
    SLIPSTREAM_ROUTER_WORKERS: workers.join(","),
    SLIPSTREAM_ROUTER_GRPC_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_ROUTER_HTTP_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_ROUTER_ADMIN_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_ROUTER_KEYS_FILE: keysFile,
    SLIPSTREAM_ROUTER_LOG_LEVEL: "silent",
  });
  const router = await startRouter(config, {
    ...{ lifecycle, clock: systemClock, random: systemRandom(), log: silentLog, bus: new MemoryBus() },
  });
  await router.ready;
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  return {
    port: router.ports.grpc,
    take: async (): Promise<RouterFigures> => {
      const loopDelayP99Ms = delay.percentile(99) / 1e6;
      delay.reset();
      const outcomes: Record<string, number> = {};
      let [hedges, eventsSent, retries, continued, opened] = [0, 0, 0, 0, 0];
      for (const { name, values } of await router.registry.getMetricsAsJSON())
        for (const { labels, value } of values) {
          const { outcome, end, fate, when } = labels as Record<string, string>;
          if (name.endsWith("router_outcomes_total") && outcome) outcomes[outcome] = (outcomes[outcome] ?? 0) + value;
          if (name.endsWith("router_hedges_total") && end === "sent") hedges += value;
          if (name.endsWith("router_worker_retries_total")) {
            if (when === "before_text") retries += value;
            else continued += value;
          }
          if (name.endsWith("router_breaker_opened_total")) opened += value;
          if (name.endsWith("router_outcome_events_total") && fate === "sent") eventsSent += value;
        }
      return { loopDelayP99Ms, outcomes, hedges, retries, continued, opened, eventsSent };
    },
  };
});
