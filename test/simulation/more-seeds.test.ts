// The second half of the seeds, in a file of its own so that both run side by side.
import { test } from "vitest";
import { expectHeld, seedsToRun } from "./worlds.ts";

test("a hundred more worlds hold", async () => {
  await expectHeld(seedsToRun(101, 200));
}, 900_000);
