// A rollout without a GPU to spare, under people who type: a real router, the operator and workers as processes, a worker for each pod
// that the operator asks for; only the cluster pretends.
import { expect, test } from "vitest";
import type { BurstReport } from "../../bench/burst/burst.ts";
import type { Loose } from "../support/cluster-objects.ts";
import { natsServer } from "../support/nats.ts";
import { burst, inline, pool } from "../support/process-crowd.ts";
import { ProcessFleet } from "../support/process-fleet.ts";
import { until } from "../support/until.ts";

const three = pool(
  { mode: "Fixed", slo: { p95: "5s", networkBudget: "1ms" } },
  { replicas: 3, rollout: { strategy: "HandOff" }, drain: { timeout: "10s" } },
);

test.skipIf(natsServer.path === undefined)(
  "one worker after the other is handed on: none of the people's triggers fails, and their KV comes along",
  async () => {
    await using fleet = await ProcessFleet.start(three, inline);
    const seen = (): Loose => fleet.pool("dev").status ?? {};
    await until("all serve", () => seen()["ready"] === "3/3", 90_000);
    const before = seen()["currentRevision"];
    const words = "--deadline 2s --people 6 --burst 6 --rise 1s --before 100s --for 1s --after 1s";
    const typing = burst(fleet, words);
    await until("the load is known", () => Number(seen()["scaling"]?.loadRps ?? 0) > 2, 60_000);
    let fewest = 3;
    fleet.world.server.storage.listeners.add(() => {
      fewest = Math.min(fewest, seen()["readyReplicas"] ?? 3);
    });
    fleet.world.server.storage.change("workerpools", "code", "dev", (object) => {
      object.spec.engine.slots = 3;
    });
    const done = () => seen()["currentRevision"] !== before && seen()["updatedReplicas"] === 3 && seen()["ready"] === "3/3";
    await until("all are of the new revision", done, 150_000);
    const { out, err } = await typing;
    const { failed, reuse, phases } = JSON.parse(out || "{}") as BurstReport;
    process.stdout.write(`${JSON.stringify({ failed, fewest, reuse, phases })}\n`);
    expect([failed, fewest], err).toEqual([0, 2]);
    expect(reuse.moved.prompts).toBeGreaterThan(0);
    // Under half without hand-over; a machine that is very busy has been seen to miss it by a prompt or two (docs/operations/leaving.md).
    expect(reuse.kept_share).toBeGreaterThan(0.7);
  },
  400_000,
);
