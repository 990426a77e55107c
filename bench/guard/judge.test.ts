import { expect, test } from "vitest";
import { type Bound, judge } from "./judge.ts";

const less: Bound = { better: "less", worseMax: 0.2, floor: 0 };
const more: Bound = { ...less, better: "more" };

test("what is worse beyond the bound and beyond noise fails, in the direction that is worse, and nothing else does", () => {
  const cases: readonly (readonly [string, number[], number[], Bound, boolean, boolean])[] = [
    ["the same", [10, 11, 12], [10, 11, 12], less, false, false],
    ["a little worse", [11, 12, 13], [10, 11, 12], less, false, false],
    ["much worse on every seed", [15, 16.5, 18], [10, 11, 12], less, true, false],
    ["much worse on one seed of three", [10, 11, 30], [10, 11, 12], less, false, false],
    ["much better", [5, 5.5, 6], [10, 11, 12], less, false, true],
    ["more is better, and it is more", [15, 16.5, 18], [10, 11, 12], more, false, true],
    ["more is better, and it is less", [5, 5.5, 6], [10, 11, 12], more, true, false],
    ["below the floor nothing is worse", [0.04, 0.05, 0.06], [0.01, 0.01, 0.01], { ...less, floor: 0.1 }, false, false],
    ["one more of what must not be", [0, 0, 1], [0, 0, 0], { ...less, floor: 0.001, exact: true }, true, false],
    ["as many of it as before", [0, 0, 0], [0, 0, 0], { ...less, floor: 0.001, exact: true }, false, false],
    ["nothing before, much now", [5, 5, 5], [0, 0, 0], { ...less, floor: 0.1 }, true, false],
  ];
  for (const [name, now, before, bound, worse, better] of cases)
    expect({ name, ...judge(now, before, bound) }).toMatchObject({ name, worse, better });
});

test("the interval holds the ratio, and is a point where nothing differs", () => {
  const same = judge([3, 4, 5], [3, 4, 5], less);
  expect([same.low, same.ratio, same.high]).toEqual([1, 1, 1]);
  const { low, ratio, high } = judge([12, 10, 14], [10, 11, 12], less);
  expect(low).toBeLessThan(ratio);
  expect(high).toBeGreaterThan(ratio);
});
