import { expect, test } from "vitest";
import { noFaults, type PlantedBug } from "../../sim/faults.ts";
import { runWorld, type WorldOptions } from "../../sim/world.ts";
import { worldOf } from "./worlds.ts";

/**
 * Worlds in which the honest code holds. Each bug alone must be found in one of them, and named: whether a world comes to where a
 * bug bites is for its seed to say, and changes with what the code does before.
 */
const seeds = [1, 4, 11, 16, 35, 50];
/** Where workers often fall silent, so that others are asked beside them. */
const frozen = (world: WorldOptions): WorldOptions => ({
  ...world,
  ...{
    workers: 3,
    typists: 6,
    keys: 40,
    maxTokens: 4,
    slots: 4,
    deadlineMs: 1_000,
    profile: "h100-7b-eagle3",
    profileEnd: "mid",
    queueMax: 100,
  },
  ...{ modelAgreement: 0.9, agreement: 0, rates: { ...noFaults, linkStall: 40, workerFreeze: 20 } },
});
const bugs: [PlantedBug, RegExp, given?: (world: WorldOptions) => WorldOptions][] = [
  ["lostCancel", /after its Cancel arrived|its Cancel had arrived/],
  ["doubleOutcome", /has 2 outcomes/],
  ["mixedTenants", /was shown text that was not generated for it/],
  ["doubleHedge", /books \d+ completion tokens, of at most 4/, frozen],
  ["leakedCredit", /credits of w\d are booked/],
  ["sharedKv", /cached tokens, the first of its salt/],
];

for (const [plant, named, given = (world: WorldOptions) => world] of bugs) {
  test(`the simulation finds a planted bug: ${plant}`, async () => {
    const seen: string[] = [];
    for (const seed of seeds) {
      const world = { ...given(worldOf(seed)), tenants: 2 };
      expect((await runWorld(world)).violations, `seed ${seed} without it`).toEqual([]);
      const { violations } = await runWorld({ ...world, plant });
      if (violations.some((violation) => named.test(violation))) return;
      seen.push(`seed ${seed}: ${violations.slice(0, 3)}`);
    }
    expect.fail(`not found: ${seen.join("; ")}`);
  });
}
