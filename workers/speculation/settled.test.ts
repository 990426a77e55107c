import { expect, test } from "vitest";
import { type Asked, Settled } from "./settled.ts";

const asked: Asked = { load: 1, lengthMax: 8, lookup: { match: 2, length: 6 }, behindTokens: 40 };

test.each<[name: string, change: Partial<Asked>, settled: boolean]>([
  ["the same", {}, true],
  ["less room", { lengthMax: 3 }, true],
  ["fewer tokens to draft", { lookup: { match: 2, length: 1 } }, true],
  ["without a draft model", { behindTokens: undefined }, true],
  ["a longer match", { lookup: { match: 7, length: 6 } }, false],
  ["no match, never thought over", { lookup: { match: 0, length: 0 } }, false],
  ["more room", { lengthMax: 9 }, false],
  ["another load", { load: 2 }, false],
])("what did not pay is settled: %s", (_, change, settled) => {
  const settle = new Settled();
  settle.add(asked, 10);
  expect(settle.has({ ...asked, ...change })).toBe(settled);
});

test("for as many steps as it was said, and never many", () => {
  for (const [steps, after] of [
    [3, 3],
    [1_000, 32],
  ] as const) {
    const settle = new Settled();
    settle.add(asked, steps);
    for (let step = 0; step < after; step++) {
      expect(settle.has(asked)).toBe(true);
      settle.stepped();
    }
    expect(settle.has(asked)).toBe(false);
  }
});

test("until something was learned", () => {
  const settle = new Settled();
  settle.add(asked, 10);
  settle.clear();
  expect(settle.has(asked)).toBe(false);
});
