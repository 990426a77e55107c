// Random faults of an engine behind HTTP: nothing is left of them. The same for 10,000 in test/night.
import { expect, test } from "vitest";
import { soak } from "../support/vllm/soak.ts";

test("each generation ends once, and nothing is left, whatever the engine does", async () => {
  const soaked = await soak({ seed: 11, generations: 400, killEvery: 90 });
  expect(soaked.wrong).toEqual([]);
  expect(Object.values(soaked.ends).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(400);
  expect(soaked.left).toEqual({ running: 0, waiting: 0, engine: 0 });
  expect(soaked.creditsAfter).toBe(soaked.creditsBefore);
  expect(soaked.connections).toBeLessThanOrEqual(16);
  expect(soaked.kills).toBeGreaterThan(2);
  expect(soaked.ends).toMatchObject({
    done: expect.any(Number),
    cancelAck: expect.any(Number),
    "refused engine_failed": expect.any(Number),
  });
});
