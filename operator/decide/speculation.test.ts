import { expect, test } from "vitest";
import { wallOf } from "../../lib/clock.ts";
import type { SpeculationSeen } from "../moves.ts";
import { decideSpeculation } from "./decide.ts";

type Step = readonly [seconds: number, acceptance: number | undefined, running: number, says: string];

/** Asked each second; `says` is what holds at the end of each step, with `!` where it changed within it. */
test.each<[string, readonly Step[]]>([
  [
    "a short dip is no reason",
    [
      [30, 0.2, 2, "on"],
      [60, 0.6, 2, "on"],
      [30, 0.2, 2, "on"],
    ],
  ],
  [
    "five minutes below the bound end it",
    [
      [100, 0.6, 2, "on"],
      [290, 0.2, 2, "on"],
      [20, 0.2, 2, "off AcceptanceLow!"],
    ],
  ],
  [
    "it is tried again after an hour",
    [
      [310, 0.2, 2, "off AcceptanceLow!"],
      [3_500, undefined, 2, "off AcceptanceLow"],
      [200, undefined, 2, "on!"],
    ],
  ],
  [
    "a try that fails is followed by a longer pause",
    [
      [310, 0.2, 2, "off AcceptanceLow!"],
      [3_700, undefined, 2, "on!"],
      [310, 0.2, 2, "off AcceptanceLow!"],
      [7_000, undefined, 2, "off AcceptanceLow"],
      [400, undefined, 2, "on!"],
    ],
  ],
  [
    "a try that is hardly above the bound fails: it would be below it again tomorrow",
    [
      [310, 0.2, 2, "off AcceptanceLow!"],
      [3_700, undefined, 2, "on!"],
      [310, 0.47, 2, "off AcceptanceLow!"],
    ],
  ],
  [
    "a try that lasts is a success: then what is written counts, and the next pause is the first again",
    [
      [310, 0.2, 2, "off AcceptanceLow!"],
      [3_700, undefined, 2, "on!"],
      [7_300, 0.6, 2, "on"],
      [600, 0.47, 2, "on"],
      [310, 0.2, 2, "off AcceptanceLow!"],
      [3_700, undefined, 2, "on!"],
    ],
  ],
  [
    "a peak of seconds is no reason",
    [
      [5, 0.6, 20, "on"],
      [20, 0.6, 2, "on"],
    ],
  ],
  ["load above its bound ends it soon", [[15, 0.6, 20, "off LoadTooHigh!"]]],
  [
    "load just below its bound does not begin it again",
    [
      [15, 0.6, 20, "off LoadTooHigh!"],
      [600, undefined, 11, "off LoadTooHigh"],
    ],
  ],
  [
    "a calm minute does",
    [
      [15, 0.6, 20, "off LoadTooHigh!"],
      [50, undefined, 4, "off LoadTooHigh"],
      [30, undefined, 4, "on!"],
    ],
  ],
])("%s", (_, steps) => {
  let [nowMs, memory] = [1_000_000, undefined as string | undefined];
  for (const [seconds, acceptance, running, says] of steps) {
    let [word, changed] = ["", false];
    for (let i = 0; i < seconds; i++) {
      nowMs += 1_000;
      const seen: SpeculationSeen = { nowMs, acceptance, running, minAcceptance: 0.45, disableAboveBatch: 12, memory };
      const verdict = decideSpeculation(seen);
      memory = verdict.memory;
      changed ||= verdict.changed;
      word = verdict.on ? "on" : `off ${verdict.reason}`;
    }
    expect(`${word}${changed ? "!" : ""}`).toBe(says);
  }
});

test("each change says why, by which figures, and when it is tried again", () => {
  const notes: string[] = [];
  let memory: string | undefined;
  for (let s = 0; s < 4_000; s++) {
    const acceptance = s < 320 ? 0.31 : undefined;
    const bounds = { running: 2, minAcceptance: 0.45, disableAboveBatch: undefined };
    const verdict = decideSpeculation({ nowMs: wallOf("2026-01-05T12:00:00Z") + s * 1_000, acceptance, ...bounds, memory });
    if (verdict.changed) notes.push(verdict.message);
    memory = verdict.memory;
  }
  expect(notes).toEqual([
    expect.stringMatching(/31 %, less than minAcceptance \(0.45\).* for 5 min; it is tried again 1 h after 2026-01-05T12:05:00/),
    expect.stringMatching(/guessed again, to see whether 50 % of them are right now; if not, the next try is 2 h after/),
  ]);
});

test("without bounds it is always on, and a text that is none of ours is no memory", () => {
  const seen: SpeculationSeen = {
    nowMs: 1,
    acceptance: 0,
    running: 99,
    minAcceptance: undefined,
    disableAboveBatch: undefined,
    memory: "{}",
  };
  expect(decideSpeculation(seen)).toMatchObject({ on: true, changed: false });
});
