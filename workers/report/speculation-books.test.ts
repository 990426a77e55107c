import { Registry } from "prom-client";
import { expect, test } from "vitest";
import type { SpeculationReport } from "../generation.ts";
import { createWorkerMetrics } from "../metrics.ts";
import { SpeculationBooks } from "./speculation-books.ts";

const report = (none: number, model: number): SpeculationReport => ({
  sources: { none, lookup: 0, model },
  whys: { gain: model, no_gain: none, explore: 0, no_budget: 0, nothing_to_draft: 0, asked: 0 },
  open: model > 0 ? ["model"] : [],
  costs: { verify: { "1": 2, "3": 2.5 }, draft: 0.4, catchUpPerToken: 0.01 },
});

const acceptance = { drafted: 4, accepted: 1, perPosition: [{ drafted: 4, accepted: 1 }] };

test("counts grow by what is new, and go on when an engine begins again", async () => {
  const registry = new Registry();
  const books = new SpeculationBooks({ metrics: createWorkerMetrics(registry) });
  const steps = async (source: string) => {
    const metric = await registry.getSingleMetric("slipstream_worker_speculation_steps_total")?.get();
    return metric?.values.find(({ labels }) => labels["source"] === source)?.value;
  };
  expect(books.why).toBe("");
  books.book(report(5, 2), acceptance);
  expect(books.why).toBe("no_gain");
  books.book(report(6, 4), acceptance);
  expect([await steps("none"), await steps("model")]).toEqual([6, 4]);
  expect(books.why).toBe("gain");
  books.book(report(6, 4), acceptance);
  expect(books.why).toBe("gain");
  books.book(report(1, 1), acceptance);
  expect([await steps("none"), await steps("model")]).toEqual([7, 5]);
  const text = await registry.metrics();
  expect(text).toContain('slipstream_worker_speculation_open{source="model"} 1');
  expect(text).toContain('slipstream_worker_speculation_verify_seconds{tokens="3"} 0.0025');
  expect(text).toContain('slipstream_worker_speculation_accepted_share{position="1"} 0.25');
});
