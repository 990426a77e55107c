// The adapter against a server that speaks Triton's generate_stream (sim/tensorrt/triton.ts).
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../../lib/clock.ts";
import { seeded } from "../../../../lib/random.ts";
import { standInFolder } from "../../../../sim/tensorrt/stand-in.ts";
import { StandInTriton } from "../../../../sim/tensorrt/triton.ts";
import type { Generation } from "../../../generation.ts";
import { tritonReport } from "../../../wire-tensorrt.ts";
import { ran } from "../../contract/trying.ts";
import { isTriton, startTriton, type TritonOptions } from "./triton.ts";

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function start(options: Partial<TritonOptions> = {}, stands: Parameters<typeof StandInTriton.start>[0] = {}) {
  const stand = await StandInTriton.start({ text: "漢字 += ü;\n", ...stands });
  open.push({ close: () => stand.kill() });
  const engine = await startTriton(
    {
      ...{ url: stand.url, model: "slipstream-fim", slots: 4, tokenizer: standInFolder, startMs: 20_000, confidence: false },
      ...{ contextTokens: 2_048, oneTenant: true },
      ...options,
    },
    { clock: systemClock, random: seeded(1) },
  );
  open.push(engine);
  stand.requests.length = 0;
  return { stand, engine };
}

const work = (over: Partial<Generation> = {}): Generation => ({
  ...{ id: 1n, link: "r", affinity: "s1", lane: "inline", model: "slipstream-fim" },
  segments: [{ special: "<|fim_prefix|>" }, { text: "function add(a, b) {\n  return ".repeat(9) }],
  ...{ stopAtNewline: false, deadlineMs: Number.POSITIVE_INFINITY, receivedMs: 0, cacheSalt: "acme" },
  ...{ blockDigests: new Uint8Array(), draftDepthHint: 0, traceparent: "" },
  sampling: { maxTokens: 12, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "auto" },
  ...over,
});

test("tokens come as text of whole characters, and nothing is said of the cache", async () => {
  const { engine } = await start();
  const { text, end } = await ran(engine, work());
  expect([text.includes("漢字"), text.includes("\uFFFD"), end.kind, end.usage.completionTokens]).toEqual([true, false, "done", 12]);
  expect(end.usage.cachedTokens).toBe(0);
  // It was cut there, which Triton does not say.
  expect(end).toMatchObject({ kind: "done", finish: "length" });
});

test("a key that is asked for is sent with all that is asked, by the worker and by its probe", async () => {
  const { stand, engine } = await start({ key: "k1" }, { key: "k1" });
  expect((await ran(engine, work())).end.kind).toBe("done");
  await expect(start({ startMs: 100 }, { key: "k1" })).rejects.toThrow(/status 401/);
  const deps = { clock: systemClock, random: seeded(1), signal: new AbortController().signal };
  await expect(tritonReport(stand.url, "", deps)).rejects.toThrow(/status 401/);
  expect(await tritonReport(stand.url, "k1", deps)).toMatchObject({ kind: "tensorrt_triton" });
});

test("a session's blocks are kept longer than what passes by", async () => {
  const { stand, engine } = await start();
  await ran(engine, work());
  await ran(engine, work({ lane: "batch", affinity: "" }));
  const [held, passing] = stand.requests;
  expect(held).toMatchObject({ retention_token_range_priorities: [70], retention_token_range_durations_ms: [60_000] });
  expect(held?.retention_token_range_ends).toEqual([held?.input_ids.length]);
  expect(passing).toMatchObject({ retention_token_range_priorities: [20] });
});

test.each(["error_event", "refused", "silent"] as const)(
  "a server that answers with an error (%s) fails the generation alone",
  async (fault) => {
    const { stand, engine } = await start();
    stand.fault = fault;
    const { end } = await ran(engine, work());
    expect(end.kind === "failed" && end.error.code).toBe(fault === "refused" ? "invalid_request" : "engine_failed");
    expect((await ran(engine, work())).end.kind).toBe("done");
  },
);

test("a second tenant is refused, and a pool that may have several is not begun", async () => {
  const { engine } = await start();
  await ran(engine, work());
  const { end } = await ran(engine, work({ cacheSalt: "other" }));
  expect(end).toMatchObject({ kind: "failed", error: { code: "unsupported", field: "submit.cache_salt" } });
  expect((await ran(engine, work({ lane: "batch" }))).end.kind).toBe("done");
  await expect(start({ oneTenant: false })).rejects.toThrow(/SLIPSTREAM_WORKER_ONE_TENANT=true/);
});

test.each<[url: string, is: boolean]>([
  ["http://127.0.0.1:8000/v2/models/tensorrt_llm", true],
  ["http://127.0.0.1:8000/v2/models/ensemble/", true],
  ["http://127.0.0.1:8000", false],
  ["grpc://127.0.0.1:8000", false],
  ["no url", false],
])("%s is a Triton's: %s", (url, is) => {
  expect(isTriton(url)).toBe(is);
});
