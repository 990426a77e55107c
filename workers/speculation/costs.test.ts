import { expect, test } from "vitest";
import { Costs } from "./costs.ts";

test("what was not measured lies between its neighbours, and beyond them on their line", () => {
  const costs = new Costs({ tokensMax: 9 });
  for (const [tokens, ms] of [
    [1, 10],
    [3, 14],
    [5, 14],
  ] as const)
    costs.measured(tokens, ms);
  expect([1, 2, 3, 4, 5, 9].map((tokens) => Math.round(costs.verifyMs(tokens)))).toEqual([10, 12, 14, 14, 14, 14]);
});

test("a single measured step is taken to be one of a processor that gains nothing from batches", () => {
  const costs = new Costs({ tokensMax: 9 });
  costs.measured(1, 10);
  expect(costs.verifyMs(3)).toBeCloseTo(20);
});

test("when the machine gets busy every cost follows, measured again or not", () => {
  const costs = new Costs({ tokensMax: 9 });
  costs.measured(1, 10);
  costs.measured(4, 12);
  costs.draftMeasured(1);
  for (let i = 0; i < 100; i++) costs.verified(1, 20);
  expect(costs.verifyMs(1)).toBeCloseTo(20, 0);
  expect(costs.verifyMs(4)).toBeCloseTo(24, 0);
  expect(costs.draftMs).toBeCloseTo(2, 1);
});

test("a relation that changed is learned, a hiccup is not", () => {
  const costs = new Costs({ tokensMax: 9 });
  costs.measured(1, 10);
  costs.measured(4, 12);
  costs.verified(4, 5_000);
  expect(costs.verifyMs(1)).toBeLessThan(12);
  for (let i = 0; i < 300; i++) {
    costs.verified(1, 10);
    costs.verified(4, 30);
  }
  expect(costs.verifyMs(4) / costs.verifyMs(1)).toBeCloseTo(3, 0);
});

test("a load that was never measured takes the nearest one's figures", () => {
  const costs = new Costs({ tokensMax: 9 });
  costs.measured(1, 10);
  costs.measured(1, 14, 6);
  expect([1, 2, 4, 6, 30].map((load) => Math.round(costs.verifyMs(1, load)))).toEqual([10, 10, 14, 14, 14]);
});

test("the step after drafts is a cost of its own and leaves that of a plain step alone", () => {
  const costs = new Costs({ tokensMax: 9 });
  costs.measured(1, 0.5);
  costs.switchMeasured(0.75);
  expect(costs.switchMs).toBeCloseTo(0.25);
  for (let i = 0; i < 500; i++) {
    costs.verified(1, 0.5);
    costs.switched(0.6);
  }
  expect(costs.verifyMs(1)).toBeCloseTo(0.5);
  expect(costs.switchMs).toBeCloseTo(0.1, 2);
});

test("a pass measured longer than one of more tokens was disturbed", () => {
  const costs = new Costs({ tokensMax: 9 });
  for (const [tokens, ms] of [
    [1, 10],
    [2, 16],
    [3, 12],
  ] as const)
    costs.measured(tokens, ms);
  expect(costs.verifyMs(2)).toBeCloseTo(12);
});

test("where every pass drafts, a plain step taken for too long is found out by the few after drafts", () => {
  const costs = new Costs({ tokensMax: 9 });
  // Disturbed while it was measured: truly 10 against 13.
  costs.measured(1, 12.5);
  costs.measured(2, 13);
  for (let i = 0; i < 400; i++) {
    costs.verified(2, 13);
    if (i % 20 === 0) costs.switched(10);
  }
  expect(costs.verifyMs(2) / costs.verifyMs(1)).toBeGreaterThan(1.2);
});

test("many plain steps booked at once count as many", () => {
  const [one, many] = [new Costs({ tokensMax: 9 }), new Costs({ tokensMax: 9 })];
  for (const costs of [one, many]) costs.measured(1, 10);
  for (let i = 0; i < 16; i++) one.verified(1, 20);
  many.verified(1, 20, 1, 16);
  expect(many.verifyMs(1) / one.verifyMs(1)).toBeCloseTo(1, 1);
});
