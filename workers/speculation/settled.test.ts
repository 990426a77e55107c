import { expect, test } from "vitest";
import { type Asked, Settled } from "./settled.ts";

const asked: Asked = { load: 1, lengthMax: 8, lookup: { match: 2, length: 6 }, behindTokens: 40 };
const holds = { steps: 10, byReading: false };

test.each<[name: string, change: Partial<Asked>, settled: boolean]>([
  ["the same", {}, true],
  ["less room", { lengthMax: 3 }, true],
  ["fewer tokens to draft", { lookup: { match: 2, length: 1 } }, true],
  ["without a draft model", { behindTokens: undefined }, true],
  ["less to read for the draft model", { behindTokens: 1 }, true],
  ["a longer match", { lookup: { match: 7, length: 6 } }, false],
  ["no match, never thought over", { lookup: { match: 0, length: 0 } }, false],
  ["more room", { lengthMax: 9 }, false],
  ["another load", { load: 2 }, false],
])("what did not pay is settled: %s", (_, change, settled) => {
  const settle = new Settled();
  settle.add(asked, holds);
  expect(settle.has({ ...asked, ...change })).toBe(settled);
});

test("for as many steps as it was said, and never many", () => {
  for (const [steps, after] of [
    [3, 3],
    [1_000, 256],
  ] as const) {
    const settle = new Settled();
    settle.add(asked, { ...holds, steps });
    for (let step = 0; step < after; step++) {
      expect(settle.has(asked)).toBe(true);
      settle.stepped();
    }
    expect(settle.has(asked)).toBe(false);
  }
});

test("until something was learned", () => {
  const settle = new Settled();
  settle.add(asked, holds);
  settle.clear();
  expect(settle.has(asked)).toBe(false);
});

test.each<[name: string, behindTokens: number | undefined, settled: boolean]>([
  ["more to read", 41, true],
  ["no draft model", undefined, true],
  ["less to read, as after a draft or with a short prompt", 39, false],
])("what reading for the draft model decided is settled: %s", (_, behindTokens, settled) => {
  const settle = new Settled();
  settle.add(asked, { ...holds, byReading: true });
  expect(settle.has({ ...asked, behindTokens })).toBe(settled);
});

test("what reading decided is not settled for the next generation", () => {
  for (const byReading of [true, false]) {
    const settle = new Settled();
    settle.add(asked, { ...holds, byReading });
    settle.finished();
    expect(settle.has(asked)).toBe(!byReading);
  }
});

test.each<[name: string, then: (settle: Settled) => void, load: number, rests: boolean]>([
  ["at the same load", () => {}, 1, true],
  ["not at another", () => {}, 2, false],
  ["not once something was learned", (settle) => settle.clear(), 1, false],
  ["not after so many steps", (settle) => Array.from({ length: 10 }, () => settle.stepped()), 1, false],
  ["in the next generation", (settle) => settle.finished(), 1, true],
])("where not even a long match pays it rests: %s", (_, then, load, rests) => {
  const settle = new Settled();
  settle.rest(1, holds);
  then(settle);
  expect(settle.rests(load)).toBe(rests);
});
