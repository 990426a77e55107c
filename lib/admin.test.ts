import { expect, test } from "vitest";
import { startAdmin } from "./admin.ts";
import { FakeClock } from "./clock.fake.ts";
import { counter, createMetrics, Registry } from "./metrics.ts";

test("health, readiness and metrics are told as they are now", async () => {
  const registry = new Registry();
  const metrics = createMetrics("router", { outcomes_total: counter("Outcomes.", ["outcome"]) }, registry);
  let missing = ["bus", "a worker"];
  const admin = await startAdmin({ address: "127.0.0.1:0" }, { clock: new FakeClock(), registry, missing: () => missing });
  try {
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${admin.port}${path}`);
      return [response.status, await response.text()] as const;
    };
    expect(await get("/healthz")).toEqual([200, '{"status":"ok"}']);
    expect(await get("/readyz")).toEqual([503, '{"status":"waiting","missing":["bus","a worker"]}']);
    missing = [];
    expect(await get("/readyz")).toEqual([200, '{"status":"ready","missing":[]}']);
    metrics.outcomes_total.inc({ outcome: "empty" });
    expect((await get("/metrics"))[1]).toContain('slipstream_router_outcomes_total{outcome="empty"} 1');
    expect((await get("/elsewhere"))[0]).toBe(404);
  } finally {
    await admin.close();
  }
});

test("a port in use is one sentence", async () => {
  const deps = { clock: new FakeClock(), registry: new Registry(), missing: () => [] };
  const first = await startAdmin({ address: "127.0.0.1:0" }, deps);
  try {
    const address = `127.0.0.1:${first.port}`;
    await expect(startAdmin({ address }, deps)).rejects.toMatchObject({
      code: "unavailable",
      message: `${address} is in use: another program has the admin port. End it, or choose another address.`,
    });
  } finally {
    await first.close();
  }
});
