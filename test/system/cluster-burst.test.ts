// People, a router, the operator and workers are real processes, a worker for each pod that the operator asks for; only the cluster
// pretends. Three times as many people type for a while, and workers come.
// On real kubelets: test/night/cluster-burst.test.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { BurstReport } from "../../bench/burst/burst.ts";
import { natsServer } from "../support/nats.ts";
import { burst, inline, pool } from "../support/process-crowd.ts";
import { ProcessFleet } from "../support/process-fleet.ts";
import { until } from "../support/until.ts";

test.skipIf(natsServer.path === undefined)(
  "three times as many people make workers come, which serve them; nobody's trigger fails, and the page has it all",
  async () => {
    const scaling = { mode: "Slipstream", minReplicas: 1, maxReplicas: 4, forecast: { seasonality: "None" } };
    await using fleet = await ProcessFleet.start(pool(scaling), inline);
    await until("one serves", () => fleet.pool("dev").status?.ready === "1/1", 60_000);
    const { code, out, err } = await burst(fleet, "--people 4 --burst 24 --rise 2s --before 15s --for 60s --after 5s");
    expect(code, err).toBe(0);
    const report = JSON.parse(out) as BurstReport;
    const { phases, workers, failed, violations, decisions } = report;
    process.stdout.write(`${JSON.stringify({ phases, workers, failed, decisions })}\n`);
    expect([failed, violations]).toEqual([0, []]);
    expect(phases.burst.triggers_per_s).toBeGreaterThan(2 * phases.before.triggers_per_s);
    expect(workers.most).toBeGreaterThan(1);
    expect(decisions.some(({ from, to }) => to > from)).toBe(true);
    expect(readFileSync(join(fleet.folder, "burst.html"), "utf8")).toContain("triggers a second");
  },
  400_000,
);
