import { expect, test, vi } from "vitest";
import type { DraftCounts, Lengths } from "../../lengths.ts";
import { type Occupied, type PassMs, passesOf, withMinute } from "./costs.ts";
import { oddsOf } from "./odds.ts";
import { bestLengths, gainOf, lengthAt, speedOf } from "./table.ts";

const lengths = (...all: readonly [upTo: number, numTokens: number][]): Lengths =>
  all.map(([upTo, numTokens]) => ({ upTo, numTokens }));
const geometric = (chance: number, places = 8) => Array.from({ length: places }, (_, place) => chance ** (place + 1));
/** A pass takes 10 ms until so many tokens fill the GPU, and then as many times longer as there are more. */
const gpu =
  (full: number, draftMs: number): PassMs =>
  (batch, length) =>
    10 * Math.max(1, (batch * (1 + length)) / full) + length * draftMs;

test.each<[name: string, chance: number, passMs: PassMs, slots: number, best: Lengths]>([
  ["bound by memory, drafts are long at every batch", 0.8, gpu(10_000, 0.1), 64, lengths([64, 8])],
  ["what never holds is tried for one generation alone", 0.01, gpu(100, 0.6), 16, lengths([1, 1])],
  ["a full GPU is worth no draft but one that is tried", 0.6, gpu(1, 0), 16, lengths([1, 1])],
  ["as a batch fills the GPU they get shorter, to none", 0.6, gpu(60, 0.6), 64, lengths([12, 4], [15, 3], [23, 2], [46, 1])],
])("%s", (_, chance, passMs, slots, best) => {
  expect(bestLengths({ right: geometric(chance), passMs }, slots, 8)).toEqual(best);
});

test("wherever odds and costs are, lengths fall, are four at most, and reach no further than they may", () => {
  for (const chance of [0, 0.3, 0.7, 0.95, 1])
    for (const full of [1, 7, 60, 10_000])
      for (const draftMs of [0, 0.6, 3])
        for (const slots of [1, 2, 5, 64]) {
          const best = bestLengths({ right: geometric(chance), passMs: gpu(full, draftMs) }, slots, 8);
          expect(best.length).toBeGreaterThan(0);
          expect(best.length).toBeLessThanOrEqual(4);
          for (const [at, { upTo, numTokens }] of best.entries()) {
            expect(upTo).toBeGreaterThan(best[at - 1]?.upTo ?? 0);
            expect(numTokens).toBeLessThan(best[at - 1]?.numTokens ?? 9);
            expect(upTo).toBeLessThanOrEqual(slots);
            expect(numTokens).toBeGreaterThan(0);
          }
        }
});

test("four ranges lose little against a length of its own for every batch", () => {
  const speeds = { right: geometric(0.9), passMs: gpu(200, 0.3) };
  const best = bestLengths(speeds, 256, 8);
  const shares = Array.from({ length: 256 }, (_, at) => {
    const every = Math.max(...[0, 1, 2, 3, 4, 5, 6, 7, 8].map((length) => speedOf(speeds, at + 1, length)));
    return speedOf(speeds, at + 1, lengthAt(best, at + 1)) / every;
  });
  expect(Math.min(...shares)).toBeGreaterThan(0.85);
  expect(shares.reduce((sum, share) => sum + share, 0) / shares.length).toBeGreaterThan(0.98);
});

test("what is fastest at a batch is looked for once, however many lengths are given up for it", () => {
  const looked = vi.spyOn(Math, "max");
  // Costs rise so slowly that nearly every length is best somewhere, and all but four are given up one by one.
  const best = bestLengths({ right: geometric(0.9, 16), passMs: (batch, length) => 10 + (batch * (1 + length)) / 100 }, 1_024, 16);
  expect(best).toHaveLength(4);
  expect(looked.mock.calls.length).toBe(1_024);
});

test.each<[name: string, counts: DraftCounts, length: number, isOne: boolean, right: readonly number[], from: string]>([
  [
    "places that are counted are taken as they are, and go on beyond as they ended",
    { drafted: 900, accepted: 600, shares: [0.8, 0.6, 0.3] },
    ...([3, true, [0.8, 0.6, 0.3, 0.15], "Positions"] as const),
  ],
  [
    "without places each is right as often as the one before",
    { drafted: 300, accepted: 175, shares: [175 / 300] },
    ...([2, true, [0.69, 0.476, 0.329, 0.227], "Geometric"] as const),
  ],
  [
    "of drafts of several lengths only the first place is counted over all",
    { drafted: 900, accepted: 400, shares: [0.5, 0.1, 0.05] },
    ...([2.5, false, [0.5, 0.25, 0.125, 0.063], "Geometric"] as const),
  ],
  ["nothing is right", { drafted: 900, accepted: 0, shares: [0] }, ...([4, true, [0, 0, 0, 0], "Geometric"] as const)],
])("%s", (_, counts, length, isOne, right, from) => {
  const odds = oddsOf(counts, length, isOne, 4);
  expect([odds.right.map((chance) => Math.round(chance * 1_000) / 1_000), odds.from]).toEqual([right, from]);
});

const minute = (atOnce: number, occupiedMs: number, more: { queued?: number; shed?: number } = {}) =>
  Array.from({ length: 60 }, (_, at) => ({
    ...{ atMs: at * 1_000, queued: 0, inFlight: 2 * atOnce, arrivals: (2_000 * atOnce) / occupiedMs, workers: 2, ...more },
  }));
const learnt = (...minutes: ReturnType<typeof minute>[]): readonly Occupied[] =>
  minutes.reduce<readonly Occupied[]>((known, seconds) => withMinute(known, seconds, 1), []);

test("what a pass of so many tokens takes is read off how long generations occupy a slot beside others", () => {
  expect(passesOf(learnt(), 4, 0.06)).toBeUndefined();
  // Four drafts each by a head whose pass takes 6 % of one that reads the weights: 124 ms are 100 and four times 6.
  const passMs = passesOf(learnt(minute(1, 124), minute(8, 124), minute(16, 224)), 4, 0.06) as PassMs;
  const rounded = (batch: number, length: number) => Math.round(passMs(batch, length));
  expect([rounded(1, 0), rounded(8, 4), rounded(16, 4), rounded(16, 0)]).toEqual([100, 124, 224, 100]);
  expect(rounded(20, 2), "between 40 tokens and 80").toBe(150 + 12);
  expect(rounded(32, 4), "as if it were full").toBe(400 + 24);
});

test("noise makes no pass of more tokens a faster one", () => {
  const passMs = passesOf(learnt(minute(1, 100), minute(4, 130), minute(8, 110), minute(16, 200)), 3, 0) as PassMs;
  const all = Array.from({ length: 24 }, (_, at) => passMs(at + 1, 3));
  expect(all).toEqual([...all].sort((one, other) => one - other));
});

test.each<[name: string, minutes: ReturnType<typeof minute>]>([
  ["in which work waited", minute(4, 100, { queued: 1 })],
  ["that was not heard out", minute(4, 100).slice(0, 30)],
  ["in which all were turned away", minute(4, 100, { shed: 80 })],
])("a minute %s teaches nothing", (_, seconds) => {
  expect(learnt(seconds)).toEqual([]);
});

test("a gain is one over the load that was seen", () => {
  const speeds = { right: geometric(0.6), passMs: gpu(60, 0.6) };
  const [one, other] = [lengths([15, 3], [20, 2], [33, 1]), lengths([64, 4])];
  const gain = (...load: number[]) => gainOf(speeds, load, 64, one, other);
  expect(gain()).toBeUndefined();
  expect(gain(60)).toBeLessThan(0.05);
  expect(gain(0, 0, 0, 0, 0, 60)).toBeGreaterThan(0.3);
});
