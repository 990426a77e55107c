import { expect, test } from "vitest";
import { writtenTime } from "../../lib/clock.ts";
import { Records } from "../records/records.ts";
import { Gathered } from "./gathered.ts";
import { drawn, reportOf } from "./report.ts";

/** A run with a key a second whose text takes so long, and a router that has so much memory. */
function run(scenario: "soak" | "steady", seconds: number, takesMs: (share: number) => number, mib: (share: number) => number) {
  const gathered = new Gathered(scenario, new Records(undefined));
  const rss: [number, number][] = [];
  for (let second = 0; second < seconds; second++) {
    const ms = takesMs(second / seconds);
    const time = writtenTime(1_700_000_000_000 + second * 1_000 + ms);
    const data = { time, value: ms, tags: { tier: "inline", outcome: "generated" }, metadata: { first_ms: String(ms) } };
    gathered.line(JSON.stringify({ metric: "slipstream_answer_ms", type: "Point", data }));
    rss.push([second, mib(second / seconds)]);
  }
  const summary = { metrics: {}, state: { testRunDurationMs: seconds * 1_000 } };
  return reportOf({ scenario }, { target: "t", exit: 0, summary, gathered, rss });
}

test("a second in which no key had text has no time, and is drawn nowhere", () => {
  const gathered = new Gathered("steady", new Records(undefined));
  for (const [second, first] of [0, undefined, 0].entries()) {
    const data = {
      ...{ time: writtenTime(1_700_000_000_000 + second * 1_000), value: 5, tags: { tier: "inline", outcome: "generated" } },
      metadata: first === undefined ? {} : { first_ms: "5" },
    };
    gathered.line(JSON.stringify({ metric: "slipstream_answer_ms", type: "Point", data }));
  }
  const summary = { metrics: {}, state: { testRunDurationMs: 3_000 } };
  const report = reportOf({ scenario: "steady" }, { target: "t", exit: 0, summary, gathered, rss: [] });
  expect(report.series.first_text_ms.map((each) => each?.p95 ?? null)).toEqual([5, null, 5]);
  expect(drawn(report)).not.toMatch(/NaN|undefined/);
});

const flat = (value: number) => () => value;
const grows = (from: number, to: number) => (share: number) => from + (to - from) * share;

test.each([
  ["nothing changes", run("soak", 200, flat(40), flat(200)), 0],
  ["times grow by half and more", run("soak", 200, grows(30, 90), flat(200)), 99],
  ["memory grows by a quarter and more", run("soak", 200, flat(40), grows(200, 320)), 99],
  ["it was too short to say", run("soak", 60, grows(30, 90), grows(200, 320)), 0],
  ["it is no soak", run("steady", 200, grows(30, 90), grows(200, 320)), 0],
] as const)("a long run of which %s", (_, report, exit) => {
  expect([report.exit, report.passed]).toEqual([exit, exit === 0]);
  expect(report.limits.filter(({ ok }) => !ok)).toHaveLength(exit === 0 ? 0 : 1);
});
