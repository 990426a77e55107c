// The adapter against a server that speaks vLLM's HTTP (test/support/vllm).
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../lib/clock.ts";
import { packageRoot } from "../../../lib/package-root.ts";
import { seeded } from "../../../lib/random.ts";
import { until } from "../../../test/support/until.ts";
import type { Fault } from "../../../test/support/vllm/completion.ts";
import { type FakeOptions, FakeVllm } from "../../../test/support/vllm/fake-vllm.ts";
import type { Finished, Generation, Piece } from "../../generation.ts";
import { FileTokenizer } from "../file-tokenizer.ts";
import { VllmEngine, type VllmOptions } from "./vllm.ts";

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function start(fakeOptions: FakeOptions = {}, options: Partial<VllmOptions> = {}) {
  const fake = await FakeVllm.start(fakeOptions);
  open.push({ close: () => fake.kill() });
  const aborts: string[] = [];
  const engine = await VllmEngine.start(
    { url: fake.url, model: "", slots: 4, tokenizer: "", startMs: 5_000, confidence: false, ...options },
    { clock: systemClock, random: seeded(1), aborted: (how) => aborts.push(how) },
  );
  open.push(engine);
  fake.requests.length = 0;
  return { fake, engine, aborts };
}

function work(over: Partial<Omit<Generation, "sampling">> & { sampling?: Partial<Generation["sampling"]> } = {}): Generation {
  return {
    ...{ id: 1n, link: "r", affinity: "", lane: "inline", model: "tiny" },
    segments: [{ special: "<|fim_prefix|>" }, { text: "function add(a, b) {\n  return " }, { special: "<|fim_middle|>" }],
    ...{ stopAtNewline: false, deadlineMs: Number.POSITIVE_INFINITY, receivedMs: 0, cacheSalt: "" },
    ...{ blockDigests: new Uint8Array(), draftDepthHint: 0, traceparent: "" },
    ...over,
    sampling: {
      ...{ maxTokens: 12, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "auto" },
      ...over.sampling,
    },
  };
}

async function ran(engine: VllmEngine, generation = work(), signal = new AbortController().signal) {
  const pieces: Piece[] = [];
  const running = engine.generate(generation, signal);
  let next = await running.next();
  for (; !next.done; next = await running.next()) pieces.push(next.value);
  const end: Finished = next.value;
  return { pieces, end, text: pieces.map(({ text }) => text).join("") };
}

test("a completion comes as pieces, with the engine's own count of what it cost", async () => {
  const { engine } = await start({ text: () => "a + b;\n}\n漢字" });
  const { text, end, pieces } = await ran(engine);
  expect(text).toBe("a + b;\n}\n漢字a");
  expect(end).toMatchObject({ kind: "done", finish: "length", usage: { promptTokens: 32, completionTokens: 12, cachedTokens: 0 } });
  expect(pieces.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(12);
  const again = await ran(engine);
  expect(again.end.usage).toMatchObject({ cachedTokens: 16, recomputedTokens: 16 });
});

test("several tokens of one frame are counted as several", async () => {
  const { engine } = await start({ perStep: 4 });
  const { pieces, end } = await ran(engine);
  expect(pieces.map(({ tokens }) => tokens)).toEqual([4, 4, 4]);
  expect(end.usage.completionTokens).toBe(12);
  expect(engine.capabilities).toContain("speculation");
});

test("what the engine is asked: lanes with its sign of priority, a salt, stops that the agent sees, a name", async () => {
  const { engine, fake } = await start({ text: () => "x;\ny" });
  await ran(
    engine,
    work({ lane: "batch", cacheSalt: "acme", stopAtNewline: true, sampling: { stop: ["\n\n"], seed: 7, topK: 3 } }),
  );
  await ran(engine);
  const [batch, inline] = fake.requests;
  expect(batch).toMatchObject({
    priority: 30,
    cache_salt: "acme",
    stop: ["\n\n", "\n"],
    include_stop_str_in_output: true,
    seed: 7,
  });
  expect(batch?.request_id).toMatch(/^slipstream-\w+-\d+$/);
  expect(inline).toMatchObject({ priority: 0, stream: true });
  expect(inline).not.toHaveProperty("cache_salt");
  expect(inline?.prompt?.[0]).toBe(1_001);
});

test("without --scheduling-policy priority no priority is sent", async () => {
  const { engine, fake } = await start({ priority: false });
  const { end } = await ran(engine, work({ lane: "batch" }));
  expect(end.kind).toBe("done");
  expect(fake.requests[0]).not.toHaveProperty("priority");
});

test("an abort closes the connection, and the engine is done with it", async () => {
  const { engine, fake, aborts } = await start({ stepMs: 5 });
  const controller = new AbortController();
  const running = engine.generate(work({ sampling: { maxTokens: 2_000 } }), controller.signal);
  await running.next();
  expect(engine.load().running).toBe(1);
  controller.abort();
  expect(await running.next()).toMatchObject({ done: true, value: { kind: "aborted" } });
  await until("the engine is idle", () => fake.running === 0);
  expect(fake.aborted).toBe(1);
  expect(aborts).toEqual(["closed"]);
  expect(engine.load().running).toBe(0);
});

test("an engine that can is told to stop by the request's id, and its connection serves the next one", async () => {
  const { engine, fake, aborts } = await start({ stepMs: 5 }, { abortById: true });
  for (let turn = 0; turn < 3; turn++) {
    const controller = new AbortController();
    const running = engine.generate(work({ sampling: { maxTokens: 2_000 } }), controller.signal);
    await running.next();
    controller.abort();
    expect(await running.next()).toMatchObject({ done: true, value: { kind: "aborted" } });
    await until("the engine is idle", () => fake.running === 0);
  }
  expect(fake.aborted).toBe(0);
  expect(aborts).toEqual(["by_id", "by_id", "by_id"]);
  // One that would not hear is left.
  fake.deaf = true;
  const controller = new AbortController();
  const running = engine.generate(work({ sampling: { maxTokens: 2_000 } }), controller.signal);
  await running.next();
  controller.abort();
  await running.next();
  await until("the engine is idle", () => fake.running === 0);
  expect(fake.aborted).toBe(1);
});

test("a connection serves one generation after the other", async () => {
  const { engine, fake } = await start();
  await ran(engine);
  const before = fake.accepted;
  for (let turn = 0; turn < 10; turn++) await ran(engine);
  expect(fake.accepted - before).toBeLessThan(3);
});

test("tokens that the engine gives are spelled here, special ones not shown", async () => {
  const tokenizer = join(packageRoot(), "models");
  const vocabulary = await FileTokenizer.open(tokenizer);
  const tokens = [...vocabulary.encodeText("a + b; // 漢字"), vocabulary.specialToken("<|endoftext|>") as number];
  const { engine, fake } = await start({ tokens }, { tokensOut: true, tokenizer });
  const { text, end, pieces } = await ran(engine, work({ cacheSalt: "acme", sampling: { maxTokens: tokens.length, topK: 3 } }));
  expect([text, end.kind, end.usage.completionTokens]).toEqual(["a + b; // 漢字", "done", tokens.length]);
  expect(pieces.reduce((sum, piece) => sum + piece.tokens, 0)).toBe(tokens.length);
  expect(fake.requests[0]).toMatchObject({ cache_salt: "acme", priority: 0, sampling_params: { top_k: 3, temperature: 0 } });
  expect(fake.requests[0]).not.toHaveProperty("stop");
});

test("text that ends in the engine is not aborted for it: its counts are waited for", async () => {
  const { engine, fake, aborts } = await start({ text: () => "x;\n" });
  const controller = new AbortController();
  const running = engine.generate(work({ stopAtNewline: true }), controller.signal);
  let next = await running.next();
  for (; !next.done; next = await running.next()) if (next.value.text.includes("\n")) controller.abort("cut");
  expect(next.value).toMatchObject({ kind: "done", finish: "stop", usage: { completionTokens: 3 } });
  expect(fake.aborted).toBe(0);
  expect(aborts).toEqual(["late"]);
});

test.each<[fault: Fault, code: string, says: RegExp]>([
  ["refused", "invalid_request", /refused for a test/],
  ["full", "overloaded", /queue is full/],
  ["broken", "engine_failed", /EngineCore/],
  ["cut", "engine_failed", /broke off/],
  // As when a server closes an idle connection: it is asked again.
  ["cut_before", "done", /./],
  ["garbage", "engine_failed", /no choices/],
  ["not_json", "engine_failed", /no JSON/],
  ["error_event", "engine_failed", /out of memory/],
  ["endless_line", "engine_failed", /more than/],
  ["no_end", "done", /./],
  ["too_many_tokens", "engine_failed", /more than the 12 tokens/],
])("a server that does %s ends the generation as %s, and the next one runs", async (fault, code, says) => {
  const { engine, fake } = await start();
  fake.faults = [fault];
  const { end } = await ran(engine);
  expect(end.kind === "failed" ? end.error.code : end.kind).toBe(code);
  if (end.kind === "failed") expect(end.error.message).toMatch(says);
  expect((await ran(engine)).end.kind).toBe("done");
  await until("the engine is idle", () => fake.running === 0);
});

test.each([
  ["killed", (fake: FakeVllm) => fake.kill()],
  ["frozen", async (fake: FakeVllm) => fake.freeze()],
])("an engine that is %s fails what runs, and says that it died", async (_, harm) => {
  const { engine, fake } = await start({}, { hungMs: 500, busyMs: 20, idleMs: 20 });
  fake.faults = ["stall"];
  const running = engine.generate(work(), new AbortController().signal);
  await running.next();
  await harm(fake);
  const end = await running.next();
  expect(end.value).toMatchObject({ kind: "failed", error: { code: "engine_failed" } });
  expect((await engine.died).message).toMatch(/gone/);
  expect((await ran(engine)).end).toMatchObject({ kind: "failed", error: { code: "engine_failed" } });
});

test("an engine whose front answers while nothing moves behind it is taken for dead", async () => {
  const { engine, fake } = await start({}, { hungMs: 500, busyMs: 20, idleMs: 20 });
  fake.faults = ["stall"];
  const { end } = await ran(engine);
  expect(end).toMatchObject({ kind: "failed" });
  expect((await engine.died).message).toMatch(/none of 1 generations has moved/);
});

test("an engine that is slow to start is waited for; one that never comes is told", async () => {
  const fake = await FakeVllm.start();
  open.push({ close: () => fake.kill() });
  fake.ready = false;
  const options = { url: fake.url, model: "", slots: 4, tokenizer: "", confidence: false };
  const deps = { clock: systemClock, random: seeded(1) };
  await expect(VllmEngine.start({ ...options, startMs: 120 }, deps)).rejects.toThrow(/no engine within 120 ms.*status 503/);
  const starting = VllmEngine.start({ ...options, startMs: 10_000 }, deps);
  fake.ready = true;
  open.push(await starting);
});

test.each<[name: string, options: Partial<VllmOptions>, says: RegExp]>([
  ["another model", { model: "qwen" }, /serves "tiny", not "qwen"/],
  ["no URL", { url: "localhost" }, /not like http/],
  ["a tokenizer that is not there", { tokenizer: "/nowhere" }, /nowhere is not there/],
])("%s is told at the start", async (_, options, says) => {
  await expect(start({}, options)).rejects.toThrow(says);
});

test("adapters are loaded at the start, and each is a model of its own", async () => {
  const { engine, fake } = await start({}, { adapters: { style: "/adapters/style" } });
  expect(engine.models.map(({ name }) => name)).toEqual(["tiny", "style"]);
  await ran(engine, work({ model: "style" }));
  const { end } = await ran(engine, work({ model: "style" }));
  expect(fake.requests.at(-1)).toMatchObject({ model: "style" });
  expect(end.usage.cachedTokens).toBe(16);
  // What the adapter computed is not the model's.
  expect((await ran(engine)).end.usage.cachedTokens).toBe(0);
});

test("an adapter that cannot be loaded is told at the start", async () => {
  await expect(start({ adapters: false }, { adapters: { style: "/adapters/style" } })).rejects.toThrow(/--enable-lora/);
});

test("without metrics and details it serves all the same", async () => {
  const { engine } = await start({ metrics: false, details: false, tokensOnly: false });
  const { end } = await ran(engine);
  expect(end).toMatchObject({ kind: "done", usage: { cachedTokens: 0, recomputedTokens: 32 } });
  expect(engine.load().kvBlocks).toBe(0);
});

test("a prefix is computed ahead behind all lanes, and stopping it stops the engine", async () => {
  const { engine, fake } = await start();
  const segments = [{ text: "const a = 1;\n".repeat(4) }];
  await engine.warm("tiny", segments, new AbortController().signal, "acme");
  expect(fake.requests[0]).toMatchObject({ priority: 40, max_tokens: 1, cache_salt: "acme" });
  const { end } = await ran(engine, work({ segments, cacheSalt: "acme" }));
  expect(end.usage.cachedTokens).toBe(48);
});
