import { expect, test } from "vitest";
import { isNewer, type Rank } from "./rank.ts";

const rank = (sequence: number, unixMs: number, router: string): Rank => ({ sequence, unixMs, router });

test.each([
  ["a higher count, whatever the time", rank(2, 10, "a"), rank(1, 99, "b")],
  ["who counts, before who does not", rank(1, 10, "a"), rank(0, 99, "b")],
  ["a later time, where counts are the same", rank(3, 20, "a"), rank(3, 10, "b")],
  ["the later name, in the same moment", rank(0, 10, "b"), rank(0, 10, "a")],
])("%s is newer", (_, newer, older) => {
  expect([isNewer(newer, older), isNewer(older, newer)]).toEqual([true, false]);
});

test("of any ranks that differ exactly one order holds", () => {
  const all = [0, 1, 2].flatMap((sequence) =>
    [5, 6].flatMap((unixMs) => ["a", "b"].map((router) => rank(sequence, unixMs, router))),
  );
  for (const a of all) {
    for (const b of all) {
      expect(Number(isNewer(a, b)) + Number(isNewer(b, a))).toBe(a === b ? 0 : 1);
      for (const c of all) if (isNewer(a, b) && isNewer(b, c)) expect(isNewer(a, c)).toBe(true);
    }
  }
});
