import { expect, test } from "vitest";
import type { Cost } from "./counted.ts";
import { figuresOf } from "./measure.ts";
import type { Fate } from "./probe.ts";
import type { Window } from "./stand.ts";
import { noValue } from "./value.ts";

const cost = (id: string, recomputed: number, completion: number, lane: Cost["lane"] = "inline"): Cost => ({
  ...{ id, lane, prompt: 1_000, recomputed, completion },
});

function windowOf(costs: readonly Cost[], reached: readonly string[], keys = costs.length): Window {
  return {
    wallMs: 10_000,
    client: {
      ...{ keys, triggers: keys, fresh: 2, keysWithText: 8, keysThatFollow: 2 },
      outcomes: { generated: costs.length, typed_ahead: 2, joined: 1 },
      ...{ firstTextMs: [10, 20, 30], typedAheadMs: [0.2, 0.4], typedAheadClientMs: [2, 3] },
    },
    router: {
      ...{
        beforeMs: [0.5, 1],
        afterMs: [0.1, 0.2],
        reached: [],
        fates: [],
        cancels: [],
        loopDelayP99Ms: 1,
        heapMib: 50,
        totals: {},
      },
      spent: { cpuMs: 100, wallMs: 10_000, rssMib: 120 },
    },
    workers: [{ costs, stops: [], abortMs: [5, 15], slotMs: 5_000, busyMs: 4_000 }],
    loadShare: 0.5,
    clientDelayP99Ms: 1,
    value: noValue,
    reached: new Set(reached),
    fates: new Map(),
  };
}

test("waste is what generations cost whose text reached nobody, of what all cost", () => {
  const costs = [cost("w0 1", 20, 30), cost("w0 2", 10, 15), cost("w0 3", 20, 5), cost("w0 4", 0, 0)];
  const { waste_share, generations, tokens_per_trigger } = figuresOf(windowOf(costs, ["w0 1", "w0 2"]), 3, []);
  expect(waste_share).toBe(0.25);
  expect([generations, tokens_per_trigger]).toEqual([4, 25]);
});

test("the way of a Cancel is from the router to the engine, apart from the step that the engine ends", () => {
  const { router, workers, ...rest } = windowOf([], []);
  const cancels = [
    { id: "w0 1", atMs: 100 },
    { id: "w0 2", atMs: 200 },
  ];
  // One that the router tells of in another window is left out.
  const stops = [
    { id: "w0 2", atMs: 200.5 },
    { id: "w0 3", atMs: 250 },
  ];
  const window = { ...rest, router: { ...router, cancels }, workers: workers.map((worker) => ({ ...worker, stops })) };
  expect(figuresOf(window, 3, []).abort_issued_ms).toEqual({ p50: 0.5, p99: 0.5 });
});

test("what was asked ahead counts in the whole, and stands apart", () => {
  const costs = [cost("w0 1", 20, 20), cost("w0 2", 5, 5, "speculative"), cost("w0 3", 25, 25, "speculative")];
  const figures = figuresOf(windowOf(costs, ["w0 1", "w0 3"]), 3, []);
  expect(figures.waste_share).toBe(0.1);
  expect(figures.waste_share_of_keys).toBe(0);
  expect(figures.waste_share_ahead).toBeCloseTo(10 / 60, 3);
  expect(figures.ahead_token_share).toBe(0.6);
  expect([figures.generations, figures.generations_ahead]).toEqual([1, 2]);
});

const fate = (id: string, given: Partial<Fate> = {}): [string, Fate] => [
  id,
  { id, placed: "lease", document: "d", end: "superseded", ...given },
];

test("what was computed in vain is told apart by what became of it, and what of it was found again", () => {
  const costs = [cost("w0 1", 800, 10), cost("w0 2", 100, 10), cost("w1 1", 900, 0), cost("w1 2", 70, 10), cost("w0 3", 60, 40)];
  const fates = new Map([
    fate("w0 1"),
    fate("w0 2", { end: "cut" }),
    fate("w1 1", { end: "outrun", placed: "least_cost" }),
    fate("w1 2", { placed: "least_cost", document: "other" }),
    fate("w0 3", { end: "whole" }),
  ]);
  const figures = figuresOf({ ...windowOf(costs, ["w0 2"]), fates }, 3, []);
  expect(figures.waste_by).toEqual({
    ...{ ahead: 0, hedged: 0.45, elsewhere: 0.035, superseded_prompt: 0.4, superseded_text: 0.01, empty: 0.05, other: 0 },
  });
  // Of the first prompt's 800 tokens the next key found 700 more than that one did.
  expect([figures.waste_kept_share, figures.cold_prompts]).toEqual([0.35, { all: 2, wasted: 2 }]);
});

test("a key without a generation recomputed nothing, and counts", () => {
  const { recomputed_tokens_per_key: tokens } = figuresOf(windowOf([cost("w0 1", 40, 1), cost("w0 2", 20, 1)], [], 6), 1, []);
  expect(tokens).toEqual({ mean: 10, p95: 40, p99: 40 });
});

test("shares are of triggers, quantiles of what was measured, and processor time of both", () => {
  const figures = figuresOf(windowOf([cost("w0 1", 1, 1), cost("w0 2", 1, 1)], [], 10), 4, ["a second answer"]);
  expect(figures).toMatchObject({
    ...{ answered_without_generation_share: 0.3, fresh_share: 0.2, agreement_measured: 0.2, agreement_where_text: 0.25 },
    ...{ abort_ms: { p50: 5, p99: 15 }, router_added_ms: { p50: 0.6, p99: 1.2 }, typed_ahead_ms_p99: 0.4 },
    ...{ router_cpu_ms_per_trigger: 10, router_cpu_ms_per_generation: 50, violations: 1 },
  });
});

test("a window in which nothing happened has zeros, not holes", () => {
  const figures = figuresOf({ ...windowOf([], [], 0), workers: [] }, 0, []);
  for (const value of Object.values(figures)) if (typeof value === "number") expect(Number.isFinite(value)).toBe(true);
});
