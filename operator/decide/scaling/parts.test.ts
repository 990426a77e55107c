import { expect, test } from "vitest";
import { wallOf } from "../../../lib/clock.ts";
import { normal, seeded } from "../../../lib/random.ts";
import type { ScalingRules } from "../../scaling.ts";
import { stalledAfterMs } from "./cold-start.ts";
import { capacityOf, firstCurve, learned, p95Of } from "./curve.ts";
import { nextBeta } from "./headroom.ts";
import { firstLine, lineAt, sampled } from "./line.ts";
import { parsedCron, scheduledMin } from "./schedules.ts";
import { expectedAt, firstSeason, minuteOver } from "./season.ts";
import { workersFor } from "./staffing.ts";

test("a line is found through noise and wild samples, and follows when it moves", () => {
  const random = seeded(3);
  let line = firstLine(60, 3);
  const feed = (at0: number, slope: number, times: number) => {
    for (let i = 0; i < times; i++) {
      const x = 1 + 12 * random.next();
      const wild = random.next() < 0.03 ? 400 : 0;
      line = sampled(line, x, at0 + slope * x + 3 * normal(random) + wild);
    }
  };
  feed(82, 4.4, 300);
  expect(lineAt(line, 4)).toBeCloseTo(82 + 17.6, -1);
  expect(Math.abs(line.slope - 4.4)).toBeLessThan(1.5);
  feed(50, 2, 3_000);
  expect(lineAt(line, 8)).toBeCloseTo(66, -1);
});

test("a start is given half as long again as nine of ten took, a minute at least, and never longer than the spec's deadline", () => {
  const rules = { startDeadlineMs: 600_000 } as ScalingRules;
  const after = (...starts: number[]) => stalledAfterMs({ starts }, rules);
  // A busy node makes one of a few short starts take several times as long.
  expect([after(4_000, 5_000, 6_000), after(150_000, 150_000, 160_000), after(500_000, 500_000, 500_000)]).toEqual([
    60_000, 240_000, 600_000,
  ]);
  expect(after(4_000, 5_000), "of two nothing is concluded").toBe(600_000);
});

test("capacity within the target is far below saturation, and what a worker takes fits it", () => {
  let curve = firstCurve;
  // S(b) = 42 + 3.2 b, whose p95 is half as much again.
  for (let i = 0; i < 400; i++) {
    const b = 1 + (i % 12);
    curve = learned(curve, { b, occupiedMs: 42 + 3.2 * b, firstTextP95Ms: 1.3 * (42 + 3.2 * b) });
  }
  const { b, rps } = capacityOf(curve, { targetMs: 88, slots: 16 });
  expect([b, rps]).toEqual([expect.closeTo(8, 0), expect.closeTo(119, -1)]);
  const saturation = (16 / (42 + 3.2 * 16)) * 1_000;
  expect(rps / saturation).toBeLessThan(0.75);
  expect(p95Of(curve, 10 * rps, 10)).toBeCloseTo(88, -1);
  expect(p95Of(curve, 10 * rps, 9)).toBeGreaterThan(88);
  expect(p95Of(curve, 10 * rps, 0)).toBe(60_000);
});

test("square-root staffing: the share to spare falls with size, and grows with what the forecast is wrong by", () => {
  const workers = (load: number, error = 0, beta = 2) => workersFor({ load, b: 7, error }, beta);
  expect(workers(0)).toBe(0);
  expect([workers(1), workers(4), workers(100)]).toEqual([2, 5, 104]);
  expect(workers(100, 0.1)).toBe(121);
  for (let load = 0.1; load < 50; load += 0.3) expect(workers(load + 0.3)).toBeGreaterThanOrEqual(workers(load));
});

test("headroom settles where as many minutes come near the target as may", () => {
  const random = seeded(5);
  let [beta, near] = [0.5, 0];
  const minutes = 6_000;
  for (let i = 0; i < minutes; i++) {
    const p95Ms = 88 * (1 + 0.1 * (normal(random) - beta));
    if (i > minutes / 2 && p95Ms > 0.97 * 88) near += 1;
    beta = nextBeta(beta, { rps: 100, foreseen: 100, p95Ms, targetMs: 88 });
  }
  expect(near / (minutes / 2)).toBeCloseTo(0.06, 1.5);
  expect(nextBeta(beta, { rps: 200, foreseen: 100, p95Ms: 300, targetMs: 88 }), "a flash teaches nothing").toBe(beta);
});

test("a day is known after it was seen, today's size after half an hour, and quiet weekdays apart", () => {
  const dayMs = 86_400_000;
  const monday = wallOf("2026-11-02T00:00:00Z");
  const usual = (atMs: number) => 100 + 50 * Math.floor((atMs % dayMs) / 3_600_000);
  let season = firstSeason;
  const learn = (fromMs: number, untilMs: number, size: (atMs: number) => number) => {
    for (let atMs = fromMs; atMs < untilMs; atMs += 60_000)
      season = minuteOver(season, atMs, size(atMs) * usual(atMs), undefined, true);
  };
  expect(expectedAt(season, monday, true).rps).toBeUndefined();
  learn(monday, monday + 14 * dayMs, (atMs) => (((atMs - monday) / dayMs) % 7 >= 5 ? 0.2 : 1));
  const at = (day: number, hour: number) => monday + day * dayMs + hour * 3_600_000 + 60_000;
  learn(at(14, 0), at(14, 10), () => 1.3);
  expect(expectedAt(season, at(14, 12), true).rps).toBeCloseTo(1.3 * 700, -2);
  learn(at(14, 10), at(19, 10), (atMs) => (atMs >= at(19, 0) ? 0.2 : 1));
  expect(expectedAt(season, at(19, 12), true).rps).toBeCloseTo(0.2 * 700, -1.5);
});

test.each<[string, string, string, string, boolean]>([
  ["it has begun", "0 9 * * 1-5", "UTC", "2026-11-02T09:00:30Z", true],
  ["not yet", "0 9 * * 1-5", "UTC", "2026-11-02T08:59:59Z", false],
  ["it lasts", "0 9 * * 1-5", "UTC", "2026-11-02T16:59:00Z", true],
  ["it is over", "0 9 * * 1-5", "UTC", "2026-11-02T17:00:00Z", false],
  ["not on a Sunday", "0 9 * * 1-5", "UTC", "2026-11-01T10:00:00Z", false],
  ["Sunday is 0 and 7", "0 9 * * 7", "UTC", "2026-11-01T10:00:00Z", true],
  ["in its own zone", "0 9 * * *", "America/New_York", "2026-11-02T14:30:00Z", true],
  ["in its own zone, too early", "0 9 * * *", "America/New_York", "2026-11-02T13:30:00Z", false],
  ["over midnight", "0 22 * * *", "UTC", "2026-11-03T03:00:00Z", true],
  ["steps and lists", "*/30 6,20-22 * * *", "UTC", "2026-11-02T20:45:00Z", true],
  ["a day of the month", "0 0 29 2 *", "UTC", "2028-02-29T04:00:00Z", true],
  ["a zone that is none never holds", "0 9 * * *", "Mars/Olympus", "2026-11-02T09:30:00Z", false],
])("schedule: %s", (_, cron, timeZone, at, holds) => {
  const schedule = { name: "s", cron, timeZone, durationMs: 8 * 3_600_000, minReplicas: 5 };
  expect(scheduledMin([schedule], wallOf(at))).toBe(holds ? 5 : 0);
});

test("texts that are no cron are refused", () => {
  for (const text of ["", "* * * *", "60 * * * *", "a * * * *", "5-1 * * * *", "*/0 * * * *", "* * 0 * *"])
    expect(parsedCron(text), text).toBeUndefined();
});
