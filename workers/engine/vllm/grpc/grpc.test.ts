// The adapter against a server that speaks vLLM's gRPC (test/support/vllm/fake-grpc.ts).
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../../lib/clock.ts";
import { seeded } from "../../../../lib/random.ts";
import { until } from "../../../../test/support/until.ts";
import { type FakeGrpcOptions, FakeVllmGrpc, type GrpcFault } from "../../../../test/support/vllm/fake-grpc.ts";
import type { Generation } from "../../../generation.ts";
import { ran } from "../../contract/trying.ts";
import { VllmGrpcEngine, type VllmGrpcOptions } from "./grpc.ts";

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function start(fakeOptions: FakeGrpcOptions = {}, options: Partial<VllmGrpcOptions> = {}) {
  const fake = await FakeVllmGrpc.start(fakeOptions);
  open.push({ close: () => fake.kill() });
  const aborts: string[] = [];
  const engine = await VllmGrpcEngine.start(
    {
      ...{ url: fake.url, model: "", slots: 4, tokenizer: "", startMs: 5_000, confidence: false, lane: "inline", oneTenant: true },
      ...options,
    },
    { clock: systemClock, random: seeded(1), aborted: (how) => aborts.push(how) },
  );
  open.push(engine);
  fake.requests.length = 0;
  return { fake, engine, aborts };
}

const work = (over: Partial<Omit<Generation, "sampling">> & { sampling?: Partial<Generation["sampling"]> } = {}): Generation => ({
  ...{ id: 1n, link: "r", affinity: "", lane: "inline", model: "slipstream-fim-4m" },
  segments: [{ special: "<|fim_prefix|>" }, { text: "function add(a, b) {\n  return ".repeat(9) }],
  ...{ stopAtNewline: false, deadlineMs: Number.POSITIVE_INFINITY, receivedMs: 0, cacheSalt: "acme" },
  ...{ blockDigests: new Uint8Array(), draftDepthHint: 0, traceparent: "" },
  ...over,
  sampling: {
    ...{ maxTokens: 12, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "auto" },
    ...over.sampling,
  },
});

test("tokens come as text of whole characters, with the engine's own count of what they cost", async () => {
  const { engine, fake } = await start({ text: "漢字 += ü;\n", perStep: 3 });
  const { text, end, pieces } = await ran(engine, work({ sampling: { stop: ["ü"], seed: 7, topK: 3 } }));
  expect(text).toBe("漢字 += ü");
  expect(end).toMatchObject({ kind: "done", finish: "stop", usage: { cachedTokens: 0 } });
  expect(pieces.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(end.usage.completionTokens);
  expect(fake.requests[0]?.samplingParams).toMatchObject({
    stop: ["ü"],
    seed: 7,
    topK: 3,
    temperature: 0,
    includeStopStrInOutput: true,
  });
  const again = await ran(engine, work());
  expect(again.end.usage.cachedTokens).toBeGreaterThan(0);
});

test.each<[name: string, over: Partial<Generation>, field: string, says: RegExp]>([
  ["a second lane", { lane: "batch" }, "submit.lane", /inline lane alone, not batch; vLLM's gRPC has no priority/],
  ["a second tenant", { cacheSalt: "other" }, "submit.cache_salt", /one tenant.*no cache_salt/],
])("%s is refused with the reason, and never reaches the engine", async (_, over, field, says) => {
  const { engine, fake } = await start();
  await ran(engine, work());
  const { end } = await ran(engine, { ...work(), ...over });
  expect(end).toMatchObject({ kind: "failed", error: { code: "unsupported", field, message: expect.stringMatching(says) } });
  expect(fake.requests).toHaveLength(1);
});

test("a prefix is computed ahead for the one tenant in a pool of one lane, and never for another", async () => {
  const { engine, fake } = await start();
  const { model, segments, cacheSalt } = work();
  const never = new AbortController().signal;
  await engine.warm(model, segments, never, cacheSalt);
  await expect(engine.warm(model, segments, never, "other")).rejects.toThrow(/one tenant/);
  expect(fake.requests).toHaveLength(1);
  expect((await ran(engine, work())).end.usage.cachedTokens).toBeGreaterThan(0);
});

test.each<[name: string, options: Partial<VllmGrpcOptions>, says: RegExp]>([
  ["a pool of several lanes", { lane: "" }, /SLIPSTREAM_WORKER_ONLY_LANE/],
  ["a pool of several tenants", { oneTenant: false }, /SLIPSTREAM_WORKER_ONE_TENANT=true, or serve it by HTTP/],
  ["another model", { model: "qwen" }, /serves "slipstream-fim-4m", not "qwen"/],
  ["no port", { url: "grpc://127.0.0.1" }, /not like grpc/],
  ["a vocabulary that is not there", { tokenizer: "/nowhere" }, /nowhere is not there/],
])("%s is refused at the start with the reason", async (_, options, says) => {
  await expect(start({}, options)).rejects.toThrow(says);
});

test("an abort resets its stream alone, and the engine is done with it", async () => {
  const { engine, fake, aborts } = await start({ stepMs: 5 });
  const controller = new AbortController();
  const other = ran(engine, work({ sampling: { maxTokens: 30 } }));
  const running = engine.generate(work({ sampling: { maxTokens: 500 } }), controller.signal);
  await running.next();
  controller.abort();
  expect(await running.next()).toMatchObject({ done: true, value: { kind: "aborted" } });
  await until("the engine runs the other alone", () => fake.aborted === 1);
  expect((await other).end.kind).toBe("done");
  expect(aborts).toEqual(["closed"]);
});

test.each<[fault: GrpcFault, code: string]>([
  ["broken", "engine_failed"],
  ["full", "overloaded"],
  ["cut", "engine_failed"],
  ["empty", "engine_failed"],
  ["error_end", "engine_failed"],
])("a server that does %s ends the generation as %s, and the next one runs", async (fault, code) => {
  const { engine, fake } = await start();
  fake.faults = [fault];
  const { end } = await ran(engine, work());
  expect(end.kind === "failed" ? end.error.code : end.kind).toBe(code);
  expect((await ran(engine, work())).end.kind).toBe("done");
  await until("the engine is idle", () => fake.running === 0);
});

test("what it holds is known by its events, also after some were lost", async () => {
  const counted: [number, number][] = [];
  const fake = await FakeVllmGrpc.start({ blocks: 24 });
  open.push({ close: () => fake.kill() });
  const options = { url: fake.url, model: "", slots: 4, tokenizer: "", startMs: 5_000, confidence: false };
  const engine = await VllmGrpcEngine.start(
    { ...options, lane: "inline", oneTenant: true },
    { clock: systemClock, random: seeded(1), counted: (expected, cached) => counted.push([expected, cached]) },
  );
  open.push(engine);
  counted.length = 0;
  const prompt = (index: number) => work({ segments: [{ text: `// ${index % 7}\n${"const a = b + c;\n".repeat(12)}` }] });
  for (let turn = 0; turn < 20; turn++) {
    await ran(engine, prompt(turn));
    await systemClock.sleep(10);
  }
  // Seven prompts of five blocks do not fit: some come back to what is still there.
  expect(counted.filter(([expected, cached]) => expected !== cached)).toEqual([]);
  fake.loseNext = 1;
  await ran(engine, prompt(21));
  for (let turn = 30; turn < 33; turn++) {
    await ran(engine, prompt(turn));
    await systemClock.sleep(150);
  }
  // Nothing is expected that is not there.
  expect(counted.filter(([expected, cached]) => expected > cached)).toEqual([]);
});

test("an engine without events is served from all the same", async () => {
  const { engine } = await start({ events: false });
  expect((await ran(engine, work())).end.kind).toBe("done");
});
