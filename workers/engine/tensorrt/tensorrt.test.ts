// The adapter against a server that speaks trtllm-serve's HTTP (sim/tensorrt/serve.ts).
import { afterEach, expect, test } from "vitest";
import { type Clock, sleepOn, systemClock } from "../../../lib/clock.ts";
import { seeded } from "../../../lib/random.ts";
import { type ServeFault, type ServeOptions, StandInServe } from "../../../sim/tensorrt/serve.ts";
import { standInFolder } from "../../../sim/tensorrt/stand-in.ts";
import { until } from "../../../test/support/until.ts";
import type { Generation } from "../../generation.ts";
import { ran } from "../contract/trying.ts";
import { startTensorRt, type TensorRtHttpOptions } from "./tensorrt.ts";

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function start(serve: ServeOptions = {}, options: Partial<TensorRtHttpOptions> = {}, clock: Clock = systemClock) {
  const stand = await StandInServe.start(serve);
  open.push({ close: () => stand.kill() });
  const said: string[] = [];
  const note = (_about: unknown, what: string) => void said.push(what);
  const engine = await startTensorRt(
    {
      ...{ url: stand.url, model: "", slots: 4, tokenizer: standInFolder, startMs: 20_000, confidence: false },
      ...options,
    },
    { clock, random: seeded(1), log: { info: note, warn: note } as never },
  );
  open.push(engine);
  stand.requests.length = 0;
  return { stand, engine, said };
}

const work = (over: Partial<Generation> = {}): Generation => ({
  ...{ id: 1n, link: "r", affinity: "", lane: "inline", model: "slipstream-fim" },
  segments: [{ special: "<|fim_prefix|>" }, { text: "function add(a, b) {\n  return ".repeat(9) }],
  ...{ stopAtNewline: false, deadlineMs: Number.POSITIVE_INFINITY, receivedMs: 0, cacheSalt: "acme" },
  ...{ blockDigests: new Uint8Array(), draftDepthHint: 0, traceparent: "" },
  sampling: { maxTokens: 12, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "auto" },
  ...over,
});

test("what it is, how long a prompt may be and what is missing are said at the start", async () => {
  const { engine, said } = await start({ speaks: "1.2", quietMs: 20, prometheus: false, eventsMax: 0 }, { contextTokens: 512 });
  expect(engine.models[0]).toMatchObject({ name: "slipstream-fim", contextTokens: 512, fimFamily: "slipstream-builtin" });
  expect(engine.capabilities).toEqual(["tokenize"]);
  expect(said.join("\n")).toMatch(/requests have no priority/);
  expect(said.join("\n")).toMatch(/does not tell which KV blocks/);
  expect(said.join("\n")).toMatch(/figures are gone when read/);
});

test("its figures say how long a prompt may be and how many blocks there are", async () => {
  const { engine } = await start({ contextTokens: 1_024, blocks: 512, blockTokens: 64 });
  expect(engine.models[0]?.contextTokens).toBe(1_024);
  expect(engine.blockTokens).toBe(64);
  expect(engine.load().kvBlocks).toBe(512);
  await until("use of the cache is read", () => engine.load().kvBlocksUsed > 0);
});

test.each<[name: string, serve: ServeOptions, options: Partial<TensorRtHttpOptions>, says: RegExp]>([
  ["no vocabulary", {}, { tokenizer: "" }, /SLIPSTREAM_WORKER_TOKENIZER/],
  ["a vocabulary that is not there", {}, { tokenizer: "/nowhere" }, /nowhere is not there/],
  ["no word of how long a prompt may be", { prometheus: false }, {}, /SLIPSTREAM_WORKER_CONTEXT_TOKENS/],
  ["another model", {}, { model: "qwen" }, /serves "slipstream-fim", not "qwen"/],
  ["one that is told what may go, of several tenants", {}, { truncate: true }, /SLIPSTREAM_WORKER_ONE_TENANT=true.*TRUNCATE off/],
  ["adapters that it was not started for", {}, { adapters: { style: "/adapters/style" } }, /adapter style.*lora_config/],
])("%s: it is not served from, with the reason", async (_, serve, options, says) => {
  await expect(start(serve, options)).rejects.toThrow(says);
});

test.each<[fault: ServeFault, code: string]>([
  ["refused", "invalid_request"],
  ["broken", "engine_failed"],
  ["cut", "engine_failed"],
  ["not_json", "engine_failed"],
])("a server that does %s ends the generation as %s, and the next one runs", async (fault, code) => {
  const { stand, engine } = await start();
  stand.faults = [fault];
  const { end } = await ran(engine, work());
  expect(end.kind === "failed" ? end.error.code : end.kind).toBe(code);
  expect((await ran(engine, work())).end.kind).toBe("done");
  await until("the engine is idle", () => stand.running === 0);
});

test("an engine that says it is not well is taken for dead after a while", async () => {
  const { stand, engine } = await start({}, { hungMs: 500, idleMs: 20 });
  stand.healthy = false;
  expect((await engine.died).message).toMatch(/has not answered/);
});

test("lanes and tenants go with the request", async () => {
  const { stand, engine } = await start();
  await ran(engine, work());
  await ran(engine, work({ lane: "batch", cacheSalt: "other" }));
  const [first, second] = stand.requests.map(({ body }) => body);
  expect([first?.cache_salt, second?.cache_salt]).toEqual(["acme", "other"]);
  expect(first?.priority as number).toBeGreaterThan(second?.priority as number);
});

test("events that somebody else is to read are left alone", async () => {
  const { stand, engine, said } = await start({}, { kvEvents: false });
  expect(engine.capabilities).not.toContain("kv_events");
  expect(said.join("\n")).not.toMatch(/which KV blocks/);
  await ran(engine, work());
  // A reader asks as soon as it is there.
  expect(stand.eventReads).toBe(0);
});

test("an engine whose buffer holds more than is ever read at once is served from, and tells what comes after", async () => {
  const { engine } = await start({ eventsPadding: 65 << 20 });
  expect(engine.capabilities).toContain("kv_events");
  expect((await ran(engine, work())).end.kind).toBe("done");
});

/** A prompt whose suffix stands behind what is typed. */
const page = (typed: string): Generation["segments"] => [
  { special: "<|fim_prefix|>" },
  { text: `${"const a = b + c;\n".repeat(20)}${typed}` },
  { special: "<|fim_suffix|>" },
  { text: "return add(a, b);\n".repeat(24) },
];

test("a server of one tenant is told which cached blocks somebody who types on has left behind", async () => {
  const { stand, engine } = await start({}, { truncate: true, oneTenant: true });
  const typed = (text: string) => ran(engine, work({ affinity: "d", segments: page(text) }));
  const { end: first } = await typed("const s");
  await typed("const sum");
  await until("it is told", () => stand.truncations.length > 1);
  const last = stand.truncations.at(-1);
  const requests = stand.requests.filter(({ body }) => body.stream);
  expect(requests.map(({ path, body }) => [path, "cache_salt" in body])).toEqual([
    ["completion", false],
    ["completion", false],
  ]);
  const whole = Math.floor(first.usage.promptTokens / 32) * 32;
  expect(last?.tokens).toEqual((requests[0]?.body.prompt as number[] | undefined)?.slice(0, whole));
  // It does so after its next step.
  await ran(engine, work({ segments: [{ text: "another" }] }));
  const { end: again } = await typed("const s");
  expect(again.usage.cachedTokens).toBe((last?.keep ?? 0) + 1);
  expect(again.usage.cachedTokens).toBeLessThan(whole);
});

test("a second tenant of a server that is told is refused: without salts they would share what is cached", async () => {
  const { stand, engine } = await start({}, { truncate: true, oneTenant: true });
  expect((await ran(engine, work())).end.kind).toBe("done");
  const { end } = await ran(engine, work({ cacheSalt: "other" }));
  expect(end.kind === "failed" && end.error.message).toMatch(/one tenant.*SLIPSTREAM_WORKER_ENGINE_TRUNCATE off/);
  const asked = stand.requests.length;
  const ahead = engine.warm("slipstream-fim", work().segments, new AbortController().signal, "other");
  await expect(ahead).rejects.toThrow(/one tenant/);
  expect(stand.requests).toHaveLength(asked);
});

test("a version that cannot be told is served from as without it, and it is said", async () => {
  const { stand, engine, said } = await start({ truncates: "nothing" }, { truncate: true, oneTenant: true });
  await ran(engine, work());
  expect(stand.requests.at(-1)).toMatchObject({ path: "chat", body: { cache_salt: "acme" } });
  expect(said.join("\n")).toMatch(/cannot be told which cached blocks may go/);
});

/** A clock that knows how many timers wait: what asks over and over always has one, for its answer or its pause. */
function watchedClock() {
  const live = new Set<object>();
  const clock: Clock = {
    ...systemClock,
    timer(ms, fire) {
      const mark = {};
      live.add(mark);
      const timer = systemClock.timer(ms, () => {
        live.delete(mark);
        fire();
      });
      return {
        [Symbol.dispose]: () => {
          live.delete(mark);
          timer[Symbol.dispose]();
        },
      };
    },
    sleep: (ms, signal) => sleepOn(clock, ms, signal),
  };
  return { clock, waiting: () => live.size };
}

test.each<[name: string, serve: ServeOptions, options: Partial<TensorRtHttpOptions>]>([
  ["an old one", { speaks: "1.2", quietMs: 30 }, { contextTokens: 1_024 }],
  ["one that is told what may go", {}, { truncate: true, oneTenant: true }],
])("nothing is left of %s when it is closed", async (_, serve, options) => {
  const { clock, waiting } = watchedClock();
  const { stand, engine } = await start(serve, options, clock);
  const told = stand.truncations.length;
  for (const typed of ["a", "ab"]) await ran(engine, work({ affinity: "d", segments: page(typed) }));
  expect(waiting()).toBeGreaterThan(0);
  await engine.close();
  open.splice(open.indexOf(engine), 1);
  await until("nothing waits any more", () => waiting() === 0);
  expect(stand.truncations).toHaveLength(told);
});
