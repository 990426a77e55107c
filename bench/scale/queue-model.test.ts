import { expect, test } from "vitest";
import { fakeCalibration } from "./calibration.fake.ts";
import { QueueModel, type Served } from "./queue-model.ts";

const model = new QueueModel(fakeCalibration, { targetMs: 88, giveUpMs: 300 });
const at = (rps: number, workers: number) => {
  const served: Served = { inTime: 0, inFlight: 0, queued: 0, p95Ms: 0 };
  model.at(rps, workers, served);
  return served;
};

test("what is in flight is Little's law, and nothing waits while slots are free", () => {
  for (const [rps, workers] of [
    [10, 1],
    [100, 4],
    [600, 20],
  ] as const) {
    const { inFlight, queued } = at(rps, workers);
    const heldMs = 60 + (3 * inFlight) / workers;
    expect(inFlight / ((rps * heldMs) / 1_000)).toBeCloseTo(1, 1);
    expect(queued).toBeLessThan(0.05 * inFlight);
  }
});

test("in time falls with load and rises with workers, between all and none", () => {
  for (let workers = 1; workers < 20; workers++)
    for (let rps = 5; rps < 90 * workers; rps += 9) {
      expect(at(rps, workers + 1).inTime).toBeGreaterThanOrEqual(at(rps, workers).inTime - 1e-6);
      expect(at(rps + 9, workers).inTime).toBeLessThanOrEqual(at(rps, workers).inTime + 1e-6);
    }
  expect(at(1, 4).inTime).toBeGreaterThan(0.99);
  expect(at(5_000, 4).inTime).toBeLessThan(0.01);
  expect(at(10, 0)).toEqual({ inTime: 0, inFlight: 0, queued: 0, p95Ms: expect.any(Number) });
});

test("many workers together serve more each than few: chance evens out", () => {
  const capacity = (workers: number) => {
    let rps = 1;
    while (model.inTime(rps * workers, workers) >= 0.95) rps += 0.5;
    return rps;
  };
  expect(capacity(10)).toBeGreaterThan(capacity(2));
  expect(capacity(2)).toBeGreaterThan(capacity(1));
});
