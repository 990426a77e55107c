import { expect, test } from "vitest";
import type { LiveFrame, LiveHead, LiveNow } from "../lib/live.ts";
import { History } from "../lib/live-history.ts";
import { drawn, spark } from "./status-drawing.ts";

const head: LiveHead = { router: "r1", version: "1.2.3", startedAt: 0, everyMs: 1_000, boundsMs: [10, 100, 1_000], targetMs: 100 };
const frame = (second: number, given: Partial<LiveFrame> = {}): LiveFrame => ({
  at: second * 1_000,
  firstText: [second * 9, second, 0, 0],
  outcomes: { generated: second * 10 },
  queued: { inline: 2, batch: 1 },
  waitMs: 7.5,
  promptTokens: { cached: second * 90, computed: second * 10 },
  drafts: { accepted: 0, rejected: 0 },
  spent: {},
  slots: {},
  ...given,
});
const now: LiveNow = {
  ...{ ready: true, missing: [], uptimeS: 61, links: { ready: 1, all: 1 }, sessions: 3, problems: [] },
  workers: [
    {
      ...{ name: "w1", pool: "p", models: ["m"], slots: 4, running: 2, leases: 17, draining: false, barred: true },
      ...{ prefillTokensPerSecond: 900, stepMs: 5.25 },
      speculation: { sources: ["lookup"], why: "gain", acceptance: 0.62, positions: [] },
    },
  ],
  tenants: [{ of: "acme", engineMs: 12_300, tokens: 456, shares: { shown: 0.9 }, accepted: 0.5 }],
  policy: { path: "", version: 0 },
  bus: { connected: true, routers: [], outcomesWaiting: 0 },
};

const drawing = (frames: readonly LiveFrame[], columns = 120, rows = 99, given = now) => {
  const history = new History({ pointsMax: 300, boundsMs: head.boundsMs });
  for (const each of frames) history.add(each);
  return drawn({ head, points: history.points, now: given }, { columns, rows });
};

test("the figures are those of the last seconds, with what was before as a line", () => {
  const frames = Array.from({ length: 20 }, (_, second) => frame(second));
  const text = drawing(frames);
  expect(text).toMatch(/^ready · router r1 1\.2\.3 · up 61 s · 3 sessions$/m);
  expect(text).toMatch(/^first text {2}p50 5\.6 ms {2}p95 55 ms {2}p99 91 ms +█+$/m);
  expect(text).toMatch(/^ +within 100 ms$/m);
  expect(text).toMatch(/^triggers {4}10 a second +█+$/m);
  expect(text).toMatch(/^waiting {5}3, 7\.5 ms for the next/m);
  expect(text).toMatch(/^prompts {5}90 % held by workers/m);
  expect(text).toMatch(/^w1 +2\/4 slots +17 leases +5\.3 ms a step {2}62 % of drafts right {2}left alone$/m);
  expect(text).toMatch(/^tenant acme +12\.3 s of engines +456 tokens {2}90 % shown$/m);
});

test("every question of the page has its answer here", () => {
  const frames = Array.from({ length: 20 }, (_, second) =>
    frame(second, {
      outcomes: { generated: second * 4, typed_ahead: second * 5, expired: second },
      drafts: { accepted: second * 3, rejected: second * 7 },
      spent: { shown: second * 60, superseded: second * 30, late: second * 10 },
    }),
  );
  const worker = { ...now.workers[0], speculation: { ...now.workers[0]?.speculation, positions: [{ drafted: 10, accepted: 7 }] } };
  const text = drawing(frames, 140, 99, { ...now, workers: [worker] as LiveNow["workers"] });
  expect(text).toMatch(/^ +typed ahead 5\/s · generated 4\/s · expired 1\/s$/m);
  expect(text).toMatch(/^failed {6}1 a second/m);
  expect(text).toMatch(/^ +inline 2 · batch 1$/m);
  expect(text).toMatch(/^ +1 tokens computed a key/m);
  expect(text).toMatch(/^drafts {6}30 % accepted/m);
  expect(text).toMatch(/^engine time 60 % shown/m);
  expect(text).toMatch(/^ +shown 60 % · superseded 30 % · late 10 %$/m);
  expect(text).toMatch(/^ +reads 900 tokens a second · drafts by lookup · gain · right by position 70 %$/m);
  expect(text).toMatch(/^ +accepted 50 %$/m);
});

test("no drawing is higher than the terminal, and no name steers it", () => {
  const frames = [frame(0), frame(1)];
  const lines = drawing(frames, 80, 12).split("\n");
  expect(lines).toHaveLength(12);
  expect(lines.at(-2)).toMatch(/^… \d+ lines more$/);
  const evil = { ...now, workers: [{ ...now.workers[0], name: "w\u001b]0;mine\u0007\u009b2J" }] as LiveNow["workers"] };
  expect(drawing(frames, 120, 99, evil)).toMatch(/^w\]0;mine2J /m);
});

test("what is over the target is said, and what nobody asked yet is no figure", () => {
  const late = [frame(1), frame(2, { firstText: [9, 1, 50, 0] })];
  expect(drawing(late)).toMatch(/OVER 100 ms/);
  const nobody = drawing([frame(0), frame(0, { at: 1_000 })], 120, 99, { ...now, workers: [], tenants: [] });
  expect(nobody).toMatch(/p50 – {2}p95 – {2}p99 –/);
});

test("no line is longer than the terminal", () => {
  const frames = Array.from({ length: 200 }, (_, second) => frame(second));
  for (const columns of [60, 80, 200])
    expect(
      Math.max(
        ...drawing(frames, columns)
          .split("\n")
          .map((line) => [...line].length),
      ),
    ).toBeLessThanOrEqual(columns);
});

test.each<readonly [string, readonly (number | null)[], number, string]>([
  ["from nothing to the highest", [0, 1, 2, 4, 8], 10, "▁▂▃▅█"],
  ["the last that fit", [8, 8, 0, 8], 2, "▁█"],
  ["a gap where there is none", [8, null, 8], 5, "█ █"],
  ["all nothing", [0, 0], 5, "▁▁"],
])("a line of bars: %s", (_, values, width, text) => {
  expect(spark(values, width)).toBe(text);
});
