// router-process: one of the routers of this bench, as shipped, on NATS. Says when triggers came to it, by document, and what its
// status says. Holds the moments of one window.
import { systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { systemRandom } from "../../lib/random.ts";
import { readRouterConfig } from "../../router/config.ts";
import { joinBus, openSpool, startRouter } from "../../router/main.ts";
import type { Status } from "../../router/status.ts";
import { runChild } from "../keys/child.ts";
import { sharedMs } from "./times.ts";

export interface FleetRouterOrders {
  readonly name: string;
  readonly workers: readonly string[];
  readonly nats: string;
  readonly spool: string;
}

export interface Arrival {
  readonly document: string;
  readonly trigger: string;
  readonly atMs: number;
}

/** News of the trigger of that number retired an older one of the document here. */
export interface Told {
  readonly document: string;
  readonly sequence: number;
  readonly atMs: number;
}

export interface FleetRouterFigures {
  readonly arrivals: readonly Arrival[];
  /** When an older trigger was retired by the news of a newer one elsewhere. */
  readonly told: readonly Told[];
  readonly status: Status;
}

await runChild(async (given, lifecycle) => {
  const orders = given as FleetRouterOrders;
  const config = readRouterConfig({
    SLIPSTREAM_ROUTER_NAME: orders.name,
    SLIPSTREAM_ROUTER_WORKERS: orders.workers.join(","),
    SLIPSTREAM_ROUTER_GRPC_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_ROUTER_HTTP_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_ROUTER_ADMIN_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_ROUTER_SPOOL: orders.spool,
    SLIPSTREAM_ROUTER_LOG_LEVEL: "silent",
    SLIPSTREAM_NATS_SERVERS: orders.nats,
  });
  let arrivals: Arrival[] = [];
  let told: Told[] = [];
  const bus = await joinBus(config, silentLog);
  const spool = await openSpool(config, silentLog);
  const router = await startRouter(config, {
    ...{ lifecycle, clock: systemClock, random: systemRandom(), log: silentLog, bus },
    ...(spool && { spool }),
    measured: ({ settle }) => {
      const take = settle.take.bind(settle);
      settle.take = (trigger) => {
        if (trigger.lane === "inline") arrivals.push({ document: trigger.document, trigger: trigger.id, atMs: sharedMs() });
        return take(trigger);
      };
      const superseded = settle.superseded.bind(settle);
      settle.superseded = (document, rank) => {
        const atMs = sharedMs();
        const retired = superseded(document, rank);
        if (retired) told.push({ document, sequence: rank.sequence, atMs });
        return retired;
      };
    },
  });
  await router.ready;
  return {
    port: router.ports.grpc,
    take: async (): Promise<FleetRouterFigures> => {
      const [arrived, heard] = [arrivals, told];
      [arrivals, told] = [[], []];
      return { arrivals: arrived, told: heard, status: await router.status() };
    },
  };
});
