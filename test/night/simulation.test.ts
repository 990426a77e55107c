import { test } from "vitest";
import { expectHeld } from "../simulation/worlds.ts";

/** Seeds of one test; all together 10,000, after those of every day. */
const seeds = 2_500;

for (const from of [1_001, 3_501, 6_001, 8_501]) {
  test(`the worlds of seeds ${from} to ${from + seeds - 1} hold`, async () => {
    await expectHeld(Array.from({ length: seeds }, (_, i) => from + i));
  });
}
