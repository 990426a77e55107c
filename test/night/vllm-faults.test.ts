// 10,000 random faults of an engine behind HTTP, and what they leave in memory.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { soak } from "../support/vllm/soak.ts";

/** What is left in the heap when the collector has been through it. */
function used(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

test("10,000 generations with random faults leave nothing", async () => {
  // What runs for the first time stays.
  await soak({ seed: 1, generations: 1_000, killEvery: 100 });
  const before = used();
  const soaked = await soak({ seed: 2, generations: 24_000, killEvery: 200 });
  const grown = (used() - before) / 2 ** 20;
  process.stdout.write(`${JSON.stringify({ ...soaked, grownMiB: Math.round(grown) })}\n`);
  expect(soaked.wrong).toEqual([]);
  expect(soaked.left).toEqual({ running: 0, waiting: 0, engine: 0 });
  expect(soaked.creditsAfter).toBe(soaked.creditsBefore);
  expect(soaked.connections).toBeLessThanOrEqual(16);
  expect(grown).toBeLessThan(20);
}, 1_200_000);
