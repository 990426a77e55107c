import { expect, test } from "vitest";
import type { PlantedBug } from "../../sim/faults.ts";
import { runWorld } from "../../sim/world.ts";
import { worldOf } from "./worlds.ts";

/** Worlds in which the honest code holds; each bug alone must be found in them, and named. */
const seeds = [1, 4, 11];
const bugs: [PlantedBug, RegExp][] = [
  ["lostCancel", /after its Cancel arrived|its Cancel had arrived/],
  ["doubleOutcome", /has 2 outcomes/],
  ["mixedTenants", /was shown text that was not generated for it/],
];

for (const [plant, named] of bugs) {
  test(`the simulation finds a planted bug: ${plant}`, async () => {
    for (const seed of seeds) {
      expect((await runWorld(worldOf(seed))).violations).toEqual([]);
      const { violations } = await runWorld({ ...worldOf(seed), tenants: 2, plant });
      expect(
        violations.some((violation) => named.test(violation)),
        `seed ${seed}: ${violations.slice(0, 3)}`,
      ).toBe(true);
    }
  });
}
