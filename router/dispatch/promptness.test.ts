import { expect, test } from "vitest";
import { Hedging } from "./hedging.ts";
import { expectedOf, Promptness } from "./promptness.ts";

function answering(...times: number[]): Promptness {
  const promptness = new Promptness();
  for (let i = 0; i < 40; i++) promptness.add(times[i % times.length] as number);
  return promptness;
}

test("a few answers say nothing yet", () => {
  const promptness = new Promptness();
  for (let i = 0; i < 7; i++) promptness.add(10);
  expect([promptness.expectedMs, expectedOf([promptness])]).toEqual([undefined, undefined]);
  promptness.add(10);
  expect(promptness.expectedMs).toBeGreaterThan(10);
});

test("steady answers are expected soon, those that vary with what they vary by", () => {
  expect(answering(10).expectedMs).toBeLessThan(11);
  const varied = answering(10, 30).expectedMs as number;
  expect(varied).toBeGreaterThan(30);
  expect(varied).toBeLessThan(60);
});

test.each<[name: string, workers: Promptness[], ms: number]>([
  ["one slow worker of three is not the measure", [answering(10), answering(50), answering(12)], 13],
  ["nor is it of two", [answering(50), answering(10)], 11],
  ["nor is one that nobody has asked", [new Promptness(), answering(10)], 11],
  ["but where all are slow, slow is what is expected", [answering(50), answering(55), answering(52)], 53],
])("%s", (_, workers, ms) => {
  expect(expectedOf(workers)).toBeLessThan(ms);
  expect(expectedOf(workers)).toBeGreaterThan(ms - 4);
});

test("hedges are a share of what is sent, with a burst", () => {
  const hedging = new Hedging({ share: 0.05, burst: 3 });
  let hedges = 0;
  for (let sent = 0; sent < 1_000; sent++) {
    hedging.sent();
    if (!hedging.allowed) continue;
    hedging.take();
    hedges += 1;
  }
  expect(hedges).toBeGreaterThanOrEqual(52);
  expect(hedges).toBeLessThanOrEqual(53);
});
