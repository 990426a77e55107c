import { expect, test } from "vitest";
import { EnginePool, type EnginePoolOptions } from "./engine-pool.ts";
import { mean, percentile } from "./statistics.ts";

const options: EnginePoolOptions = {
  ...{ seed: 1, profile: "l40s-3b-eagle3", profileEnd: "mid", slots: 8, maxTokens: 16, freshBytes: 60, giveUpMs: 200 },
};
const { signal } = new AbortController();
const played = async (rps: number, workers: number, seed = 1) => {
  const seconds = await new EnginePool({ ...options, seed }).pass(Array(4).fill(rps), Array(4).fill(workers), signal);
  const lines = seconds.flatMap(({ firstLineMs }) => firstLineMs);
  const came = seconds.reduce((sum, { arrivals }) => sum + arrivals, 0);
  return { came, lines: lines.length, p95: percentile(lines, 0.95), running: mean(seconds.map((each) => each.running)) };
};

test("each trigger has a first line or was given up, and more load is slower", async () => {
  const [calm, busy, drowned] = [await played(15, 1), await played(70, 1), await played(250, 1)];
  expect(calm.lines).toBe(calm.came);
  expect(busy.p95).toBeGreaterThan(calm.p95);
  expect(drowned.lines).toBeLessThan(drowned.came);
  expect(drowned.running).toBeGreaterThan(7.5);
});

test("two workers share what one is slow at, and the same seed gives the same", async () => {
  const [one, two, again] = [await played(80, 1), await played(80, 2), await played(80, 2)];
  expect(two.p95).toBeLessThan(one.p95);
  expect(again).toEqual(two);
});

test("a worker that is kept busier holds slots for longer", async () => {
  const [few, many] = [await new EnginePool(options).kept(1, 60, signal), await new EnginePool(options).kept(8, 200, signal)];
  expect(few.running).toBeLessThan(1);
  expect(many.running).toBeGreaterThan(6);
  expect(many.heldMs).toBeGreaterThan(few.heldMs * 1.2);
});
