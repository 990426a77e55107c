import { expect, test } from "vitest";
import { fakeCalibration } from "./calibration.fake.ts";
import { type Known, type PolicyName, policyNames, settingsOf } from "./contenders.ts";
import { QueueModel } from "./queue-model.ts";
import { type DayScore, run } from "./run.ts";
import type { ScaleRow, Workload } from "./scale.ts";
import { tuned } from "./tuning.ts";
import { verdictOf } from "./verdict.ts";

const known: Known = { targetMs: 88, slots: 8, capacityRps: 60, peakWorkers: 10 };
const model = new QueueModel(fakeCalibration, { targetMs: 88, giveUpMs: 300 });

test.each(policyNames)("%s follows a load up and down again", (name) => {
  const hours = 3;
  const load = new Float64Array(hours * 3_600).map((_, s) => (s < 3_600 || s >= 5_400 ? 60 : 420));
  const peak: number[] = [];
  let end = 0;
  const policy = settingsOf(name, known)[0]?.[0]?.make();
  run(
    (heard) => {
      const wanted = policy?.(heard) as number;
      if (heard.nowS === 5_300) peak.push(heard.fleet.ready);
      end = wanted;
      return wanted;
    },
    model,
    { load, arrivals: load, coldS: 60, seed: 1 },
  );
  expect(peak[0], "under load").toBeGreaterThanOrEqual(6);
  expect(end, "an hour and a half after it").toBeLessThan(peak[0] as number);
});

const row = (policy: PolicyName, gpu: number, held = 0.995, worst = 0.98): ScaleRow => ({
  ...{ policy, workload: "steep-420", windows_held_mean: held, windows_held_worst: worst, gpu_hours: gpu },
  ...{ oracle_gpu_hours: 100, oracle_ratio: gpu / 100, changes_per_day: 10, setting: "" },
  holds: held >= 0.99 && worst >= 0.97,
});

test.each<[string, ScaleRow[], string]>([
  [
    "a win",
    [row("slipstream", 120), row("hpa", 150)],
    "holds the goal: .* at 1.20 × the oracle; the cheapest peer that holds as much is hpa",
  ],
  ["a tie is said", [row("slipstream", 120), row("hpa", 121)], "a tie with hpa"],
  ["a loss is said", [row("slipstream", 130), row("hpa", 110)], "DOES NOT HOLD the goal: .* hpa, tuned, holds as much for less"],
  [
    "dearer than the goal, but than nobody else",
    [row("slipstream", 140), row("hpa", 110, 0.98)],
    "holds the goal: .* no peer holds as much",
  ],
  ["too few windows", [row("slipstream", 110, 0.98), row("hpa", 150)], "DOES NOT HOLD"],
  ["a bad day", [row("slipstream", 110, 0.995, 0.95)], "DOES NOT HOLD"],
])("the verdict: %s", (_, rows, says) => {
  expect(verdictOf("steep-420" satisfies Workload, rows)).toMatch(new RegExp(says));
});

test("tuning finds the cheapest setting that holds, of all families; where none does, the one that holds most", () => {
  const day = (held: number, gpuHours: number): DayScore => ({ held, gpuHours, changes: 0 });
  const named = (said: string) => ({ said, make: () => () => 1 });
  const families = ["a", "b"].map((family) => Array.from({ length: 20 }, (_, i) => named(`${family}${i}`)));
  const at = (said: string) => Number(said.slice(1));
  const holdsUpTo = (most: number) => (said: string) => [
    day(at(said) <= most ? 0.995 : 0.98, 100 - at(said) + (said[0] === "b" ? 10 : 0)),
  ];
  expect(tuned(families, ({ said }) => holdsUpTo(13)(said)).said).toBe("a13");
  expect(tuned(families, ({ said }) => (said[0] === "a" ? holdsUpTo(2)(said) : holdsUpTo(17)(said))).said).toBe("b17");
  expect(tuned(families, ({ said }) => [day(said[0] === "b" ? 0.985 : 0.97, 1)]).said).toBe("b0");
});
