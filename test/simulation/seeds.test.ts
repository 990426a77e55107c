import { expect, test } from "vitest";
import { runWorld } from "../../sim/world.ts";
import { expectHeld, seedsToRun, worldOf } from "./worlds.ts";

test("in every seed's world every trigger has one outcome and everything is given back", async () => {
  await expectHeld(seedsToRun(1, 100));
}, 900_000);

test("a seed gives the same log byte for byte, and another seed another log", async () => {
  const log = async (seed: number) => (await runWorld(worldOf(seed))).log.join("\n");
  for (const seed of [3, 4]) {
    const first = await log(seed);
    expect(first.length).toBeGreaterThan(10_000);
    expect((await log(seed)) === first).toBe(true);
    expect((await log(seed + 2)) === first).toBe(false);
  }
});
