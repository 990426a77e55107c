import { expect, test } from "vitest";
import { seeded } from "../../lib/random.ts";
import { mean } from "../../sim/statistics.ts";
import { arrivalsOf, coldStart, loadOf, secondsPerDay } from "./days.ts";
import { Fleet } from "./fleet.ts";
import { gpuSecondsOf, relaxed } from "./oracle.ts";
import { HpaActuator } from "./policies/hpa.ts";

test("days are the same for a seed, quiet at weekends, and rise at nine where they do", () => {
  const load = loadOf({ shape: "steep", seed: 3, days: 7, peakRps: 1_000 });
  const same = (seed: number) => loadOf({ shape: "steep", seed, days: 1, peakRps: 1_000 }).every((rate, s) => rate === load[s]);
  expect([same(3), same(4)]).toEqual([true, false]);
  const at = (day: number, hour: number) => {
    const from = day * secondsPerDay + hour * 3_600;
    return mean(Array.from(load.subarray(from, from + 600)));
  };
  const days = [0, 1, 2, 3, 4];
  expect(mean(days.map((day) => at(day, 9.4) / at(day, 8.4)))).toBeGreaterThan(5);
  expect(at(5, 15) + at(6, 15)).toBeLessThan(at(0, 15));
  const morning = load.subarray(0, secondsPerDay / 2);
  expect(mean(Array.from(arrivalsOf(morning, 9))) / mean(Array.from(morning))).toBeCloseTo(1, 2);
});

test("starts take about what they are said to, and one in a hundred hangs", () => {
  const random = seeded(1);
  const starts = Array.from({ length: 5_000 }, () => coldStart(random, 150)).sort((a, b) => a - b);
  expect(starts[2_500]).toBeCloseTo(150, -1);
  expect(starts.filter((s) => s > 300).length / 5_000).toBeCloseTo(0.01, 2);
});

test("a fleet: workers serve when they have started, are paid from the asking, and the youngest start is taken back first", () => {
  const fleet = new Fleet({ ready: 2, coldS: 100 }, seeded(1));
  fleet.want(4, 0);
  for (let s = 1; s <= 50; s++) fleet.second(s);
  expect([fleet.ready, fleet.wanted, fleet.gpuSeconds]).toEqual([2, 4, 200]);
  fleet.want(3, 50);
  expect([fleet.ready, fleet.starting.length]).toEqual([2, 1]);
  for (let s = 51; s <= 500; s++) fleet.second(s);
  expect([fleet.ready, fleet.starts.length]).toEqual([3, 1]);
  fleet.want(1, 500);
  expect(fleet.ready).toBe(1);
  const before = fleet.gpuSeconds;
  for (let s = 501; s <= 600; s++) fleet.second(s);
  // Two drain for twenty seconds.
  expect(fleet.gpuSeconds - before).toBe(100 + 2 * 19);
});

test("the oracle keeps a worker over a gap that is shorter than its start, and starts it anew over a longer one", () => {
  expect(gpuSecondsOf([1, 1, 1], 150)).toBe(150 + 180);
  expect(gpuSecondsOf([1, 0, 0, 1], 150)).toBe(150 + 240);
  expect(gpuSecondsOf([1, 0, 0, 0, 1], 150)).toBe(2 * 150 + 120);
  expect(gpuSecondsOf([1, 3, 1], 60)).toBe(60 + 180 + 2 * (60 + 60));
});

test("no schedule of whole workers that holds every window is cheaper than the oracle's: all are tried", () => {
  const random = seeded(7);
  for (let round = 0; round < 30; round++) {
    const needs = Array.from({ length: 6 }, () => Math.floor(3 * random.next()));
    const coldS = 30 + 200 * random.next();
    let cheapest = Number.POSITIVE_INFINITY;
    // Each of two workers is on or off in each window; who comes on has to start.
    for (let code = 0; code < 1 << 12; code++) {
      const on = (worker: number, window: number) => (code >> (worker * 6 + window)) & 1;
      if (needs.some((need, window) => on(0, window) + on(1, window) < need)) continue;
      let cost = 0;
      for (const worker of [0, 1])
        for (let window = 0; window < 6; window++)
          if (on(worker, window)) cost += 60 + (window === 0 || !on(worker, window - 1) ? coldS : 0);
      cheapest = Math.min(cheapest, cost);
    }
    expect(gpuSecondsOf(needs, coldS)).toBeCloseTo(cheapest, 6);
  }
});

test("what the oracle gives up is what costs most, and no more than it may", () => {
  const needs = Array.from({ length: 1_440 }, (_, i) => (i >= 600 && i < 605 ? 20 : i === 900 ? 9 : 4));
  expect(relaxed(needs, 300, 0.01, 0.03)).toEqual(new Array(1_440).fill(4));
  expect(relaxed(needs, 300, 5 / 1_440, 0.03).filter((need) => need > 4)).toEqual([9]);
  expect(relaxed(needs, 300, 0, 0.03)).toEqual(needs);
});

test("an HPA goes up at most twofold or by four, and down by the largest of its window", () => {
  const actuator = new HpaActuator(300);
  expect(actuator.act(0, 3, 30)).toBe(7);
  expect(actuator.act(15, 10, 30)).toBe(20);
  expect(actuator.act(30, 20, 5)).toBe(20);
  expect(actuator.act(331, 20, 5)).toBe(5);
});
