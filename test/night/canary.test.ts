// A canary under people who type: a router, the operator and workers are real processes, a worker for each pod that the operator asks
// for; only the cluster pretends. Two revisions are told apart by what the router saw of each.
import { expect, test } from "vitest";
import type { BurstReport } from "../../bench/burst/burst.ts";
import { natsServer } from "../support/nats.ts";
import { burst, inline, pool } from "../support/process-crowd.ts";
import { ProcessFleet } from "../support/process-fleet.ts";
import { until } from "../support/until.ts";

test.skipIf(natsServer.path === undefined)(
  "a canary of which nothing restarts or fails is held while it is watched, and its status has what the router saw of both revisions",
  async () => {
    // How fast the machine is at the moment is not asked: workers that drain, are full or are late have not failed.
    const rollout = { canary: { weight: 25, holdFor: "10m", abortOn: ["Restarts", "Failures"] } };
    const fixed = { mode: "Fixed", slo: { p95: "60ms", networkBudget: "1ms" } };
    await using fleet = await ProcessFleet.start(pool(fixed, { rollout, replicas: 2 }), inline);
    await until("both serve", () => fleet.pool("dev").status?.ready === "2/2", 60_000);
    const before = fleet.pool("dev").status.currentRevision;
    const typing = burst(fleet, "--people 10 --burst 10 --rise 1s --before 80s --for 1s --after 1s");
    // Another revision of the same model: sessions of an old worker that leaves go to it as well.
    fleet.world.server.storage.change("workerpools", "code", "dev", (object) => {
      object.spec.engine.slots = 3;
    });
    const rolled = () => fleet.pool("dev").status.rollout;
    const judged = () =>
      rolled()?.way === "Aborted" || /: first text \d+ ms at p95 \(the old one \d+ ms\), \d+ triggers/.test(rolled()?.message);
    await until("it is judged beside the old one", judged, 120_000).catch((thrown: Error) => {
      throw new Error(`${thrown.message}; last: ${rolled()?.message}`);
    });
    process.stdout.write(`${rolled().message}\n`);
    expect(rolled()).toMatchObject({ way: "Canary", reason: "CanaryHeld" });
    expect(rolled().revision).not.toBe(before);
    const { out, err } = await typing;
    expect((JSON.parse(out || "{}") as BurstReport).failed, err).toBe(0);
  },
  400_000,
);
