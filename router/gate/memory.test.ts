import { expect, test } from "vitest";
import type { Report } from "../completion.ts";
import { Memory } from "./memory.ts";

type Step = readonly [atMs: number, reaction: Report["reaction"], shownMs?: number];

function after(steps: readonly Step[], now: number) {
  const memory = new Memory({ documentsMax: 10 });
  for (const [atMs, reaction, shownMs = 0] of steps) memory.observe({ document: "d1", reaction, shownMs }, atMs);
  return memory.evidence("d1", now);
}

test.each<[name: string, steps: Step[], now: number, accepted: number | undefined, rejected: number | undefined]>([
  ["nothing was reported", [], 0, undefined, undefined],
  ["shown, and no more", [[0, "shown"]], 10, undefined, undefined],
  ["just accepted", [[0, "accepted"]], 0, 1, undefined],
  ["accepted half a life ago", [[0, "accepted"]], 10_000, 0.5, undefined],
  ["partly accepted", [[0, "partial"]], 0, 0.7, undefined],
  [
    "partly after whole",
    [
      [0, "accepted"],
      [0, "partial"],
    ],
    0,
    1,
    undefined,
  ],
  ["accepted long ago", [[0, "accepted"]], 100_000, undefined, undefined],
  [
    "rejected after it stood",
    [
      [0, "shown"],
      [600, "rejected"],
    ],
    600,
    undefined,
    1,
  ],
  [
    "rejected at once: typed over, not judged",
    [
      [0, "shown"],
      [499, "rejected"],
    ],
    499,
    undefined,
    undefined,
  ],
  ["rejected, by a client that says how long it stood", [[0, "rejected", 2_000]], 0, undefined, 1],
  [
    "rejected at once, by such a client",
    [
      [0, "shown"],
      [900, "rejected", 100],
    ],
    900,
    undefined,
    undefined,
  ],
  ["rejected, by a client that never says shown", [[0, "rejected"]], 0, undefined, 1],
  ["rejected half a life ago", [[0, "rejected"]], 5_000, undefined, 0.5],
  [
    "rejected twice",
    [
      [0, "rejected"],
      [0, "rejected"],
    ],
    0,
    undefined,
    2,
  ],
  [
    "rejected often",
    [
      [0, "rejected"],
      [0, "rejected"],
      [0, "rejected"],
      [0, "rejected"],
    ],
    0,
    undefined,
    3,
  ],
  [
    "accepted, then rejected",
    [
      [0, "accepted"],
      [1, "rejected"],
    ],
    1,
    undefined,
    1,
  ],
  [
    "rejected, then accepted",
    [
      [0, "rejected"],
      [1, "accepted"],
    ],
    1,
    1,
    undefined,
  ],
  [
    "ignored and superseded say nothing",
    [
      [0, "shown"],
      [900, "ignored"],
      [901, "superseded"],
    ],
    901,
    undefined,
    undefined,
  ],
  [
    "a text that went is not the one rejected",
    [
      [0, "shown"],
      [10, "superseded"],
      [20, "shown"],
      [400, "rejected"],
    ],
    400,
    undefined,
    undefined,
  ],
  [
    "retained says nothing of the next",
    [
      [0, "accepted"],
      [10_000, "retained"],
    ],
    10_000,
    0.5,
    undefined,
  ],
])("%s", (_, steps, now, accepted, rejected) => {
  const evidence = after(steps, now);
  expect(Object.keys(evidence).sort()).toEqual(
    [accepted === undefined ? [] : ["accepted"], rejected === undefined ? [] : ["rejected"]].flat(),
  );
  if (accepted !== undefined) expect(evidence.accepted).toBeCloseTo(accepted, 3);
  if (rejected !== undefined) expect(evidence.rejected).toBeCloseTo(rejected, 3);
});

test("documents are apart, and as many as are allowed are remembered", () => {
  const memory = new Memory({ documentsMax: 2 });
  for (const document of ["d1", "d2", "d3"]) memory.observe({ document, reaction: "accepted", shownMs: 0 }, 0);
  expect(memory.size).toBe(2);
  expect([memory.evidence("d1", 0), memory.evidence("d3", 0)]).toEqual([{}, { accepted: 1 }]);
});

test("a clock that stands still or a late report changes nothing for the worse", () => {
  expect(after([[100, "rejected"]], 0).rejected).toBe(1);
});
