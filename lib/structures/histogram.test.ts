import { expect, test } from "vitest";
import { percentile } from "../../sim/statistics.ts";
import { lognormal, seeded } from "../random.ts";
import { Histogram } from "./histogram.ts";

const filled = (values: readonly number[]) => {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
};

test("every quantile is within 0.8 % of the exact one, from microseconds to days", () => {
  const random = seeded(5);
  for (const median of [3, 300, 40_000, 5e9]) {
    const values = Array.from({ length: 4_000 }, () => Math.round(lognormal(random, median, 1.2)));
    const histogram = filled(values);
    for (const share of [0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1]) {
      const exact = percentile(values, share);
      expect(Math.abs(histogram.quantile(share) - exact), `${share} of ${median}`).toBeLessThanOrEqual(0.008 * exact + 1e-9);
    }
    expect(histogram.mean).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 3);
    expect(histogram.count).toBe(4_000);
  }
});

test("bounds of buckets, nothing and too much", () => {
  for (const value of [0, 1, 255, 256, 257, 511, 512, 1_023, 65_535, 2 ** 31, 2 ** 40 + 1])
    expect(filled([value]).quantile(1)).toBe(value);
  expect(new Histogram().quantile(0.5)).toBeNaN();
  expect(filled([-5, Number.MAX_SAFE_INTEGER]).max).toBe(2 ** 47);
});

test("its table is the one of HdrHistogram: values, shares, counts, and what they add up to", () => {
  const table = filled([1_000, 2_000, 2_000, 9_000]).percentiles(1_000);
  expect(table).toMatch(/^ +Value +Percentile TotalCount 1\/\(1-Percentile\)\n\n +1\.0\d\d 0\.250000000000 +1 +1\.33\n/);
  expect(table).toMatch(/9\.000 1\.000000000000 +4 +\n#\[Mean +=/);
  expect(table).toMatch(/#\[Max += {8}9\.000, Total count += {12}4\]/);
  expect(new Histogram().percentiles(1)).toMatch(/#\[Mean {4}= {8}0\.000/);
});
