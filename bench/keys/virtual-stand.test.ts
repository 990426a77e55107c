import { expect, test } from "vitest";
import { type Figures, figuresOf } from "./measure.ts";
import type { StandOptions } from "./stand.ts";
import { allOn } from "./switches.ts";
import { VirtualStand } from "./virtual-stand.ts";

const { signal } = new AbortController();

async function typed(seed: number, given: Partial<StandOptions> = {}): Promise<Figures> {
  const stand = await VirtualStand.start({
    ...{ profile: "h100-7b-eagle3", profileEnd: "mid", workers: 2, slots: 2, seed, agreement: 0.5 },
    ...{ switches: allOn, ...given },
  });
  try {
    stand.crowd(4);
    await stand.pass(6_000, signal);
    return figuresOf(await stand.take(), 4, stand.violations);
  } finally {
    await stand.end();
  }
}

test("the same seed gives the same figures, another seed others", async () => {
  const first = await typed(1);
  expect(first.outcomes["generated"]).toBeGreaterThan(5);
  expect(first.violations).toBe(0);
  expect(await typed(1)).toEqual(first);
  expect(await typed(2)).not.toEqual(first);
});

test("what waste is made of adds up to it", async () => {
  const { waste_share, waste_by } = await typed(1, { profile: "l40s-7b-eagle3", profileEnd: "slow", workers: 1, agreement: 0 });
  expect(waste_share).toBeGreaterThan(0);
  const sum = Object.values(waste_by).reduce((all, share) => all + share, 0);
  expect(sum).toBeCloseTo(waste_share, 2);
});
