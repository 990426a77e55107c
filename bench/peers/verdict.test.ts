import { expect, test } from "vitest";
import { verdictOf } from "./verdict.ts";

test.each([
  ["nothing seen", 0, 0, undefined],
  ["few of whom none is late", 50, 0, undefined],
  ["many of whom none is late", 400, 0, "served"],
  ["one in a hundred of many", 600, 6, "served"],
  ["at the knee, however many", 2_000, 100, undefined],
  ["a little above it", 500, 35, undefined],
  ["one in six", 300, 50, "unserved"],
  ["all of a few", 20, 20, "unserved"],
] as const)("%s", (_, triggers, late, verdict) => {
  expect(verdictOf({ triggers, late })).toBe(verdict);
});

test("it is never both, and more of the same never takes a verdict back", () => {
  for (const share of [0, 0.01, 0.03, 0.05, 0.08, 0.15, 0.5, 1]) {
    let before: string | undefined;
    for (let triggers = 20; triggers <= 20_000; triggers *= 2) {
      const now = verdictOf({ triggers, late: triggers * share });
      if (before !== undefined) expect(now).toBe(before);
      before = now;
    }
    expect(before).toBe(share === 0.05 ? undefined : share < 0.05 ? "served" : "unserved");
  }
});
