import { expect, test } from "vitest";
import { InUse } from "./in-use.ts";

test.each<[name: string, runs: readonly (readonly [running: boolean, now: number])[], at: number, share: number]>([
  ["nothing ran yet", [], 1_000, 0],
  ["it has just begun", [[true, 1_000]], 1_000, 0],
  ["it runs for a half-life", [[true, 1_000]], 2_000, 0.5],
  ["it runs for long", [[true, 1_000]], 60_000, 1],
  [
    "it said so again and again",
    [
      [true, 1_000],
      [true, 1_200],
      [true, 1_900],
    ],
    2_000,
    0.5,
  ],
  [
    "it has been idle for a half-life since",
    [
      [true, 1_000],
      [false, 2_000],
    ],
    3_000,
    0.25,
  ],
  [
    "it has been idle for long",
    [
      [true, 1_000],
      [false, 2_000],
    ],
    60_000,
    0,
  ],
  [
    "a clock that stands still",
    [
      [true, 1_000],
      [false, 1_000],
      [true, 1_000],
    ],
    1_000,
    0,
  ],
])("in use when %s", (_, runs, at, share) => {
  const inUse = new InUse({ halfLifeMs: 1_000 });
  for (const [running, now] of runs) inUse.runs(running, now);
  expect(inUse.share(at)).toBeCloseTo(share, 6);
});

test("work that comes and goes is in use as much as it takes of the time", () => {
  const inUse = new InUse({ halfLifeMs: 5_000 });
  for (let now = 0; now < 60_000; now += 100) {
    inUse.runs(true, now);
    inUse.runs(false, now + 30);
  }
  expect(inUse.share(60_000)).toBeCloseTo(0.3, 2);
});
