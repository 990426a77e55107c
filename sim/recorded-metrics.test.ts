import { expect, test } from "vitest";
import { counter, gauge, histogram } from "../lib/metrics.ts";
import { RecordedMetrics } from "./recorded-metrics.ts";

test("counters are summed and gauges keep their last and largest value, by labels", () => {
  const recorded = new RecordedMetrics({
    ends_total: counter("", ["lane", "how"]),
    queued: gauge("", ["lane"]),
    seconds: histogram(""),
  });
  const { ends_total, queued, seconds } = recorded.metrics;
  ends_total.inc({ lane: "inline", how: "ok" });
  ends_total.inc({ lane: "inline", how: "bad" }, 2);
  ends_total.inc({ lane: "chat", how: "ok" }, 4);
  queued.set({ lane: "inline" }, 3);
  queued.set({ lane: "inline" }, 0);
  queued.set({ lane: "chat" }, 1);
  seconds.observe({}, 1);
  expect([
    recorded.count("ends_total"),
    recorded.count("ends_total", { lane: "inline" }),
    recorded.count("ends_total", { how: "ok" }),
  ]).toEqual([7, 3, 5]);
  expect(recorded.unrest(["queued"])).toEqual(["queued{lane=chat} 1"]);
  expect(recorded.max("queued")).toBe(3);
});
