// The adapter against a server that speaks TensorRT-LLM's gRPC (sim/tensorrt/grpc.ts).
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../../lib/clock.ts";
import { seeded } from "../../../../lib/random.ts";
import { type GrpcFault, StandInGrpc } from "../../../../sim/tensorrt/grpc.ts";
import { until } from "../../../../test/support/until.ts";
import type { Generation } from "../../../generation.ts";
import { ran } from "../../contract/trying.ts";
import { startTensorRtGrpc, type TensorRtGrpcOptions } from "./grpc.ts";

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function start(options: Partial<TensorRtGrpcOptions> = {}, stands: Parameters<typeof StandInGrpc.start>[0] = {}) {
  const stand = await StandInGrpc.start(stands);
  open.push({ close: () => stand.kill() });
  const aborts: string[] = [];
  const counted: [number, number][] = [];
  const engine = await startTensorRtGrpc(
    {
      ...{
        url: stand.url,
        model: "",
        slots: 4,
        tokenizer: "",
        startMs: 20_000,
        confidence: false,
        lane: "inline",
        oneTenant: true,
      },
      ...options,
    },
    {
      ...{ clock: systemClock, random: seeded(1), aborted: (how) => aborts.push(how) },
      counted: (expected, cached) => counted.push([expected, cached]),
    },
  );
  open.push(engine);
  stand.requests.length = 0;
  counted.length = 0;
  return { stand, engine, aborts, counted };
}

const work = (over: Partial<Generation> = {}): Generation => ({
  ...{ id: 1n, link: "r", affinity: "", lane: "inline", model: "models" },
  segments: [{ special: "<|fim_prefix|>" }, { text: "function add(a, b) {\n  return ".repeat(9) }],
  ...{ stopAtNewline: false, deadlineMs: Number.POSITIVE_INFINITY, receivedMs: 0, cacheSalt: "acme" },
  ...{ blockDigests: new Uint8Array(), draftDepthHint: 0, traceparent: "" },
  sampling: { maxTokens: 12, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "auto" },
  ...over,
});

test.each<[name: string, over: Partial<Generation>, field: string, says: RegExp]>([
  ["a second lane", { lane: "batch" }, "submit.lane", /inline lane alone, not batch; TensorRT-LLM's gRPC has no priority/],
  ["a second tenant", { cacheSalt: "other" }, "submit.cache_salt", /one tenant.*reads no cache salt/],
])("%s is refused with the reason, and never reaches the engine", async (_, over, field, says) => {
  const { engine, stand } = await start();
  await ran(engine, work());
  const { end } = await ran(engine, { ...work(), ...over });
  expect(end).toMatchObject({ kind: "failed", error: { code: "unsupported", field, message: expect.stringMatching(says) } });
  expect(stand.requests).toHaveLength(1);
});

test("a prefix is computed ahead for the one tenant in a pool of one lane, and never for another", async () => {
  const { engine, stand } = await start();
  const { model, segments, cacheSalt } = work();
  const never = new AbortController().signal;
  await engine.warm(model, segments, never, cacheSalt);
  await expect(engine.warm(model, segments, never, "other")).rejects.toThrow(/one tenant/);
  expect(stand.requests).toHaveLength(1);
  expect((await ran(engine, work())).end.usage.cachedTokens).toBeGreaterThan(0);
});

test.each<[name: string, options: Partial<TensorRtGrpcOptions>, says: RegExp]>([
  ["a pool of several lanes", { lane: "" }, /SLIPSTREAM_WORKER_ONLY_LANE/],
  ["a pool of several tenants", { oneTenant: false }, /SLIPSTREAM_WORKER_ONE_TENANT=true, or serve it by HTTP/],
  ["another model", { model: "qwen" }, /serves "models", not "qwen"/],
  ["no port", { url: "grpc://127.0.0.1" }, /not like grpc/],
])("%s is refused at the start with the reason", async (_, options, says) => {
  await expect(start(options)).rejects.toThrow(says);
});

test("the salt and the retention that its server does not read are not sent", async () => {
  const { engine, stand } = await start();
  await ran(engine, work());
  const [request] = stand.requests;
  expect([request?.cacheSaltId, request?.kvCacheRetention, request?.streaming]).toEqual([undefined, undefined, true]);
});

test("an abort is by name, and others go on", async () => {
  const { engine, stand, aborts } = await start();
  const stop = new AbortController();
  const other = ran(engine, work({ sampling: { ...work().sampling, maxTokens: 30 } }));
  const { end } = await ran(engine, work({ sampling: { ...work().sampling, maxTokens: 900 } }), {
    signal: stop.signal,
    piece: (_, count) => count === 2 && stop.abort(),
  });
  expect(end.kind).toBe("aborted");
  await until("the engine has ended it", () => stand.engine.aborted === 1);
  expect((await other).end.kind).toBe("done");
  expect([aborts, stand.aborts]).toEqual([["by_id"], [true]]);
});

test.each<[fault: GrpcFault, code: string]>([
  ["broken", "engine_failed"],
  ["cut", "engine_failed"],
  ["empty", "engine_failed"],
  ["error_end", "engine_failed"],
])("a server that does %s ends the generation as %s, and the next one runs", async (fault, code) => {
  const { engine, stand } = await start();
  stand.faults = [fault];
  const { end } = await ran(engine, work());
  expect(end.kind === "failed" ? end.error.code : end.kind).toBe(code);
  expect((await ran(engine, work())).end.kind).toBe("done");
});

test("what it holds is known by its events, and is nothing more after some were lost", async () => {
  const { engine, stand, counted } = await start({}, { blocks: 14 });
  const prompt = (index: number) => work({ segments: [{ text: `// ${index}\n${"const a = b + c;\n".repeat(14)}` }] });
  let cleared = 0;
  engine.onKv((told) => {
    if (told.cleared) cleared += 1;
  });
  const turn = async (index: number) => {
    await ran(engine, prompt(index));
    await until("what it gave up is known", () => engine.evictedBlocks === stand.engine.blocks.gaveUp);
  };
  for (let index = 0; index < 14; index++) await turn(index >> 1);
  expect(engine.evictedBlocks).toBeGreaterThan(0);
  expect(counted.filter(([expected, cached]) => expected > cached)).toEqual([]);
  expect(counted.some(([expected]) => expected > 0)).toBe(true);
  // What it stores for the next one, and what it gives up for that.
  stand.loseNext = 2;
  for (const index of [20, 21]) await ran(engine, prompt(index));
  await until("that some were lost is known", () => cleared > 0);
  const { evictedBlocks } = engine;
  let next = 22;
  await until("it knows what was stored and given up since", async () => {
    await ran(engine, prompt(next++));
    return engine.evictedBlocks > evictedBlocks;
  });
  counted.length = 0;
  for (const index of [5, 4, 6, 3]) await ran(engine, prompt(index));
  expect(counted.filter(([expected, cached]) => expected > cached)).toEqual([]);
});

test("an engine without events is served from all the same", async () => {
  const { engine } = await start({}, { eventsMax: 0 });
  expect((await ran(engine, work())).end.kind).toBe("done");
});
