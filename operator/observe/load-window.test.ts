import { expect, test } from "vitest";
import { LoadWindow, type Said } from "./load-window.ts";

const said = (atMs: number, router: string, more: object = {}, workers = 2): Said => ({
  ...{ atMs, router, workers },
  lane: { queued: 1, inFlight: 2, arrivals: 10, shed: 0, finished: 10, firstTextP95Ms: 40, ...more },
});

function secondsOf(reports: readonly Said[], wallMs: number, secondsMax = 10) {
  const window = new LoadWindow({ secondsMax });
  for (const each of reports) window.take(each);
  return window.seconds(wallMs);
}

test("two routers on different beats are one load each second", () => {
  const reports = [said(10_200, "a"), said(10_700, "b", { arrivals: 4, firstTextP95Ms: 80 }), said(11_200, "a"), said(11_700, "b")];
  expect(secondsOf(reports, 12_000)).toEqual([
    { atMs: 11_000, queued: 2, inFlight: 4, arrivals: 14, shed: 0, workers: 2, firstTextP95Ms: 60 },
    { atMs: 12_000, queued: 2, inFlight: 4, arrivals: 20, shed: 0, workers: 2, firstTextP95Ms: 40 },
  ]);
});

test("a router that misses a beat counts with what it said, one that is gone does not, and silence is no second", () => {
  const reports = [said(10_500, "a"), said(10_600, "b"), said(11_500, "a"), said(12_500, "a"), said(13_500, "a")];
  expect(secondsOf(reports, 16_000).map(({ atMs, inFlight, arrivals }) => [atMs, inFlight, arrivals])).toEqual([
    [11_000, 4, 20],
    [12_000, 4, 10],
    [13_000, 4, 10],
    [14_000, 2, 10],
  ]);
});

test("workers are those of the router that sees most; where nothing ended there is no latency", () => {
  const reports = [said(10_500, "a", { finished: 0 }, 3), { ...said(10_600, "b", {}, 1), lane: undefined }];
  expect(secondsOf(reports, 11_000)).toEqual([
    { atMs: 11_000, queued: 1, inFlight: 2, arrivals: 10, shed: 0, workers: 3, firstTextP95Ms: undefined },
  ]);
});

test("no more seconds are kept than may be, read often or seldom", () => {
  const reports = Array.from({ length: 20 }, (_, i) => said(10_500 + 1_000 * i, "a"));
  expect(secondsOf(reports, 31_000, 3).map(({ atMs }) => atMs)).toEqual([28_000, 29_000, 30_000]);
  const often = new LoadWindow({ secondsMax: 30 });
  for (const each of reports) {
    often.take(each);
    for (let more = 0; more < 5; more++) often.seconds(each.atMs + more * 100);
  }
  expect(often.seconds(31_000)).toHaveLength(20);
});
