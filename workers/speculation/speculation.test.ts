import { expect, test } from "vitest";
import { type Random, seeded } from "../../lib/random.ts";
import { type Situation, type Source, Speculation } from "./speculation.ts";

const lengthMax = 8;

/** An engine on paper: what passes take, and how often drafts are right. */
interface World {
  /** ms of a verify of n tokens. */
  readonly verify: (tokens: number) => number;
  readonly draftMs: number;
  readonly readMs: number;
  /** Chance that a model's draft is right; how sure it is tells a little about it. */
  readonly model: number | undefined;
  /** Chance that a lookup's draft is right, by how long the match is. */
  readonly lookup: (match: number) => number;
  /** Share of places where a lookup finds anything. */
  readonly found: number;
  readonly noise: number;
  readonly busy?: boolean;
  /** ms more of a plain step that follows a pass of another size. */
  readonly switchMs?: number;
}

const flat = (ms: number) => () => ms;
const linear = (first: number, each: number) => (n: number) => first + each * (n - 1);
const none = () => 0;

const gpu: World = { verify: flat(8), draftMs: 0.96, readMs: 0.01, model: 0.75, lookup: none, found: 0, noise: 0.05 };
const cpu: World = { verify: linear(0.5, 0.25), draftMs: 0.4, readMs: 0.035, model: 0.5, lookup: none, found: 0, noise: 0.05 };

interface Ran {
  readonly tokens: number;
  readonly ms: number;
  readonly blocks: Record<Source, number>;
  /** Mean drafted tokens of the blocks in the second half that drafted. */
  readonly length: number;
}

/** Evenly scattered; on a busy machine also set aside now and then for some ms, the longer a pass the likelier. */
function disturbed(world: World, time: number, random: Random): number {
  const even = time * (1 + world.noise * (random.next() * 2 - 1));
  let aside = 0;
  for (let left = time; world.busy && left > 0; left -= 0.1) if (random.next() < 0.02) aside += 8 * random.next();
  return even + aside;
}

/** Generations of 24 tokens with a prompt of 400, until `tokens` are out. */
function run(world: World, speculation: Speculation, tokens: number, random: Random, change: Partial<Situation> = {}): Ran {
  const blocks: Record<Source, number> = { none: 0, lookup: 0, model: 0 };
  let [out, ms, left, behind, drafted, drafting] = [0, 0, 0, 400, 0, 0];
  let size = 1;
  const noisy = (time: number) => disturbed(world, time, random);
  while (out < tokens) {
    if (left <= 0) [left, behind] = [24, 400];
    const match = random.next() < world.found ? 1 + Math.floor(random.next() * 10) : 0;
    const plan = speculation.plan({
      mode: "auto",
      load: 1,
      sampled: false,
      lookup: { match, length: match === 0 ? 0 : lengthMax },
      behindTokens: world.model === undefined ? undefined : behind,
      lengthMax: Math.min(lengthMax, left - 1),
      horizonTokens: left,
      ...change,
    });
    const evidence: number[] = [];
    const right: boolean[] = [];
    let [draftMs, catchUpMs, catchUpTokens] = [0, 0, 0];
    if (plan.source === "lookup")
      for (let i = 0; i < plan.length; i++) {
        evidence.push(match + i);
        right.push(random.next() < world.lookup(match + i));
      }
    if (plan.source === "model") {
      catchUpTokens = behind > 3 ? behind : 0;
      catchUpMs = noisy(catchUpTokens * world.readMs);
      do {
        const chance = Math.min(1, Math.max(0, (world.model ?? 0) + (random.next() - 0.5) * 0.5));
        evidence.push(chance);
        right.push(random.next() < chance);
        draftMs += noisy(world.draftMs);
      } while (evidence.length < plan.length && plan.goOn(evidence));
      behind = 0;
    }
    const wrong = right.indexOf(false);
    const accepted = wrong < 0 ? right.length : wrong;
    const switchMs = evidence.length === 0 && size > 1 ? (world.switchMs ?? 0) : 0;
    size = evidence.length + 1;
    const verifyMs = noisy(world.verify(size) + switchMs);
    speculation.ended({
      source: plan.source,
      why: plan.why,
      load: 1,
      sampled: change.sampled ?? false,
      evidence,
      accepted,
      verifyMs,
      draftMs,
      catchUpMs,
      catchUpTokens,
    });
    blocks[plan.source] += 1;
    if (out > tokens / 2 && evidence.length > 0) [drafted, drafting] = [drafted + evidence.length, drafting + 1];
    out += accepted + 1;
    left -= accepted + 1;
    behind += accepted + 1;
    // Scored without the noise that it saw.
    ms += world.verify(size) + switchMs + (plan.source === "model" ? evidence.length * world.draftMs : 0);
    ms += catchUpTokens * world.readMs;
    if (left <= 0) speculation.finished(24);
  }
  return { tokens: out, ms, blocks, length: drafting === 0 ? 0 : drafted / drafting };
}

function calibrated(world: World, random = seeded(9)): Speculation {
  const speculation = new Speculation({ lengthMax });
  const least = (ms: number) => Math.min(...Array.from({ length: 5 }, () => disturbed(world, ms, random)));
  for (const n of [1, 2, 3, 5, lengthMax + 1]) speculation.costs.measured(n, least(world.verify(n)));
  speculation.costs.switchMeasured(least(world.verify(1) + (world.switchMs ?? 0)));
  speculation.costs.draftMeasured(least(world.draftMs));
  speculation.costs.caughtUp(128, least(128 * world.readMs));
  return speculation;
}

const plainMs = (world: World, tokens: number) => tokens * world.verify(1);

/** Best tokens a ms of the fixed lengths, 0 included, without noise; `chance` as the world's model has it. */
function bestFixed(world: World): number {
  const rates = Array.from({ length: lengthMax + 1 }, (_, k) => {
    const accepted = Array.from({ length: k }, (_, i) => (world.model ?? 0) ** (i + 1)).reduce((sum, one) => sum + one, 0);
    return (accepted + 1) / (world.verify(k + 1) + k * world.draftMs);
  });
  return Math.max(...rates);
}

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
  // The fixed lengths read the prompt for the draft as well.
  const reading = bestFixed(world) > 1.001 / world.verify(1) ? (ran.tokens / 24) * 400 * world.readMs : 0;
  expect(ran.tokens / (ran.ms - Math.min(reading, ran.ms / 4))).toBeGreaterThan(0.95 * bestFixed(world));
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
