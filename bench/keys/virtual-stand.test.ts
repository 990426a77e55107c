import { expect, test } from "vitest";
import { workingTrace } from "../../sim/trace/working.ts";
import type { TriggerRecord } from "../records/records.ts";
import { type Figures, figuresOf } from "./measure.ts";
import type { StandOptions } from "./stand.ts";
import { allOn } from "./switches.ts";
import { VirtualStand } from "./virtual-stand.ts";

const { signal } = new AbortController();

async function typed(seed: number, given: Partial<StandOptions> = {}): Promise<Figures> {
  const stand = await VirtualStand.start({
    ...{ profile: "h100-7b-eagle3", profileEnd: "mid", workers: 2, slots: 2, seed, agreement: 0.5 },
    ...{ switches: allOn, ...given },
  });
  try {
    stand.crowd(4);
    await stand.pass(6_000, signal);
    return figuresOf(await stand.take(), 4, stand.violations);
  } finally {
    await stand.end();
  }
}

test("the same seed gives the same figures, another seed others", async () => {
  const first = await typed(1);
  expect(first.outcomes["generated"]).toBeGreaterThan(5);
  expect(first.violations).toBe(0);
  expect(await typed(1)).toEqual(first);
  expect(await typed(2)).not.toEqual(first);
});

test("what waste is made of adds up to it", async () => {
  const { waste_share, waste_by } = await typed(1, { profile: "l40s-7b-eagle3", profileEnd: "slow", workers: 1, agreement: 0 });
  expect(waste_share).toBeGreaterThan(0);
  const sum = Object.values(waste_by).reduce((all, share) => all + share, 0);
  expect(sum).toBeCloseTo(waste_share, 2);
});

test("given traces are typed instead, and every answer is told", async () => {
  const text = Array.from({ length: 120 }, (_, i) => `const value${i} = compute(${i});\n`).join("");
  const traces = [workingTrace({ sources: [{ path: "given.ts", language: "typescript", text }], seed: 1, keys: 400 })];
  const told: TriggerRecord[] = [];
  const figures = await typed(1, { traces, recorded: (record) => told.push(record) });
  expect(figures.triggers).toBe(told.length);
  expect(told.length).toBeGreaterThan(20);
  for (const { id, t_ms, total_ms, outcome, first_text_ms } of told.filter(({ outcome }) => outcome === "generated")) {
    expect(t_ms, id).toBeGreaterThan(0);
    expect(total_ms ?? -1, `${id} ${outcome}`).toBeGreaterThanOrEqual(first_text_ms ?? 0);
  }
});

test("every token that a worker computed is on somebody's bill, and engine time is shared out whole", async () => {
  const stand = await VirtualStand.start({
    ...{ profile: "l40s-7b-eagle3", profileEnd: "slow", workers: 2, slots: 2, seed: 3, agreement: 0.5, switches: allOn },
  });
  try {
    stand.crowd(6);
    await stand.pass(6_000, signal);
    // What runs is answered, and nobody asks for more.
    stand.crowd(0);
    await stand.pass(4_000, signal);
    const window = await stand.take();
    const computed = window.workers
      .flatMap(({ costs }) => costs)
      .reduce((sum, { recomputed, completion }) => sum + recomputed + completion, 0);
    const sum = (of: Readonly<Record<string, number>>) => Object.values(of).reduce((all, value) => all + value, 0);
    expect(computed).toBeGreaterThan(500);
    expect(sum(window.value.tokens)).toBe(computed);
    const busyMs = window.workers.reduce((all, worker) => all + worker.busyMs, 0);
    expect(sum(window.value.engineMs)).toBeGreaterThan(0.9 * busyMs);
    expect(sum(window.value.engineMs)).toBeLessThan(1.02 * busyMs);
    expect(window.value.tokens.shown).toBeGreaterThan(0);
    expect(window.value.acceptedTokens).toBeLessThanOrEqual(window.value.tokens.shown + window.value.tokens.speculative);
  } finally {
    await stand.end();
  }
});
