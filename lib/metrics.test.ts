import { expect, test } from "vitest";
import { counter, createMetrics, gauge, histogram, latencyBuckets, processRegistry, Registry } from "./metrics.ts";

const table = {
  outcomes_total: counter("Triggers by outcome.", ["outcome", "pool"]),
  sessions: gauge("Open sessions."),
  first_text_seconds: histogram("To the first text.", ["pool"]),
  batch_size: histogram("Sequences in a step.", [], [1, 2, 4]),
};

test("a metric is named after its process and its key, with help, kind and labels", async () => {
  const registry = new Registry();
  const metrics = createMetrics("router", table, registry);
  metrics.outcomes_total.inc({ outcome: "generated", pool: "a" });
  metrics.outcomes_total.inc({ outcome: "generated", pool: "a" }, 2);
  metrics.outcomes_total.inc({ outcome: "failed", pool: "a" }, 0);
  metrics.sessions.set({}, 7);
  const text = await registry.metrics();
  expect(text).toContain("# HELP slipstream_router_outcomes_total Triggers by outcome.");
  expect(text).toContain("# TYPE slipstream_router_outcomes_total counter");
  expect(text).toContain('slipstream_router_outcomes_total{outcome="generated",pool="a"} 3');
  expect(text).toContain('slipstream_router_outcomes_total{outcome="failed",pool="a"} 0');
  expect(text).toContain("slipstream_router_sessions 7");
});

test("a histogram counts into its own buckets, or into those of an inline completion", async () => {
  const registry = new Registry();
  const metrics = createMetrics("router", table, registry);
  metrics.first_text_seconds.observe({ pool: "a" }, 0.06);
  metrics.batch_size.observe({}, 3);
  const text = await registry.metrics();
  for (const le of latencyBuckets)
    expect(text).toContain(`slipstream_router_first_text_seconds_bucket{le="${le}",pool="a"} ${le >= 0.06 ? 1 : 0}`);
  expect(text).toContain('slipstream_router_batch_size_bucket{le="2"} 0');
  expect(text).toContain('slipstream_router_batch_size_bucket{le="4"} 1');
  expect(text).toContain("slipstream_router_batch_size_sum 3");
});

test("buckets rise, so that a histogram is one", () => {
  expect(latencyBuckets).toEqual([...latencyBuckets].sort((a, b) => a - b));
  expect(new Set(latencyBuckets).size).toBe(latencyBuckets.length);
});

test("two processes in one registry do not meet; the same metric twice is a mistake", () => {
  const registry = new Registry();
  createMetrics("router", table, registry);
  createMetrics("worker", table, registry);
  expect(() => createMetrics("router", table, registry)).toThrow(/already been registered/);
});

test("metrics without a registry have one each", () => {
  createMetrics("router", table);
  expect(() => createMetrics("router", table)).not.toThrow();
});

test("a process's registry carries Node's own figures", async () => {
  const text = await processRegistry().metrics();
  expect(text).toContain("nodejs_eventloop_lag");
  expect(text).toContain("process_resident_memory_bytes");
});
