import { expect, test } from "vitest";
import { FakeClock } from "../../../lib/clock.fake.ts";
import { systemClock } from "../../../lib/clock.ts";
import { seeded } from "../../../lib/random.ts";
import type { Finished, Generation, Lane, Piece, Sampling } from "../../generation.ts";
import { SimulatedEngine, type SimulatedOptions } from "./simulated.ts";

const code = "const total = items.reduce((sum, item) => sum + item.price, 0);\n";

interface Wish extends Partial<Omit<Generation, "sampling">> {
  readonly text?: string;
  readonly sampling?: Partial<Sampling>;
}

function work(wish: Wish = {}): Generation {
  const { text = code.repeat(20), sampling, ...rest } = wish;
  return {
    id: 1n,
    link: "router",
    affinity: "",
    lane: "inline" as Lane,
    model: "simulated-h100-7b-eagle3",
    segments: [{ special: "<|fim_prefix|>" }, { text }, { special: "<|fim_middle|>" }],
    stopAtNewline: false,
    deadlineMs: Number.POSITIVE_INFINITY,
    receivedMs: 0,
    cacheSalt: "",
    blockDigests: new Uint8Array(),
    draftDepthHint: 0,
    traceparent: "",
    ...rest,
    sampling: { maxTokens: 24, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "auto", ...sampling },
  };
}

function engine(options: Partial<SimulatedOptions> = {}, truth?: string) {
  const clock = new FakeClock();
  const made = new SimulatedEngine(
    { profile: "h100-7b-eagle3", profileEnd: "mid", seed: 7, slots: 8, ...options },
    { clock, random: seeded(3), oracle: () => truth },
  );
  return { clock, engine: made };
}

interface Read {
  pieces: (Piece & { at: number })[];
  text: string;
  end: Finished | undefined;
  endedAt: number;
}

/** Reads a generation to its end in the background. */
function read(from: AsyncGenerator<Piece, Finished>, clock: { now(): number }): Read {
  const seen: Read = { pieces: [], text: "", end: undefined, endedAt: 0 };
  void (async () => {
    for (;;) {
      const next = await from.next();
      if (next.done) {
        seen.end = next.value;
        seen.endedAt = clock.now();
        return;
      }
      seen.pieces.push({ ...next.value, at: clock.now() });
      seen.text += next.value.text;
    }
  })();
  return seen;
}

const never = new AbortController().signal;

test("greedy says the same of the same prompt, with and without speculation, in fewer steps with it", async () => {
  const { clock, engine: made } = engine();
  const seen = [];
  for (const speculation of ["off", "auto", "always", "auto"] as const) {
    const one = read(made.generate(work({ sampling: { speculation } }), never), clock);
    await clock.advance(2_000);
    seen.push(one);
  }
  expect(new Set(seen.map((one) => one.text)).size).toBe(1);
  expect(seen[0]?.text.length).toBeGreaterThan(20);
  expect(seen[0]?.end).toMatchObject({ kind: "done", finish: "length", usage: { completionTokens: 24, drafted: 0 } });
  expect(seen[0]?.pieces.length).toBe(24);
  expect(seen[1]?.pieces.length).toBeLessThan(16);
  expect(seen[1]?.end?.usage.draftAccepted).toBeGreaterThan(5);
});

test("another prompt, another seed and sampling with chance say something else; a seeded sample repeats", async () => {
  const say = async (seed: number, wish: Wish) => {
    const { clock, engine: made } = engine({ seed });
    const one = read(made.generate(work(wish), never), clock);
    await clock.advance(2_000);
    return one.text;
  };
  const base = await say(7, {});
  expect(await say(7, { text: code })).not.toBe(base);
  expect(await say(8, {})).not.toBe(base);
  expect(await say(7, { sampling: { temperature: 1 } })).not.toBe(base);
  const sampled = await say(7, { sampling: { temperature: 1, seed: 5 } });
  expect(await say(7, { sampling: { temperature: 1, seed: 5 } })).toBe(sampled);
});

test("a prompt seen before costs only what is new: prefill time follows the uncached tokens", async () => {
  const { clock, engine: made } = engine();
  const text = code.repeat(100);
  const cold = read(made.generate(work({ text, sampling: { maxTokens: 1 } }), never), clock);
  await clock.advance(500);
  const warm = read(made.generate(work({ text: `${text}next.`, sampling: { maxTokens: 1 } }), never), clock);
  await clock.advance(500);
  const [first, second] = [cold.end?.usage, warm.end?.usage];
  if (!first || !second) throw new Error("not finished");
  expect(first).toMatchObject({ cachedTokens: 0, recomputedTokens: first.promptTokens });
  expect(first.promptTokens).toBeGreaterThan(1_500);
  // 45,000 tokens a second.
  expect(first.prefillMs).toBeCloseTo(first.promptTokens / 45, -1);
  expect(second.recomputedTokens).toBeLessThanOrEqual(32);
  expect(second.cachedTokens + second.recomputedTokens).toBe(second.promptTokens);
  expect(second.prefillMs).toBeLessThan(6);
});

test("tenants do not share KV", async () => {
  const { clock, engine: made } = engine();
  const seen = [];
  for (const cacheSalt of ["a", "b", "a"]) {
    seen.push(read(made.generate(work({ cacheSalt, sampling: { maxTokens: 1 } }), never), clock));
    await clock.advance(500);
  }
  expect(seen.map((one) => (one.end?.usage.cachedTokens ?? 0) > 0)).toEqual([false, false, true]);
  expect(new Set(seen.map((one) => one.text)).size).toBe(1);
});

test("a step gets slower with the batch, by s1 for each", async () => {
  const perStep = async (batch: number) => {
    const { clock, engine: made } = engine({}, code.repeat(5));
    const all = Array.from({ length: batch }, (_, i) =>
      read(made.generate(work({ text: `${i}`, sampling: { speculation: "off", maxTokens: 20 } }), never), clock),
    );
    await clock.advance(2_000);
    const at = all[0]?.pieces.map((piece) => piece.at) ?? [];
    // By the third token all run, and until the fifteenth none has ended.
    return ((at[15] as number) - (at[3] as number)) / 12;
  };
  // Mid H100: s0 5.5, s1 0.075.
  expect(await perStep(1)).toBeCloseTo(5.575, 3);
  expect(await perStep(8)).toBeCloseTo(6.1, 3);
});

test("decodes go on while a long prompt is computed beside them", async () => {
  const { clock, engine: made } = engine();
  const short = read(made.generate(work({ text: "x", sampling: { maxTokens: 100, speculation: "off" } }), never), clock);
  await clock.advance(50);
  const before = short.pieces.length;
  const long = read(made.generate(work({ text: code.repeat(200), sampling: { maxTokens: 4 } }), never), clock);
  await clock.advance(200);
  const gaps = short.pieces.slice(before).map((piece, i, all) => piece.at - (all[i - 1]?.at ?? piece.at));
  expect(gaps.length).toBeGreaterThan(6);
  expect(Math.max(...gaps)).toBeLessThan(12);
  expect(long.end?.usage.recomputedTokens).toBeGreaterThan(3_000);
});

test("inline prompts are computed before batch prompts that came first", async () => {
  const { clock, engine: made } = engine();
  const batch = read(made.generate(work({ lane: "batch", text: code.repeat(200), sampling: { maxTokens: 1 } }), never), clock);
  await clock.advance(5);
  const inline = read(made.generate(work({ text: `// other\n${code.repeat(20)}`, sampling: { maxTokens: 1 } }), never), clock);
  await clock.advance(500);
  expect(inline.endedAt).toBeLessThan(batch.endedAt);
});

test.each([
  ["while it waits for memory", { kvBlocks: 40 }, 10, 0],
  ["while its prompt is computed", {}, 10, 12],
  ["while it decodes", {}, 120, 12],
] as const)("an abort %s ends it within one step and frees all it held", async (_when, options, afterMs, withinMs) => {
  const { clock, engine: made } = engine(options);
  if ("kvBlocks" in options) void read(made.generate(work({ text: code.repeat(10) }), never), clock);
  const text = "kvBlocks" in options ? `// b\n${code.repeat(20)}` : code.repeat(200);
  const stop = new AbortController();
  const one = read(made.generate(work({ text, sampling: { maxTokens: 100, speculation: "off" } }), stop.signal), clock);
  await clock.advance(afterMs);
  const at = clock.now();
  const said = one.pieces.length;
  stop.abort();
  await clock.advance(withinMs);
  expect(one.end?.kind).toBe("aborted");
  expect(one.endedAt - at).toBeLessThanOrEqual(withinMs);
  expect(one.pieces.length).toBe(said);
  await clock.advance(2_000);
  expect(made.load()).toMatchObject({ running: 0, kvBlocksUsed: 0, prefillBacklogTokens: 0 });
  expect(clock.next()).toBeUndefined();
});

test("a prompt that memory holds is no backlog while it waits for the next step", async () => {
  const { clock, engine: made } = engine();
  void read(made.generate(work({ sampling: { maxTokens: 100 } }), never), clock);
  await clock.advance(100);
  // A step runs: what comes now is taken in when it ends.
  void read(made.generate(work(), never), clock);
  await clock.advance(0);
  expect(made.load().prefillBacklogTokens).toBeLessThan(20);
  void read(made.generate(work({ text: `// another\n${code.repeat(20)}` }), never), clock);
  await clock.advance(0);
  expect(made.load().prefillBacklogTokens).toBeGreaterThan(200);
});

test("an engine that notices aborts late is late by that much", async () => {
  const { clock, engine: made } = engine({ abortMs: 50 });
  const stop = new AbortController();
  const one = read(made.generate(work({ sampling: { maxTokens: 200 } }), stop.signal), clock);
  await clock.advance(100);
  const at = clock.now();
  stop.abort();
  await clock.advance(200);
  expect(one.end?.kind).toBe("aborted");
  expect(one.endedAt - at).toBeGreaterThanOrEqual(50);
  expect(one.endedAt - at).toBeLessThan(65);
});

test("stalls lengthen steps by chance and repeat with the seed", async () => {
  const run = async () => {
    const { clock, engine: made } = engine({ stall: { probability: 0.2, ms: 100 } });
    const one = read(made.generate(work({ sampling: { maxTokens: 40, speculation: "off" } }), never), clock);
    await clock.advance(10_000);
    return one.pieces.map((piece) => piece.at);
  };
  const times = await run();
  const stalls = times.filter((at, i) => at - (times[i - 1] ?? at) > 100).length;
  expect(stalls).toBeGreaterThan(2);
  expect(stalls).toBeLessThan(20);
  expect(await run()).toEqual(times);
});

test("acceptance over many blocks is the profile's, and each position is drafted when all before it were", async () => {
  const { clock, engine: made } = engine({ profileEnd: "fast" });
  for (let i = 0; i < 60; i++) {
    void read(made.generate(work({ text: `${i} ${code}`, draftDepthHint: 4, sampling: { maxTokens: 60 } }), never), clock);
    await clock.advance(400);
  }
  const { drafted, accepted, perPosition } = made.acceptance();
  expect(perPosition.length).toBe(4);
  // 3.0 tokens a block of which one is the model's own: 2.0 of 4 drafts.
  expect(accepted / drafted).toBeGreaterThan(0.44);
  expect(accepted / drafted).toBeLessThan(0.56);
  const chances = perPosition.map((position) => position.accepted / position.drafted);
  expect([...chances].sort((a, b) => b - a)).toEqual(chances);
  await clock.advance(80_000);
  expect(made.acceptance().drafted).toBe(0);
});

test("with a truth at hand it says what the typist types, until it errs", async () => {
  const truth = "sum(values) / values.length;\n}\n";
  const say = async (agreement: number) => {
    const { clock, engine: made } = engine({ agreement }, truth);
    const one = read(made.generate(work(), never), clock);
    await clock.advance(1_000);
    return one;
  };
  expect((await say(1)).text).toBe(truth);
  expect((await say(1)).end).toMatchObject({ kind: "done", finish: "stop" });
  expect((await say(0)).text.startsWith(truth)).toBe(false);
});

test("SHAPE_LINE ends with the step that brings the newline", async () => {
  const { clock, engine: made } = engine();
  const one = read(made.generate(work({ stopAtNewline: true, sampling: { maxTokens: 200 } }), never), clock);
  await clock.advance(2_000);
  expect(one.end).toMatchObject({ kind: "done", finish: "cut" });
  expect(one.text.indexOf("\n")).toBe(one.text.trimEnd().length);
});

test("warming computes a prefix in idle time and makes the next prompt cheap", async () => {
  const { clock, engine: made } = engine();
  const { segments } = work();
  let warm = false;
  void made.warm("m", segments, never, "salt").then(() => {
    warm = true;
  });
  await clock.advance(200);
  expect(warm).toBe(true);
  const one = read(made.generate(work({ cacheSalt: "salt" }), never), clock);
  await clock.advance(1_000);
  expect(one.end?.usage.recomputedTokens).toBeLessThanOrEqual(16);
});

test("KV events name the router's digests as blocks come and go", async () => {
  const { clock, engine: made } = engine({ kvBlocks: 60 });
  const events: { stored: readonly string[]; removed: readonly string[] }[] = [];
  made.onKv((event) => events.push(event));
  const digestsFrom = (first: number, count: number) =>
    Buffer.concat(Array.from({ length: count }, (_, i) => Buffer.from((first + i).toString(16).padStart(16, "0"), "hex")));
  void read(made.generate(work({ blockDigests: digestsFrom(0, 20), sampling: { maxTokens: 1 } }), never), clock);
  await clock.advance(500);
  const stored = events.flatMap((event) => event.stored);
  expect(stored.length).toBeGreaterThan(15);
  expect(new Set(stored).size).toBe(stored.length);
  const next = work({ text: `// ${code.repeat(35)}`, blockDigests: digestsFrom(100, 36), sampling: { maxTokens: 1 } });
  void read(made.generate(next, never), clock);
  await clock.advance(500);
  expect(events.flatMap((event) => event.removed).length).toBeGreaterThan(0);
});

test.each([
  ["a prompt without tokens", { segments: [] }, {}, "invalid_request"],
  ["a prompt beyond the context", { text: code.repeat(500) }, { contextTokens: 512 }, "invalid_request"],
  ["a prompt beyond the memory", { text: code.repeat(50) }, { kvBlocks: 8 }, "overloaded"],
] as const)("%s fails with its reason", async (_what, wish, options, code_) => {
  const { clock, engine: made } = engine(options);
  const one = read(made.generate(work(wish), never), clock);
  await clock.advance(10);
  expect(one.end).toMatchObject({ kind: "failed", error: { code: code_ } });
});

test("more than its slots at once is refused; a crash fails all that runs and says so", async () => {
  const { clock, engine: made } = engine({ slots: 2 });
  const all = ["a", "b", "c"].map((text) => read(made.generate(work({ text }), never), clock));
  await clock.advance(1);
  expect(all[2]?.end).toMatchObject({ kind: "failed", error: { code: "overloaded" } });
  made.crash("the card fell off the bus");
  await clock.advance(0);
  expect(all[0]?.end).toMatchObject({ kind: "failed", error: { code: "engine_failed" } });
  expect(made.load()).toMatchObject({ running: 0, kvBlocksUsed: 0 });
  expect((await made.died).message).toContain("card");
  await clock.advance(1_000);
});

test("it runs alike under the machine's clock", async () => {
  const made = new SimulatedEngine(
    { profile: "h100-7b-eagle3", profileEnd: "fast", seed: 7, slots: 8 },
    { clock: systemClock, random: seeded(3) },
  );
  const fake = engine({ profileEnd: "fast" });
  const expected = read(fake.engine.generate(work(), never), fake.clock);
  await fake.clock.advance(2_000);
  let text = "";
  const from = made.generate(work(), never);
  // The machine's timers do not keep the process alive; the test does.
  for (;;) {
    const next = await from.next();
    if (next.done) break;
    text += next.value.text;
  }
  expect(text).toBe(expected.text);
});
