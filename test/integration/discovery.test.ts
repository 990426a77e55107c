// A router that knows no worker by address finds one by DNS, over real questions and answers, while NATS is away.
import { Resolver } from "node:dns/promises";
import { expect, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { Lifecycle } from "../../lib/lifecycle.ts";
import { silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import { readRouterConfig } from "../../router/config.ts";
import { joinBus, startRouter } from "../../router/main.ts";
import { readWorkerConfig } from "../../workers/config.ts";
import { startWorker } from "../../workers/main.ts";
import { startNameServer } from "../support/dns.ts";
import { freePort } from "../support/ports.ts";

test("a headless service's new pod is found with NATS away, and its router serves", async () => {
  await using names = await startNameServer();
  const lifecycle = new Lifecycle({ graceMs: 2_000 }, { clock: systemClock, log: silentLog });
  try {
    const deps = { lifecycle, clock: systemClock, random: seeded(1), log: silentLog };
    const worker = await startWorker(
      readWorkerConfig({
        SLIPSTREAM_WORKER_NAME: "w0",
        SLIPSTREAM_WORKER_ENGINE: "simulated",
        SLIPSTREAM_WORKER_ADDRESS: "127.0.0.1:0",
        SLIPSTREAM_WORKER_ADMIN_ADDRESS: "127.0.0.1:0",
      }),
      deps,
    );
    const resolver = new Resolver({ timeout: 500, tries: 1 });
    resolver.setServers([names.address]);
    const config = readRouterConfig({
      SLIPSTREAM_ROUTER_WORKERS_DNS: `workers.test:${worker.port}`,
      SLIPSTREAM_ROUTER_WORKERS_DNS_EVERY: "100ms",
      // Code in the clear to what a name leads to: all of it is this machine.
      SLIPSTREAM_ROUTER_INSECURE: "true",
      SLIPSTREAM_ROUTER_GRPC_ADDRESS: "127.0.0.1:0",
      SLIPSTREAM_ROUTER_HTTP_ADDRESS: "127.0.0.1:0",
      SLIPSTREAM_ROUTER_ADMIN_ADDRESS: "127.0.0.1:0",
      SLIPSTREAM_NATS_SERVERS: `127.0.0.1:${await freePort()}`,
    });
    const router = await startRouter(config, { ...deps, bus: await joinBus(config, silentLog), resolver });
    await expect.poll(names.asked, { timeout: 10_000 }).toBeGreaterThan(2);
    expect(await router.status()).toMatchObject({ ready: false, bus: { connected: false }, links: { all: 0 } });
    names.zone.set("workers.test", ["127.0.0.1"]);
    await router.ready;
    expect(await router.status()).toMatchObject({ ready: true, bus: { connected: false }, workers: [{ name: "w0" }] });
  } finally {
    await lifecycle.end("test over");
  }
});
