import { expect, test } from "vitest";
import { type LiveFrame, quantileOf } from "./live.ts";
import { History, windowFrames } from "./live-history.ts";

const boundsMs = [10, 50, 100];
const frame = (second: number, given: Partial<LiveFrame> = {}): LiveFrame => ({
  at: 1_000 * second,
  firstText: [0, 0, 0, 0],
  outcomes: {},
  queued: {},
  waitMs: 0,
  promptTokens: { cached: 0, computed: 0 },
  drafts: { accepted: 0, rejected: 0 },
  spent: {},
  slots: {},
  ...given,
});
const history = (pointsMax = 100) => new History({ pointsMax, boundsMs });

test.each<readonly [string, readonly number[], number, number | null]>([
  ["nothing came: nothing is said", [0, 0, 0, 0], 0.5, null],
  ["half of one bucket", [10, 0, 0, 0], 0.5, 5],
  ["the bucket in which it falls", [50, 50, 0, 0], 0.95, 46],
  ["an empty bucket is passed over", [1, 0, 1, 0], 1, 100],
  ["beyond the last bound no more is known than that", [0, 0, 0, 5], 0.5, 100],
])("%s", (_, counts, q, ms) => {
  expect(quantileOf(counts, boundsMs, q)).toEqual(ms);
});

test("what was counted between two frames is told a second; the first frame tells nothing of it", () => {
  const made = history();
  made.add(frame(1, { outcomes: { generated: 100 } }));
  made.add(frame(3, { outcomes: { generated: 110, failed: 2 } }));
  expect(made.points.map(({ outcomes }) => outcomes)).toEqual([{}, { generated: 5, failed: 1 }]);
});

test("quantiles and shares are of the last frames alone", () => {
  const made = history();
  for (let second = 0; second <= 2 * windowFrames; second++)
    made.add(
      frame(second, {
        firstText: [second * 10, second > windowFrames ? (second - windowFrames) * 90 : 0, 0, 0],
        outcomes: { generated: second * 10 },
        promptTokens: { cached: second * 900, computed: second * 100 },
        drafts: { accepted: second * 3, rejected: second },
        spent: { shown: second * 3, superseded: second },
      }),
    );
  expect(made.points[windowFrames]?.p95).toBeCloseTo(9.5);
  expect(made.points.at(-1)?.p95).toBeGreaterThan(40);
  expect(made.points.at(-1)).toMatchObject({
    computedPerKey: 10,
    reuse: 0.9,
    accepted: 0.75,
    spent: { shown: 0.75, superseded: 0.25 },
  });
});

test("a router that began anew leaves a gap, not a fall", () => {
  const made = history();
  made.add(frame(1, { outcomes: { generated: 500 } }));
  made.add(frame(2, { outcomes: { generated: 510 } }));
  made.add(frame(3, { outcomes: { generated: 4 } }));
  made.add(frame(4, { outcomes: { generated: 9 } }));
  expect(made.points.map(({ outcomes }) => outcomes["generated"])).toEqual([undefined, 10, undefined, 5]);
});

test("a frame that is known already, told again after a reconnect, is no second point", () => {
  const made = history();
  for (const second of [1, 2, 3, 1, 2, 3, 4]) made.add(frame(second));
  expect(made.points.map(({ at }) => at)).toEqual([1_000, 2_000, 3_000, 4_000]);
});

test("no more points are kept than the limit", () => {
  const made = history(5);
  for (let second = 1; second <= 50; second++) made.add(frame(second));
  expect(made.points.map(({ at }) => at / 1_000)).toEqual([46, 47, 48, 49, 50]);
});
