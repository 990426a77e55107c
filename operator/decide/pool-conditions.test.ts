import { expect, test } from "vitest";
import { pool } from "../../test/support/cluster-objects.ts";
import { poolSeen } from "../../test/support/pool-seen.ts";
import type { ReasonWord } from "../api/conditions.ts";
import { type Facts, poolConditions } from "./pool-conditions.ts";

/** Two workers of the old revision serve; the new one has none yet. */
const changed = (model: Facts["model"], late: Facts["late"] = []) => {
  const speculation = { on: true, changed: false, reason: "AsExpected" as ReasonWord, message: "", memory: "" };
  const said = poolConditions(poolSeen(pool()), {
    ...{ refused: undefined, model, wanted: 2, sized: [], rollout: undefined, speculation, staying: 2 },
    ...{ revisions: [{ name: "old", replicas: 2, ready: 2, pods: 2 }], revision: "new", late, trouble: undefined },
    counts: { pods: 2, ready: 2, warm: 2, starting: 0, draining: 0, updated: 0 },
  });
  return Object.fromEntries(said.map(({ type, status, reason, message }) => [type, { status, reason, message }]));
};

test.each<[what: string, reason: ReasonWord, message: string]>([
  ["an engine that is being built", "BuildingEngine", "the engine is not ready: it is being built since 3 min"],
  ["a model that is being downloaded", "Downloading", "the model is not there: 4 of 14 GiB"],
])(
  "a new revision that waits for %s fails in nothing: Ready says what it waits for, and nothing is degraded",
  (_, reason, message) => {
    expect(changed({ reason, message })).toMatchObject({
      Ready: {
        status: "True",
        reason,
        message: `2 of 2 workers serve, of the old revision until the new one can begin: ${message}`,
      },
      Progressing: { status: "True", reason, message },
      Degraded: { status: "False", reason: "AsExpected" },
      ModelReady: { status: "False", reason, message },
    });
  },
);

test("one whose engine cannot be built is stalled, and says so", () => {
  const said = changed({ reason: "EngineBuildFailed", message: "out of memory on device 0" });
  expect(said).toMatchObject({
    Ready: { status: "True", reason: "RolloutStalled", message: expect.stringContaining("where the new one fails: out of memory") },
    Degraded: { status: "True", reason: "RolloutStalled" },
  });
});
