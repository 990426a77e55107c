import { expect, test } from "vitest";
import { pairsOf } from "./pairs.ts";

const arrivals = (name: string, ...of: [number, string][]) => ({
  name,
  arrivals: of.map(([atMs, trigger]) => ({ document: "d", trigger, atMs })),
});
const told = (sequence: number, atMs: number) => ({ document: "d", sequence, atMs });
const ran = (link: string, beganMs: number, overMs: number, abortedMs?: number) => ({
  ...{ document: "d", link, beganMs, overMs },
  ...(abortedMs === undefined ? {} : { abortedMs }),
});

test("a key at the other router is paired with the older text that was decoded, as far as the news stopped it", () => {
  const pairs = pairsOf(
    [arrivals("r0", [0, "p-1"], [200, "p-3"], [400, "p-5"]), arrivals("r1", [100, "p-2"], [300, "p-4"])],
    [told(2, 102), told(5, 401)],
    [
      ran("r0", 10, 110, 104),
      // Over before the next key.
      ran("r1", 110, 190),
      // Ran to its end, as nobody told of key 4.
      ran("r0", 210, 390),
      // Cut where its text ended, before the news of key 5.
      ran("r1", 310, 405, 400.5),
    ],
  );
  expect(pairs).toEqual([{ atMs: 100, toldMs: 2, abortMs: 4, stoppedMs: 10 }, { atMs: 300 }]);
});

test("keys at one router, and another document's text, make no pair", () => {
  expect(pairsOf([arrivals("r0", [0, "p-1"], [100, "p-2"])], [], [ran("r0", 10, 200)])).toEqual([]);
  expect(
    pairsOf([arrivals("r0", [0, "p-1"]), arrivals("r1", [100, "p-2"])], [], [{ ...ran("r0", 10, 200), document: "other" }]),
  ).toEqual([]);
});
