import { expect, test } from "vitest";
import { below, seeded } from "../../lib/random.ts";
import { Hedging } from "./hedging.ts";
import { Promptness, Usual } from "./promptness.ts";

function answering(usual: Usual, times: readonly number[]): Promptness {
  const promptness = new Promptness(usual);
  for (let i = 0; i < 40; i++) promptness.add(times[i % times.length] as number);
  return promptness;
}

test("a few answers say nothing yet", () => {
  const usual = new Usual();
  const promptness = new Promptness(usual);
  for (let i = 0; i < 7; i++) promptness.add(10);
  expect([promptness.expectedMs, usual.expectedMs]).toEqual([undefined, undefined]);
  promptness.add(10);
  expect(promptness.expectedMs).toBeGreaterThan(10);
  expect(usual.expectedMs).toBe(promptness.expectedMs);
});

test("steady answers are expected soon, those that vary with what they vary by", () => {
  expect(answering(new Usual(), [10]).expectedMs).toBeLessThan(11);
  const varied = answering(new Usual(), [10, 30]).expectedMs as number;
  expect(varied).toBeGreaterThan(30);
  expect(varied).toBeLessThan(60);
});

test.each<[name: string, workers: number[][], ms: number]>([
  ["one slow worker of three is not the measure", [[10], [50], [12]], 13],
  ["nor is it of two", [[50], [10]], 11],
  ["nor is one that nobody has asked", [[], [10]], 11],
  ["but where all are slow, slow is what is expected", [[50], [55], [52]], 53],
])("%s", (_, workers, ms) => {
  const usual = new Usual();
  for (const times of workers) if (times.length > 0) answering(usual, times);
  expect(usual.expectedMs).toBeLessThan(ms);
  expect(usual.expectedMs).toBeGreaterThan(ms - 4);
});

test("what is kept in order is what a fresh look at every worker finds, whoever answers, and whoever leaves", () => {
  const random = seeded(3);
  const usual = new Usual();
  const workers = Array.from({ length: 40 }, () => new Promptness(usual));
  for (let i = 0; i < 4_000; i++) {
    const at = below(random, workers.length);
    workers[at]?.add(1 + below(random, 20));
    if (i % 100 === 99) workers.splice(at, 1)[0]?.forget();
    if (workers.length < 20) workers.push(new Promptness(usual));
    const known = workers.flatMap(({ expectedMs }) => (expectedMs === undefined ? [] : [expectedMs])).sort((a, b) => a - b);
    expect(usual.expectedMs).toBe(known[(known.length - 1) >> 1]);
  }
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
