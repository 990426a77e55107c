// A real vLLM on this machine's processor, with a tiny model in float32, behind the whole platform. Its messages are those that the
// pretend one of the fast tests was made after (test/golden/vllm); SLIPSTREAM_RECORD=1 records them anew.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startFleet } from "../../bench/vllm/fleet.ts";
import { modelName, RealVllm } from "../../bench/vllm/real-vllm.ts";
import { systemClock } from "../../lib/clock.ts";
import { packageRoot } from "../../lib/package-root.ts";
import { seeded } from "../../lib/random.ts";
import { Outcome, TriggerKind } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { findTool } from "../../tools/toolbox.ts";
import { OpenAiEngine } from "../../workers/engine/openai/openai.ts";
import { readCounters } from "../../workers/engine/vllm/counters.ts";
import { readKvBatch } from "../../workers/engine/vllm/events/kv-batch.ts";
import { VllmEngine, type VllmOptions } from "../../workers/engine/vllm/vllm.ts";
import type { Generation } from "../../workers/generation.ts";
import type { VerifyReport } from "../../workers/wire-verify.ts";
import { slipstream } from "../support/command.ts";
import { engineContract } from "../support/engine-contract.ts";
import { until } from "../support/until.ts";
import { exchange, kvBatches } from "../support/vllm/exchange.ts";
import { differences, shapeOf } from "../support/vllm/shapes.ts";

const tool = findTool("vllm");
const golden = join(packageRoot(), "test/golden/vllm/0.32.0.json");
const source = readFileSync(join(packageRoot(), "lib/errors.ts"), "utf8");
/** Both kinds of kernel compute the same sums in another order. */
const nearTie = 1e-3;

const work = (index: number, over: Partial<Generation> = {}): Generation => ({
  ...{ id: BigInt(index + 1), link: "r", affinity: "", lane: "inline", model: modelName },
  segments: [
    { special: "<|fim_suffix|>" },
    { text: "\n}\n" },
    { special: "<|fim_prefix|>" },
    { text: source.slice(index * 60, index * 60 + 900) },
  ],
  sampling: { maxTokens: 24, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "auto" },
  ...{ stopAtNewline: false, deadlineMs: Number.POSITIVE_INFINITY, receivedMs: 0, cacheSalt: "acme" },
  ...{ blockDigests: new Uint8Array(), draftDepthHint: 0, traceparent: "" },
  ...over,
});

async function ran(engine: VllmEngine, generation: Generation, signal = new AbortController().signal) {
  let text = "";
  const running = engine.generate(generation, signal);
  let next = await running.next();
  for (; !next.done; next = await running.next()) text += next.value.text;
  return { text, end: next.value };
}

describe.skipIf(!tool.path)("a real vLLM", () => {
  const models = join(dirname(tool.path ?? ""), "models-3");
  let drafting: RealVllm;
  let plain: RealVllm;
  const open: { close(): Promise<unknown> }[] = [];

  async function attach(real: RealVllm, more: Partial<VllmOptions> = {}): Promise<VllmEngine> {
    const options = { url: real.url, model: "", slots: 8, tokenizer: "", startMs: 60_000, confidence: false, ...more };
    const engine = await VllmEngine.start(options, { clock: systemClock, random: seeded(1) });
    open.push(engine);
    return engine;
  }

  beforeAll(async () => {
    const python = tool.path as string;
    drafting = await RealVllm.start({
      python,
      models,
      speculation: { method: "draft_model", model: "", tokens: 3 },
      args: ["--enable-lora"],
      env: process.env,
    });
    plain = await RealVllm.start({ python, models, env: process.env });
  }, 600_000);

  afterAll(async () => {
    for (const each of open.splice(0)) await each.close();
    await Promise.all([drafting?.process.stop(), plain?.process.stop()]);
  }, 60_000);

  test("speaks as it was recorded", async () => {
    const said = { ...(await exchange(drafting.url, modelName)), kvBatches: await kvBatches(drafting.url, 3) };
    if (process.env["SLIPSTREAM_RECORD"]) {
      mkdirSync(dirname(golden), { recursive: true });
      const text = JSON.stringify(said, undefined, 1).replaceAll(models, "/models");
      writeFileSync(golden, `${text.replace(/"created": \d+/g, '"created": 1').replace(/tcp:\/\/(\S+):\d+/g, "tcp://$1:5557")}\n`);
    }
    const recorded = JSON.parse(readFileSync(golden, "utf8")) as typeof said;
    for (const [name, { status, body }] of Object.entries(recorded.answers)) {
      expect([name, said.answers[name]?.status]).toEqual([name, status]);
      expect([name, differences(shapeOf(body), shapeOf(said.answers[name]?.body))]).toEqual([name, []]);
    }
    for (const [index, batch] of recorded.kvBatches.entries())
      expect(readKvBatch(Buffer.from(said.kvBatches[index] as string, "hex"))).toMatchObject(
        readKvBatch(Buffer.from(batch, "hex")).map(({ kind }) => ({ kind })),
      );
    expect(recorded.metrics.filter((name) => !said.metrics.includes(name))).toEqual([]);
  });

  test("says the same with and without drafts, but for near ties, and counts what the engine counts", async () => {
    const [with_, without] = [await attach(drafting), await attach(plain)];
    expect(with_.capabilities).toContain("speculation");
    expect(without.capabilities).not.toContain("speculation");
    // What the start itself asked for is read by then.
    await systemClock.sleep(1_500);
    const [before, known] = [readCounters(await drafting.metrics()).speculation, with_.acceptance()];
    const ties: string[] = [];
    for (let index = 0; index < 40; index++) {
      const [one, other] = await Promise.all([ran(with_, work(index)), ran(without, work(index))]);
      expect(one.end).toMatchObject({ kind: "done" });
      if (one.text !== other.text) ties.push(`${index}: ${await gap(plain.url, index, one.text, other.text)}`);
    }
    for (const tie of ties) expect([tie, Number(tie.split(" ")[1]) < nearTie]).toEqual([tie, true]);
    expect(ties.length).toBeLessThan(4);
    const after = readCounters(await drafting.metrics()).speculation;
    const counted = {
      drafted: (after?.drafted ?? 0) - (before?.drafted ?? 0),
      accepted: (after?.accepted ?? 0) - (before?.accepted ?? 0),
    };
    const grown = () => ({
      drafted: with_.acceptance().drafted - known.drafted,
      accepted: with_.acceptance().accepted - known.accepted,
    });
    await until("the agent has read them", () => grown().drafted >= counted.drafted, 20_000);
    expect(grown()).toEqual(counted);
    process.stdout.write(`drafts: ${JSON.stringify(counted)}; near ties: ${JSON.stringify(ties)}\n`);
    expect(counted.accepted).toBeGreaterThan(0);
  });

  test("reuses a prefix within a tenant, never across", async () => {
    const engine = await attach(plain);
    const cached = async (salt: string) => (await ran(engine, work(3, { cacheSalt: salt }))).end.usage.cachedTokens;
    expect(await cached("one")).toBe(0);
    expect(await cached("one")).toBeGreaterThan(200);
    expect(await cached("two")).toBe(0);
    expect(await cached("")).toBe(0);
    expect(await cached("one")).toBeGreaterThan(200);
  });

  test("says the same where it is asked for tokens, spelled here", async () => {
    const [texts, tokens] = [await attach(plain), await attach(plain, { tokensOut: true })];
    for (let index = 0; index < 12; index++) {
      const [one, other] = [await ran(texts, work(index)), await ran(tokens, work(index))];
      expect([other.text, other.end.kind]).toEqual([one.text, "done"]);
      expect(other.end.usage).toMatchObject({
        promptTokens: one.end.usage.promptTokens,
        completionTokens: one.end.usage.completionTokens,
      });
    }
  });

  test("is told by a person's command that it keeps the contract", async () => {
    const args = ["worker", "--probe", drafting.url, "--verify", "--seats", "8", "--sleep", "--json"];
    const { out, code, err } = await slipstream(args, { timeoutMs: 300_000 });
    expect(code, out + err).toBe(0);
    const { items, own_count: own, timings } = JSON.parse(out) as VerifyReport;
    process.stdout.write(`verified: ${items.map(({ became }) => became).join(" ")}; ${JSON.stringify(timings)}\n`);
    expect(own).toBe("used");
    for (const ability of ["cached_told", "better_lane_first", "speculation", "kv_events", "sleep"])
      expect([ability, items.find((each) => each.ability === ability)?.became]).toEqual([ability, "held"]);
  }, 300_000);

  test("drafts for few at once and not for many, where it was started to", async () => {
    const speculation = { method: "ngram", tokens: 3, lookupMin: 1, aboveBatch: 2 } as const;
    const bounded = await RealVllm.start({ python: tool.path as string, models, speculation, env: process.env });
    try {
      const engine = await attach(bounded, { ignoreEnd: true });
      const drafted = async (atOnce: number) => {
        const before = readCounters(await bounded.metrics()).speculation?.drafted ?? 0;
        const sampling = { ...work(0).sampling, maxTokens: 96 };
        const all = Array.from({ length: atOnce }, (_, index) => ran(engine, work(index, { sampling })));
        const tokens = (await Promise.all(all)).reduce((sum, { end }) => sum + end.usage.completionTokens, 0);
        await systemClock.sleep(1_000);
        return ((readCounters(await bounded.metrics()).speculation?.drafted ?? 0) - before) / tokens;
      };
      const [alone, together] = [await drafted(1), await drafted(8)];
      process.stdout.write(`drafted a token: ${alone.toFixed(2)} alone, ${together.toFixed(2)} of eight at once\n`);
      expect(alone).toBeGreaterThan(0.2);
      // The last ones of eight are few again.
      expect(together).toBeLessThan(alone / 2);
    } finally {
      await bounded.process.stop();
    }
  }, 400_000);

  test("stops when it is told to", async () => {
    const engine = await attach(plain, { ignoreEnd: true });
    const stop = new AbortController();
    const running = Promise.all(
      Array.from({ length: 4 }, (_, index) =>
        ran(engine, work(index, { sampling: { ...work(0).sampling, maxTokens: 1_500 } }), stop.signal),
      ),
    );
    const counted = async () => readCounters(await plain.metrics()).running;
    await until("four are running", async () => (await counted()) === 4, 20_000);
    stop.abort("cancel");
    expect((await running).map(({ end }) => end.kind)).toEqual(Array(4).fill("aborted"));
    await until("none is running", async () => (await counted()) === 0, 20_000);
  });

  test("completes for a person's command, through router and agent", async () => {
    const fleet = await startFleet([drafting.url]);
    try {
      const folder = mkdtempSync(join(tmpdir(), "slipstream-vllm-"));
      writeFileSync(join(folder, "add.ts"), "export function add(a: number, b: number) {\n  return \n}\n");
      const address = `127.0.0.1:${fleet.router.ports.grpc}`;
      const { out, code, err } = await slipstream(["complete", `${join(folder, "add.ts")}:2:10`, "--address", address, "--json"]);
      expect([code, err.includes("error")]).toEqual([0, false]);
      expect(JSON.parse(out)).toMatchObject({ outcome: "generated" });
    } finally {
      await fleet.end();
    }
  });

  const running = async (real: RealVllm) => readCounters(await real.metrics()).running ?? 0;

  engineContract({
    name: "the contract, by what every server with OpenAI's completions has",
    kind: "openai",
    has: ["cached_told", "prefix_ahead"],
    mayKill: false,
    async start() {
      const options = { url: plain.url, model: "", slots: 4, tokenizer: "", startMs: 60_000 };
      const engine = await OpenAiEngine.start(options, { clock: systemClock });
      return { engine, close: () => engine.close(), counted: () => running(plain) };
    },
  });

  test("one of two is killed under load: nothing fails that had time left", async () => {
    const fleet = await startFleet([drafting.url, plain.url], { worker: { SLIPSTREAM_WORKER_SLOTS: "8" } });
    try {
      const asked = Array.from({ length: 40 }, (_, index) =>
        fleet.ask({
          ...{ kind: TriggerKind.INVOKED, language: "typescript", path: `${index}.ts`, deadlineMs: 30_000 },
          prefix: `// ${index}\n${source.slice(0, 1_000 + index)}`,
        }),
      );
      await systemClock.sleep(300);
      await plain.process.kill();
      const ends = await Promise.all(asked);
      // A cursor in the middle of a line may have nothing to say; that is no failure.
      const bad: readonly Outcome[] = [Outcome.FAILED, Outcome.EXPIRED, Outcome.REFUSED];
      const failed = ends.filter(({ completion, nothing }) => bad.includes((completion ?? nothing)?.outcome ?? Outcome.FAILED));
      expect(failed).toEqual([]);
    } finally {
      await fleet.end();
    }
  });

  engineContract({
    name: "the contract, to its end",
    kind: "vllm",
    has: ["cached_told", "better_lane_first", "speculation", "kv_events", "confidence", "adapters", "sleep"],
    async start() {
      const seats = 8;
      const options = { url: drafting.url, model: "", tokenizer: "", startMs: 60_000, confidence: true, ignoreEnd: true };
      const engine = await VllmEngine.start(
        { ...options, slots: seats + 2, adapters: { style: join(models, "adapter") } },
        { clock: systemClock, random: seeded(1) },
      );
      return { engine, seats, close: () => engine.close(), counted: () => running(drafting), kill: () => drafting.process.kill() };
    },
  });
});

/** By how much the better of the two tokens was better where two completions part, in the logarithm of its probability. */
async function gap(url: string, index: number, one: string, other: string): Promise<number> {
  const prompt = work(index).segments.map((part) => ("text" in part ? part.text : part.special));
  const body = { model: modelName, prompt: prompt.join(""), max_tokens: 24, temperature: 0, logprobs: 2 };
  const answer = await fetch(`${url}/v1/completions`, {
    ...{ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
  });
  const said = (await answer.json()) as {
    choices: { logprobs: { tokens: string[]; top_logprobs: Record<string, number>[] } }[];
  };
  const { tokens = [], top_logprobs: tops = [] } = said.choices[0]?.logprobs ?? {};
  const common = [...one].findIndex((character, at) => character !== other[at]);
  let read = 0;
  const place = tokens.findIndex((token) => {
    read += token.length;
    return read > common;
  });
  const [best = 0, second = Number.NEGATIVE_INFINITY] = Object.values(tops[place] ?? {}).sort((a, b) => b - a);
  return best - second;
}
