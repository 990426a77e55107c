import { expect, test } from "vitest";
import { normal, seeded } from "../../lib/random.ts";
import { groupedMean, share } from "./statistics.ts";

test("Wilson's interval as the tables have it", () => {
  const { value, low, high } = share(15, 50);
  expect(value).toBe(0.3);
  expect(low).toBeCloseTo(0.191, 3);
  expect(high).toBeCloseTo(0.438, 3);
});

test("none of many is not surely none, and all is not surely all", () => {
  expect(share(0, 384)).toMatchObject({ value: 0, low: 0 });
  expect(share(0, 384).high).toBeCloseTo(0.0099, 4);
  expect(share(20, 20).high).toBe(1);
  expect(share(20, 20).low).toBeCloseTo(0.839, 3);
});

test("of nothing everything is possible", () => {
  expect(share(0, 0)).toEqual({ value: Number.NaN, low: 0, high: 1 });
  expect(groupedMean([]).value).toBeNaN();
});

test("the same values give the same interval", () => {
  const values = [1, 2, 3, 4].map((value) => ({ group: String(value % 2), value }));
  expect(groupedMean(values)).toEqual(groupedMean(values));
});

test("one package that is unlike the others widens the interval more than its spans alone would", () => {
  const spans = Array.from({ length: 100 }, (_, i) => ({ value: i % 10 === 0 ? 1 : 0, group: `${i}` }));
  const packages = spans.map(({ value }, i) => ({ value, group: value === 1 ? "odd" : `${i % 9}` }));
  const width = ({ low, high }: { low: number; high: number }) => high - low;
  expect(groupedMean(packages).value).toBe(groupedMean(spans).value);
  expect(width(groupedMean(packages))).toBeGreaterThan(1.5 * width(groupedMean(spans)));
});

test("the interval of a mean holds the truth about nineteen times in twenty", () => {
  const random = seeded(5);
  const runs = 200;
  let held = 0;
  for (let run = 0; run < runs; run++) {
    const values = Array.from({ length: 60 }, (_, i) => ({ group: String(i), value: 3 + normal(random) }));
    const { low, high } = groupedMean(values);
    if (low <= 3 && 3 <= high) held += 1;
  }
  expect(held / runs).toBeGreaterThan(0.88);
  expect(held / runs).toBeLessThan(0.99);
});
