import { expect, test } from "vitest";
import { seeded } from "../../lib/random.ts";
import { bestFixed, calibrated, lengthMax, plainMs, run, type World } from "../../test/support/paper-engine.ts";
import { type Situation, type Source, Speculation } from "./speculation.ts";

const flat = (ms: number) => () => ms;
const linear = (first: number, each: number) => (n: number) => first + each * (n - 1);
const none = () => 0;

const gpu: World = { verify: flat(8), draftMs: 0.96, readMs: 0.01, model: 0.75, lookup: none, found: 0, noise: 0.05 };
const cpu: World = { verify: linear(0.5, 0.25), draftMs: 0.4, readMs: 0.035, model: 0.5, lookup: none, found: 0, noise: 0.05 };

test("on costs like a GPU's, where a verify of several costs as one, it drafts three and more", () => {
  const ran = run(gpu, calibrated(gpu), 2_000, seeded(1));
  expect(ran.length).toBeGreaterThanOrEqual(3);
  expect(ran.blocks.model).toBeGreaterThan(ran.blocks.none * 10);
  expect(plainMs(gpu, ran.tokens) / ran.ms).toBeGreaterThan(1.8);
});

test("on costs like a CPU's, where each token of a verify costs its own, it drafts nothing", () => {
  const ran = run(cpu, calibrated(cpu), 4_000, seeded(2));
  expect(ran.blocks.none).toBeGreaterThan(0.98 * (ran.blocks.none + ran.blocks.lookup + ran.blocks.model));
});

const worlds: [title: string, world: World][] = [
  ["a GPU and a good draft", gpu],
  ["a GPU and a poor draft", { ...gpu, model: 0.3 }],
  ["a GPU and a draft that is never right", { ...gpu, model: 0 }],
  ["a GPU and a draft as slow as half the model", { ...gpu, draftMs: 4 }],
  ["a fast GPU", { ...gpu, verify: flat(3), draftMs: 0.36 }],
  ["a CPU and a good draft", { ...cpu, model: 0.8 }],
  ["a CPU and a poor draft", { ...cpu, model: 0.2 }],
  ["a CPU with a free draft", { ...cpu, draftMs: 0.01 }],
  ["a CPU where verifies jump at four tokens", { ...cpu, verify: (n) => (n < 4 ? 0.55 : 2), draftMs: 0.05, readMs: 0.001 }],
  ["a CPU on which times scatter", { ...cpu, noise: 0.6 }],
  [
    "a CPU where the step after a draft costs half a step more",
    { ...cpu, verify: linear(0.5, 0.1), switchMs: 0.25, found: 0.8, lookup: (match) => match / 20 },
  ],
  ["a busy CPU", { ...cpu, noise: 0.2, busy: true }],
  ["a busy CPU with lookups that seldom help", { ...cpu, noise: 0.2, busy: true, found: 0.8, lookup: (match) => match / 40 }],
];

test.each(worlds)("%s: never under 0.97 of plain steps, over any stretch from the start", (_title, world) => {
  for (let seed = 1; seed <= 8; seed++) {
    const random = seeded(seed);
    const speculation = calibrated(world, random);
    let [tokens, ms] = [0, 0];
    for (let stretch = 0; stretch < 6; stretch++) {
      const ran = run(world, speculation, 1_000, random);
      [tokens, ms] = [tokens + ran.tokens, ms + ran.ms];
      expect(plainMs(world, tokens) / ms).toBeGreaterThan(0.97);
    }
  }
});

test.each(worlds)("%s: at least 95 % of the best fixed length once it has learned", (_title, world) => {
  const speculation = calibrated(world);
  const random = seeded(3);
  run(world, speculation, 4_000, random);
  const ran = run(world, speculation, 8_000, random);
  expect(ran.tokens / ran.ms).toBeGreaterThan(0.95 * bestFixed(world));
});

test("a draft that gets good is found again, one that gets bad is left", () => {
  const speculation = calibrated(gpu);
  const random = seeded(4);
  run({ ...gpu, model: 0 }, speculation, 4_000, random);
  const good = run(gpu, speculation, 12_000, random);
  expect(plainMs(gpu, good.tokens) / good.ms).toBeGreaterThan(1.3);
  const bad = run({ ...gpu, model: 0 }, speculation, 3_000, random);
  expect(plainMs(gpu, bad.tokens) / bad.ms).toBeGreaterThan(0.9);
});

test("long matches are looked up where drafts of a model do not pay", () => {
  const world: World = { ...cpu, found: 0.5, lookup: (match) => (match >= 7 ? 0.95 : 0.05) };
  const ran = run(world, calibrated(world), 6_000, seeded(5));
  expect(ran.blocks.lookup).toBeGreaterThan(100);
  expect(plainMs(world, ran.tokens) / ran.ms).toBeGreaterThan(1.1);
});

test("odds of sampled text do not spoil those of greedy text", () => {
  const speculation = calibrated(gpu);
  const random = seeded(6);
  run(gpu, speculation, 2_000, random);
  run({ ...gpu, model: 0 }, speculation, 2_000, random, { sampled: true });
  const ran = run(gpu, speculation, 1_000, random);
  expect(plainMs(gpu, ran.tokens) / ran.ms).toBeGreaterThan(1.7);
});

test("a draft pass that was disturbed while it was measured is found out", () => {
  const speculation = calibrated(gpu);
  speculation.costs.draftMeasured(40);
  const random = seeded(10);
  run(gpu, speculation, 4_000, random);
  const ran = run(gpu, speculation, 4_000, random);
  expect(plainMs(gpu, ran.tokens) / ran.ms).toBeGreaterThan(1.7);
});

test("on a processor nearly all steps are ones for which nothing is looked up, and a try is a rare step", () => {
  const world: World = { ...cpu, found: 0.8, lookup: () => 0.45 };
  const speculation = calibrated(world);
  const ran = run(world, speculation, 10_000, seeded(8));
  expect(ran.rested).toBeGreaterThan(0.9 * ran.tokens);
  expect(ran.blocks.lookup).toBeLessThan(0.01 * ran.tokens);
});

const situation: Situation = {
  mode: "auto",
  load: 1,
  sampled: false,
  lookup: { match: 12, length: 4 },
  behindTokens: 1,
  lengthMax: 4,
  horizonTokens: 20,
};

test.each<[title: string, change: Partial<Situation>, source: Source, why: string]>([
  ["off is off", { mode: "off" }, "none", "asked"],
  ["always drafts though it does not pay", { mode: "always" }, "lookup", "asked"],
  [
    "always without anything to draft from steps plainly",
    { mode: "always", lookup: { match: 0, length: 0 }, behindTokens: undefined },
    "none",
    "nothing_to_draft",
  ],
  ["no room for drafts", { lengthMax: 0 }, "none", "nothing_to_draft"],
  ["what does not pay is left", { lookup: { match: 1, length: 4 } }, "none", "no_gain"],
])("%s", (_title, change, source, why) => {
  const world: World = { ...cpu, verify: linear(0.5, 0.5) };
  const plan = calibrated(world).plan({ ...situation, ...change });
  expect([plan.source, plan.why]).toEqual([source, why]);
});

test("before anything was measured it steps plainly or drafts within its purse, and never divides by nothing", () => {
  const speculation = new Speculation({ lengthMax });
  const plan = speculation.plan(situation);
  expect(Number.isFinite(plan.length)).toBe(true);
  expect(run(cpu, speculation, 200, seeded(7)).tokens).toBeGreaterThanOrEqual(200);
});
