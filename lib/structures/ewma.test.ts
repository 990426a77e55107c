import { expect, test } from "vitest";
import { Ewma } from "./ewma.ts";

test("before the first sample it has the fallback, then the sample", () => {
  const mean = new Ewma({ halfLifeMs: 100 });
  expect(mean.value(7)).toBe(7);
  mean.add(0, 50);
  expect(mean.value(7)).toBe(0);
});

test("after a half-life the old value counts half", () => {
  const mean = new Ewma({ halfLifeMs: 100 });
  mean.add(0, 0);
  mean.add(10, 100);
  expect(mean.value(0)).toBeCloseTo(5, 9);
  mean.add(10, 300);
  expect(mean.value(0)).toBeCloseTo(8.75, 9);
});

test("the rate of samples does not matter, only their time", () => {
  const often = new Ewma({ halfLifeMs: 1_000 });
  const seldom = new Ewma({ halfLifeMs: 1_000 });
  for (const mean of [often, seldom]) mean.add(0, 0);
  for (let now = 200; now <= 2_000; now += 200) often.add(1, now);
  seldom.add(1, 2_000);
  expect(seldom.value(0)).toBeCloseTo(0.75, 9);
  expect(often.value(0)).toBeCloseTo(0.75, 9);
});

test("a burst within one millisecond still moves the mean, a tenth at a time", () => {
  const mean = new Ewma({ halfLifeMs: 1_000 });
  mean.add(0, 0);
  mean.add(10, 0);
  expect(mean.value(0)).toBeCloseTo(1, 9);
  for (let i = 0; i < 50; i++) mean.add(10, 0);
  expect(mean.value(0)).toBeGreaterThan(9.9);
});

test("a clock that steps back does no harm", () => {
  const mean = new Ewma({ halfLifeMs: 100 });
  mean.add(10, 1_000);
  mean.add(20, 500);
  expect(mean.value(0)).toBeCloseTo(11, 9);
});
