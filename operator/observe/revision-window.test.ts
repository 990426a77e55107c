import { expect, test } from "vitest";
import { RevisionWindow } from "./revision-window.ts";

const told = (revision: string, firstTexts: number, firstTextP95Ms: number, more: { expired?: number; failed?: number } = {}) => ({
  ...{ revision, firstTexts, firstTextP95Ms, expired: 0, failed: 0 },
  ...more,
});

test("what each revision did is added up over routers and seconds, a p95 by how much each saw", () => {
  const window = new RevisionWindow({ windowMs: 60_000, revisionsMax: 8 });
  window.take(1_000, [told("old", 30, 60), told("new", 10, 90)]);
  window.take(1_500, [told("new", 30, 50, { expired: 2, failed: 1 })]);
  expect([...window.since(0, 2_000)]).toEqual([
    ["old", { texts: 30, p95Ms: 60, expired: 0, failed: 0 }],
    ["new", { texts: 40, p95Ms: 60, expired: 2, failed: 1 }],
  ]);
});

test("only what was said after the moment asked for counts, and nothing older than the window", () => {
  const window = new RevisionWindow({ windowMs: 60_000, revisionsMax: 8 });
  window.take(1_000, [told("new", 10, 500)]);
  window.take(5_000, [told("new", 10, 50)]);
  expect(window.since(2_000, 6_000).get("new")).toMatchObject({ texts: 10, p95Ms: 50 });
  expect(window.since(0, 64_000).get("new")).toMatchObject({ texts: 10, p95Ms: 50 });
  expect(window.since(0, 66_000).size).toBe(0);
});

test("no more revisions are kept than may be, and who has no first text has no p95", () => {
  const window = new RevisionWindow({ windowMs: 60_000, revisionsMax: 3 });
  for (let i = 0; i < 10; i++) window.take(i, [told(`r${i % 5}`, 0, 0, { failed: 1 })]);
  expect([...window.since(-1, 10).keys()]).toEqual(["r0", "r1", "r2"]);
  expect(window.since(-1, 10).get("r0")).toEqual({ texts: 0, p95Ms: undefined, expired: 0, failed: 2 });
});

test("twenty routers that see a trigger of the canary each minute are heard whole, over an hour and over a day", () => {
  const window = new RevisionWindow({ windowMs: 604_800_000, revisionsMax: 8 });
  const beginMs = 7_000;
  for (let minute = 0; minute < 1_440; minute++)
    for (let router = 0; router < 20; router++)
      window.take(beginMs + minute * 60_000 + router, [told("old", 10, 60), told("new", router === 0 ? 1 : 0, 70)]);
  const nowMs = beginMs + 1_440 * 60_000;
  expect(window.since(beginMs, nowMs).get("new")).toMatchObject({ texts: 1_440, p95Ms: 70 });
  expect(window.since(beginMs, nowMs).get("old")?.texts).toBe(288_000);
  const texts = window.since(nowMs - 3_600_000, nowMs).get("new")?.texts ?? 0;
  expect(Math.abs(texts - 60)).toBeLessThanOrEqual(1);
});
