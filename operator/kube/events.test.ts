import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import { cpuPool } from "../../test/support/cluster-objects.ts";
import type { KubeObject } from "../objects.ts";
import { Events, eventsDefaults } from "./events.ts";

test("the same again is one event with a count, told at once and then seldom; after minutes it is a new one", async () => {
  const clock = new FakeClock();
  const created: KubeObject[] = [];
  const counts: number[] = [];
  const events = new Events(
    { controller: "slipstream.dev/operator", instance: "one", ...eventsDefaults },
    {
      clock,
      random: seeded(1),
      log: silentLog,
      cluster: {
        create: async (object) => {
          created.push(object);
          return object;
        },
        patchEvent: async (_, __, patch) => void counts.push((patch as { series: { count: number } }).series.count),
      },
    },
  );
  const about = cpuPool((pool) => (pool.metadata.uid = "u")) as KubeObject;
  const tell = (note: string) => events.tell({ about, type: "Warning", reason: "Unschedulable", action: "Wait", note });
  for (let i = 0; i < 100; i++) {
    tell("no GPU");
    await clock.advance(1_000);
  }
  expect(created).toHaveLength(1);
  expect(counts).toEqual([2, 32, 62, 92]);
  expect(created[0]).toMatchObject({
    apiVersion: "events.k8s.io/v1",
    eventTime: expect.stringMatching(/\.\d{6}Z$/),
    regarding: { kind: "WorkerPool", name: "dev", uid: "u" },
    reportingController: "slipstream.dev/operator",
  });
  tell("x".repeat(5_000));
  await clock.advance(10 * 60_000);
  tell("no GPU");
  await clock.advance(0);
  expect(created).toHaveLength(3);
  expect(created[1]?.["note"].length).toBeLessThanOrEqual(1_024);
});
