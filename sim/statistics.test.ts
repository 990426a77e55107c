import { expect, test } from "vitest";
import { mean, percentile, summary } from "./statistics.ts";

test("a percentile is the smallest value that the share does not exceed", () => {
  const values = [5, 1, 4, 2, 3];
  expect([0, 0.2, 0.21, 0.5, 0.99, 1].map((share) => percentile(values, share))).toEqual([1, 1, 2, 3, 5, 5]);
  expect(values).toEqual([5, 1, 4, 2, 3]);
});

test("of nothing there is no figure", () => {
  expect(percentile([], 0.5)).toBeNaN();
  expect(mean([])).toBeNaN();
  expect(summary([2, 4])).toEqual({ count: 2, mean: 3, p50: 2, p95: 4, p99: 4, max: 4 });
});
