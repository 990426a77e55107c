// The adapter for other servers, against pretended ones.
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../lib/clock.ts";
import { packageRoot } from "../../../lib/package-root.ts";
import { until } from "../../../test/support/until.ts";
import type { Fault } from "../../../test/support/vllm/completion.ts";
import { type FakeOptions, FakeVllm } from "../../../test/support/vllm/fake-vllm.ts";
import type { Generation } from "../../generation.ts";
import { OpenAiEngine, type OpenAiOptions } from "./openai.ts";

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function start(fakeOptions: FakeOptions, options: Partial<OpenAiOptions> = {}) {
  const fake = await FakeVllm.start({ text: () => "a + b;\n}\n", ...fakeOptions });
  open.push({ close: () => fake.kill() });
  const given = { url: fake.url, model: "", slots: 4, tokenizer: "", startMs: 5_000, ...options };
  const engine = await OpenAiEngine.start(given, { clock: systemClock });
  open.push(engine);
  fake.requests.length = 0;
  return { fake, engine };
}

const work = (over: Partial<Generation> = {}): Generation => ({
  ...{ id: 1n, link: "r", affinity: "", lane: "batch", model: "qwen2.5-coder-7b" },
  segments: [{ special: "<|fim_prefix|>" }, { text: "return " }, { special: "<|fim_suffix|>" }, { special: "<|fim_middle|>" }],
  sampling: { maxTokens: 12, temperature: 0, topP: 1, topK: 5, seed: 3, stop: [], speculation: "auto" },
  ...{ stopAtNewline: false, deadlineMs: Number.POSITIVE_INFINITY, receivedMs: 0, cacheSalt: "acme" },
  ...{ blockDigests: new Uint8Array(), draftDepthHint: 0, traceparent: "" },
  ...over,
});

async function ran(engine: OpenAiEngine, generation = work(), signal = new AbortController().signal) {
  let text = "";
  const running = engine.generate(generation, signal);
  let next = await running.next();
  for (; !next.done; next = await running.next()) text += next.value.text;
  return { text, end: next.value };
}

test.each<[speaks: "sglang" | "llama.cpp" | "bare", usage: object]>([
  ["sglang", { promptTokens: 49, completionTokens: 12 }],
  ["llama.cpp", { promptTokens: 49, completionTokens: 12 }],
  // Nothing is counted there: an event is a token, and the prompt is guessed by its bytes.
  ["bare", { promptTokens: 15, completionTokens: 12 }],
])("%s is served from with what it has", async (speaks, usage) => {
  const { engine, fake } = await start({ speaks, model: "qwen2.5-coder-7b", contextTokens: 8_192 });
  expect(engine.models[0]).toMatchObject({
    ...{ name: "qwen2.5-coder-7b", fimFamily: "qwen2.5-coder", contextTokens: speaks === "bare" ? 4_096 : 8_192 },
    fim: { prefix: "<|fim_prefix|>", middle: "<|fim_middle|>" },
  });
  const { text, end } = await ran(engine);
  expect(text).toBe("a + b;\n}\na +");
  expect(end).toMatchObject({ kind: "done", finish: "length", usage });
  expect(fake.requests[0]).toMatchObject({ prompt: "<|fim_prefix|>return <|fim_suffix|><|fim_middle|>", seed: 3 });
  for (const field of ["priority", "cache_salt", "top_k", "request_id"]) expect(fake.requests[0]).not.toHaveProperty(field);
});

test("a server that takes token ids gets them, where the vocabulary is at hand", async () => {
  const tokenizer = join(packageRoot(), "models");
  const { engine, fake } = await start({ speaks: "llama.cpp", model: "slipstream-x" }, { tokenizer });
  expect(engine.models[0]?.fimFamily).toBe("slipstream-builtin");
  await ran(engine, work({ model: "slipstream-x" }));
  expect(fake.requests[0]?.prompt?.[0]).toBe(1);
});

test("a line ends in the server, without its newline", async () => {
  const { engine, fake } = await start({ speaks: "sglang", model: "qwen2.5-coder-7b" });
  const { text, end } = await ran(engine, work({ stopAtNewline: true }));
  expect([text, end.kind, end.usage.completionTokens]).toEqual(["a + b;", "done", 7]);
  expect(fake.requests[0]?.stop).toEqual(["\n"]);
});

test("a model that no family knows is for chat alone", async () => {
  const { engine } = await start({ speaks: "bare", model: "gpt-x" });
  expect(engine.models[0]).toMatchObject({ fimFamily: "", fim: { prefix: "", suffix: "" } });
});

test.each<[fault: Fault, code: string]>([
  ["full", "overloaded"],
  ["cut", "engine_failed"],
  ["not_json", "engine_failed"],
  ["no_end", "done"],
])("a server that does %s ends the generation as %s, and the next one runs", async (fault, code) => {
  const { engine, fake } = await start({ speaks: "llama.cpp", model: "qwen2.5-coder-7b" });
  fake.faults = [fault];
  const { end } = await ran(engine);
  expect(end.kind === "failed" ? end.error.code : end.kind).toBe(code);
  expect((await ran(engine)).end.kind).toBe("done");
});

test("an abort closes the connection; a server that is gone is told", async () => {
  const { engine, fake } = await start({ speaks: "bare", model: "qwen2.5-coder-7b", stepMs: 5 }, { busyMs: 20, idleMs: 20 });
  const stop = new AbortController();
  const running = engine.generate(work({ sampling: { ...work().sampling, maxTokens: 500 } }), stop.signal);
  await running.next();
  stop.abort();
  expect((await running.next()).value).toMatchObject({ kind: "aborted" });
  await until("the server is idle", () => fake.running === 0);
  await fake.kill();
  expect((await engine.died).message).toMatch(/refuses connections/);
});

test.each<[name: string, fake: FakeOptions, options: Partial<OpenAiOptions>, says: RegExp]>([
  ["another model", { speaks: "bare" }, { model: "nobody" }, /serves "tiny", not "nobody"/],
  ["a tokenizer that is not there", { speaks: "bare" }, { tokenizer: "/nowhere" }, /is not there/],
])("%s is told at the start", async (_, fake, options, says) => {
  await expect(start(fake, options)).rejects.toThrow(says);
});
