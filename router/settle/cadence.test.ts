import { expect, test } from "vitest";
import { lognormal, seeded } from "../../lib/random.ts";
import { Cadence } from "./cadence.ts";

const everyone = 216;

function typed(intervals: readonly number[], cadence = new Cadence({ sessionsMax: 10 })) {
  let at = 0;
  cadence.key("s1", at, at);
  for (const interval of intervals) {
    at += interval;
    cadence.key("s1", at, at);
  }
  const { mean, deviation } = cadence.typing("s1", at);
  return { median: Math.exp(mean), deviation };
}

test("who has typed nothing types as everyone does", () => {
  expect(typed([]).median).toBeCloseTo(everyone);
  expect(typed([]).deviation).toBeCloseTo(0.445, 3);
});

test.each<[name: string, intervals: number[], from: number, to: number]>([
  ["a few keys move the guess a little", [100, 100], 150, 200],
  ["many are believed", Array(64).fill(100), 98, 112],
  ["a pause is not typing", [...Array(64).fill(100), 5_000, 1_001], 98, 112],
  ["nor is a cut-and-paste of keys in one moment", Array(64).fill(0), everyone - 1, everyone + 1],
  ["a change of pace is followed", [...Array(64).fill(300), ...Array(64).fill(100)], 95, 135],
  ["keys that come together count as fast", Array(200).fill(0.1), 9, 12],
])("%s", (_, intervals, from, to) => {
  const { median } = typed(intervals);
  expect(median).toBeGreaterThan(from);
  expect(median).toBeLessThan(to);
});

test("median and spread of lognormal typing are found", () => {
  const random = seeded(3);
  for (const [median, sigma] of [
    [100, 0.3],
    [216, 0.445],
    [300, 0.2],
  ] as const) {
    const medians: number[] = [];
    const deviations: number[] = [];
    for (let run = 0; run < 20; run++) {
      const found = typed(Array.from({ length: 200 }, () => lognormal(random, median, sigma)));
      medians.push(found.median);
      deviations.push(found.deviation);
    }
    const mean = (list: number[]) => list.reduce((sum, each) => sum + each, 0) / list.length;
    expect(mean(medians) / median).toBeCloseTo(1, 0.7);
    expect(mean(deviations) / sigma).toBeCloseTo(1, 0.5);
  }
});

test("nobody types like a clock", () => {
  expect(typed(Array(500).fill(100)).deviation).toBeCloseTo(0.1);
});

test("a client whose clock begins anew is followed on", () => {
  const cadence = new Cadence({ sessionsMax: 10 });
  for (let i = 0; i < 50; i++) cadence.key("s1", 1e9 + i * 100, i);
  for (let i = 0; i < 50; i++) cadence.key("s1", i * 300, 50 + i);
  expect(Math.exp(cadence.typing("s1", 100).mean)).toBeGreaterThan(200);
});

test("sessions are apart, and as many as are allowed are remembered", () => {
  const cadence = new Cadence({ sessionsMax: 2 });
  for (const session of ["s1", "s2", "s3"]) for (let i = 0; i < 40; i++) cadence.key(session, i * 100, i);
  expect(cadence.size).toBe(2);
  expect(Math.exp(cadence.typing("s1", 40).mean)).toBeCloseTo(everyone);
  expect(Math.exp(cadence.typing("s3", 40).mean)).toBeLessThan(120);
});
