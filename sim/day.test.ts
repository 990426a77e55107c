import { expect, test } from "vitest";
import { dayOf } from "./day.ts";

const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;

test("a day has its shape: fewer write at lunch than in the hours around it", () => {
  const { writing } = dayOf({ developers: 400, seed: 1 });
  const hour = (nth: number) => mean(writing.slice(nth * 60, (nth + 1) * 60));
  expect(hour(3)).toBeLessThan(hour(2));
  expect(hour(3)).toBeLessThan(hour(5));
});

test("the same seed is the same day, and shares hold for crowds of any size", () => {
  const small = dayOf({ developers: 200, seed: 3 });
  expect(dayOf({ developers: 200, seed: 3 })).toEqual(small);
  const large = dayOf({ developers: 4_000, seed: 3 });
  expect(large.mean_share).toBeCloseTo(small.mean_share, 1);
  expect(large.peak_share).toBeLessThan(small.peak_share);
  expect(large.peak_share).toBeGreaterThan(large.mean_share);
});

test("nobody writes in a day without people", () => {
  expect(dayOf({ developers: 0, seed: 1 })).toMatchObject({ peak_share: 0, mean_share: 0, keys_per_developer: 0 });
});
