// Several routers whose callers send each key to another one, while the bus parts and routers start anew.
import { expect, test } from "vitest";
import { below, seeded } from "../../lib/random.ts";
import { type RoamingOptions, runRoaming } from "../../sim/roaming.ts";

function worldOf(seed: number): RoamingOptions {
  const random = seeded(seed);
  const one = <T>(...of: readonly T[]) => of[below(random, of.length)] as T;
  return {
    seed,
    routers: one(2, 3),
    people: one(1, 4),
    keys: 40,
    keyMsMax: one(60, 300, 900),
    counted: one(true, true, false),
    skewMs: one(0, 40, 5_000),
    bus: { latencyMs: one(0.2, 3), jitterMs: one(0, 5) },
    rates: { busAway: one(0, 10), partition: one(0, 20), restart: one(0, 6) },
  };
}

const seeds = Array.from({ length: 16 }, (_, i) => i + 1);

test("whatever happens to bus and routers, each call has one end and one outcome, and the newest is never retired", async () => {
  const seen: Record<string, number> = {};
  const broken: string[] = [];
  for (const seed of seeds) {
    const { violations, outcomes, faults, retiredElsewhere } = await runRoaming(worldOf(seed));
    if (violations.length > 0) broken.push(`seed ${seed}: ${violations.slice(0, 5).join("; ")}`);
    for (const [name, count] of Object.entries({ ...outcomes, ...faults, retiredElsewhere }))
      seen[name] = (seen[name] ?? 0) + count;
  }
  expect(broken).toEqual([]);
  for (const met of ["generated", "superseded", "retiredElsewhere", "busAway", "partition", "restart"])
    expect(seen[met] ?? 0, `none ${met} in ${seeds.length} worlds`).toBeGreaterThan(0);
});

test("a seed's world is the same every time", async () => {
  expect(await runRoaming(worldOf(3))).toEqual(await runRoaming(worldOf(3)));
});

test.each([
  ["deaf", { busAway: 0, partition: 0, restart: 0 }, / outlived /],
  ["forgetful", { busAway: 60, partition: 0, restart: 0 }, /has 2 outcomes on the stream/],
] as const)("a bus that is %s is found", async (plant, rates, violation) => {
  const found: string[] = [];
  // Whether a world comes to where it bites is for its seed to say.
  for (const seed of seeds) {
    const world = worldOf(seed);
    const bus = { latencyMs: 3, jitterMs: 5, plant };
    found.push(...(await runRoaming({ ...world, counted: true, people: 4, keyMsMax: 300, rates, bus })).violations);
    if (found.some((each) => violation.test(each))) return;
  }
  expect.fail(`not found: ${found.join("; ")}`);
});
