import { expect, test } from "vitest";
import { mean, quantile } from "./quantiles.ts";

test.each([
  [[5], 0.5, 5],
  [[5], 0, 5],
  [[5], 1, 5],
  [[3, 1, 2], 0, 1],
  [[3, 1, 2], 0.5, 2],
  [[3, 1, 2], 1, 3],
  [[1, 2, 3, 4], 0.5, 2.5],
  [[0, 10], 0.95, 9.5],
  [[10, 9, 2, 33, 4], 0.25, 4],
  [Array.from({ length: 101 }, (_, i) => 100 - i), 0.99, 99],
])("of %o the %d-quantile is %d", (values, q, want) => {
  const before = [...values];
  expect(quantile(values, q)).toBeCloseTo(want, 9);
  expect(values).toEqual(before);
});

test("nothing has no quantile and no mean", () => {
  expect([quantile([], 0.5), mean([])]).toEqual([Number.NaN, Number.NaN]);
});

test("the mean is the sum over the count", () => {
  expect(mean([1, 2, 6])).toBe(3);
});
