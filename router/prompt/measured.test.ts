import { expect, test } from "vitest";
import { seeded } from "../../lib/random.ts";
import { BytesPerToken } from "./measured.ts";

const model = { name: "m", bytesPerToken: 3 };
const measuredAs = (ratios: readonly number[]) => {
  const made = new BytesPerToken({ modelsMax: 2 });
  for (const ratio of ratios) made.add("m", ratio * 1_000, 1_000);
  return made;
};

test("until enough prompts were measured, what the worker said holds", () => {
  const made = measuredAs(Array.from({ length: 19 }, () => 5));
  expect(made.steady(model)).toBe(3);
  expect(made.exact("m")).toBe(3);
  made.add("m", 5_000, 1_000);
  expect(made.steady(model)).toBeCloseTo(5, 0);
  expect(made.exact("m")).toBeCloseTo(5, 5);
});

test("a mean that wobbles moves no budget, one that moves does", () => {
  const random = seeded(1);
  const made = measuredAs(Array.from({ length: 100 }, () => 4));
  const before = made.steady(model);
  for (let i = 0; i < 500; i++) made.add("m", 4_000 * (0.9 + 0.2 * random.next()), 1_000);
  expect(made.steady(model)).toBe(before);
  for (let i = 0; i < 1_000; i++) made.add("m", 3_000, 1_000);
  expect(made.steady(model)).toBeLessThan(before * 0.85);
});

test("a budget's figure is never more than what was measured and a step", () => {
  for (const ratio of [1.7, 2.9, 3.5, 4.4]) {
    const steady = measuredAs(Array.from({ length: 30 }, () => ratio)).steady(model);
    expect(steady).toBeLessThanOrEqual(ratio * 1.0001);
    expect(steady).toBeGreaterThan(ratio / 1.06);
  }
});

test("what says nothing is not counted, and models are bounded", () => {
  const made = measuredAs([]);
  made.add("m", 0, 10);
  made.add("m", 10, 0);
  for (let i = 0; i < 40; i++) for (const name of i < 20 ? ["a", "b"] : ["b", "m"]) made.add(name, 4_000, 1_000);
  expect(made.exact("a")).toBe(3);
  expect(made.exact("m")).toBe(4);
});
