// What is odd about TensorRT-LLM's page for cached blocks that may go, and what is lost where it is not handled: each pair of tests runs the
// adapter as it is, and a mutant of it without the one handling, against the same stand-in (sim/tensorrt).
import type { Buffer } from "node:buffer";
import { afterEach, describe, expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { systemClock } from "../../lib/clock.ts";
import { seeded } from "../../lib/random.ts";
import { type ServeOptions, StandInServe } from "../../sim/tensorrt/serve.ts";
import { standInFolder } from "../../sim/tensorrt/stand-in.ts";
import { blockKeys } from "../../workers/engine/block-chain.ts";
import { CompletionStream } from "../../workers/engine/completion-stream.ts";
import { ran, type Subject, wish } from "../../workers/engine/contract/trying.ts";
import { ServedEngine, type Speaking } from "../../workers/engine/served.ts";
import { completionOf } from "../../workers/engine/tensorrt/chat-shape.ts";
import { SpentPrefixes } from "../../workers/engine/tensorrt/hints/spent.ts";
import { speakTensorRt } from "../../workers/engine/tensorrt/tensorrt.ts";
import { until } from "../support/until.ts";

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

type Mutation = (speaking: Speaking<Buffer>) => Speaking<Buffer>;

/** An engine that is told what may go. */
async function told(serve: ServeOptions, mutate: Mutation = (as) => as) {
  const stand = await StandInServe.start(serve);
  open.push({ close: () => stand.kill() });
  const deps = { clock: systemClock, random: seeded(1) };
  const speaking = await speakTensorRt(
    {
      ...{ url: stand.url, model: "", slots: 4, tokenizer: standInFolder, startMs: 20_000, confidence: false },
      ...{ contextTokens: 2_048, truncate: true, oneTenant: true },
    },
    deps,
  );
  const engine = new ServedEngine(mutate(speaking), { slots: 4, requests: "r" }, deps);
  open.push(engine);
  const subject: Subject = { engine, kind: "tensorrt", clock: systemClock, seats: serve.seats ?? 64, counted: () => stand.running };
  return { stand, engine, subject };
}

const code = (name: string) => `// ${name}\n${"const a = b + c;\n".repeat(14)}`;

describe("it is told in tokens what may go, of nobody's prompts, and keeps a block more than it is told", () => {
  const blockTokens = 32;
  /** Three whole blocks before what is typed, and what stands behind it. */
  const page = (subject: Subject, typed: string, line = "const a = b + c;") =>
    wish(subject, "", {
      ...{ affinity: line, cacheSalt: "acme" },
      segments: [
        { special: "<|fim_prefix|>" },
        { text: `${`${line}\n`.repeat(16)}${typed}` },
        { special: "<|fim_suffix|>" },
        { text: "return add(a, b);\n".repeat(24) },
      ],
    });
  /** Of a prompt that somebody typed on from: how much is left of it, and how much they have in common. */
  const left = async (serve: ServeOptions = {}, mutate?: Mutation, less?: number) => {
    const it = await told(serve, mutate);
    if (less !== undefined) {
      const { truncate } = it.stand.engine;
      it.stand.engine.truncate = (tokens, keep) => truncate.call(it.stand.engine, tokens, keep + (keep % 2) - less);
    }
    const before = it.stand.truncations.length;
    const older = await ran(it.engine, page(it.subject, "const s"));
    const newer = await ran(it.engine, page(it.subject, "const sum"));
    await until("it is told", () => it.stand.truncations.length > before);
    await ran(it.engine, wish(it.subject, code("its next step"), { cacheSalt: "acme" }));
    const common = newer.end.usage.cachedTokens;
    const of = async (typed: string) => (await ran(it.engine, page(it.subject, typed))).end.usage.cachedTokens;
    const whole = Math.floor(older.end.usage.promptTokens / blockTokens) * blockTokens;
    return { newer: await of("const sum"), older: await of("const s"), common, whole };
  };
  test.each<[name: string, serve: ServeOptions]>([
    ["a block more", {}],
    ["what it is told", { truncates: "as_told" }],
  ])("handled, where it keeps %s: what both begin with stays, what the newer one has too, and the rest goes", async (_, serve) => {
    const { older, newer, common, whole } = await left(serve);
    expect([older, newer]).toEqual([common, whole]);
    expect(common).toBeGreaterThan(0);
    expect(common).toBeLessThan(whole - blockTokens);
  });
  test("its number taken at its word: a block that nobody asks for stays", async () => {
    const { older, common } = await left({}, undefined, 0);
    expect(older).toBe(common + blockTokens);
  });
  test("told a token less where it keeps what it is told: what the newer one needs is gone", async () => {
    const { newer, common } = await left({ truncates: "as_told" }, undefined, 1);
    expect(newer).toBeLessThan(common);
  });
  test("prompts asked with a salt: nothing of them is found", async () => {
    const salted: Mutation = (speaking) => ({
      ...speaking,
      request: (work, prompt) => {
        const { prompt: ids, max_tokens: most, ...body } = speaking.request(work, prompt).body as Record<string, unknown>;
        const chat = { messages: [], prompt_token_ids: ids, max_completion_tokens: most, cache_salt: "acme" };
        return { ...speaking.request(work, prompt), path: "/v1/chat/completions", body: { ...body, ...chat } };
      },
      answering: () => new CompletionStream(completionOf),
    });
    const { older, whole } = await left({}, salted);
    expect(older).toBe(whole);
  });

  /** Of a prompt that was typed on from one that was stopped while it waited in the engine: how much is there, and should be. */
  const afterStopped = async (mutate?: Mutation) => {
    const { engine, stand, subject } = await told({ seats: 1, pollMs: 20 }, mutate);
    const [seated, waiting] = [new AbortController(), new AbortController()];
    const going = wish(subject, code("takes the seat"), { cacheSalt: "acme", sampling: { maxTokens: 900 } });
    const seat = ran(engine, going, { signal: seated.signal });
    await until("the seat is taken", () => stand.running === 1);
    const stopped = ran(engine, page(subject, "const s"), { signal: waiting.signal });
    await until("another waits for it", () => stand.running === 2);
    waiting.abort();
    await until("the engine has heard that it left", () => stand.running === 1);
    seated.abort();
    await Promise.all([seat, stopped]);
    const newer = await ran(engine, page(subject, "const sum"));
    const before = stand.truncations.length;
    // What is told comes in its order: when these are, it would be.
    for (const typed of ["let s", "let sum"]) await ran(engine, page(subject, typed, "let d = e * f;"));
    await until("it is told", () => stand.truncations.some(({ tokens }, index) => index >= before && tokens.length > 0));
    await ran(engine, wish(subject, code("its next step"), { cacheSalt: "acme" }));
    const whole = Math.floor(newer.end.usage.promptTokens / blockTokens) * blockTokens;
    return { found: (await ran(engine, page(subject, "const sum"))).end.usage.cachedTokens, whole };
  };
  test("handled: what was stopped before its first token is not told of, and the newer one is there", async () => {
    const { found, whole } = await afterStopped();
    expect(found).toBe(whole);
  });
  test("told of what was stopped before it was computed: the newer one's own blocks go", async () => {
    const always: Mutation = (speaking) => ({
      ...speaking,
      prompted: (prompt) => {
        const ended = speaking.prompted?.(prompt);
        return () => ended?.(true);
      },
    });
    const { found, whole } = await afterStopped(always);
    expect(found).toBeLessThan(whole);
  });
});

describe("what follows on a block that goes, goes with it, whoever asked for it", () => {
  const leftOfOther = async (remembered: boolean) => {
    const stand = await StandInServe.start({ truncates: "as_told" });
    open.push({ close: () => stand.kill() });
    const { blocks } = stand.engine;
    const spent = new SpentPrefixes(
      { blockTokens: 32 },
      { clock: new FakeClock(), cut: ({ tokens, keep }) => blocks.truncate(tokens, keep) },
    );
    const prompt = (typed: number, end: number) =>
      Array.from({ length: 160 }, (_, place) => (place === 40 ? typed : place >= 100 ? end + place : place));
    const sent = (tokens: readonly number[], document: string, told = true) => {
      blocks.use(tokens, "", "");
      if (told) spent.asked({ tokens, keys: blockKeys(tokens, 32, 0), document, typed: true })(true);
    };
    sent(prompt(900, 0), "d");
    sent(prompt(900, 5_000), "another", remembered);
    sent(prompt(901, 0), "d");
    return { other: blocks.use(prompt(900, 5_000), "", ""), older: blocks.use(prompt(900, 0), "", "") };
  };
  test("handled: what another document's prompt begins with stays, with all that it has beyond it", async () => {
    expect(await leftOfOther(true)).toEqual({ other: 128, older: 96 });
  });
  test("prompts of other documents not looked at: what they have goes too", async () => {
    expect((await leftOfOther(false)).other).toBe(32);
  });
});

describe("what it is told of and has not any more, it looks for in what begins alike", () => {
  const lost = async (freshMs: number) => {
    const stand = await StandInServe.start({ truncates: "as_told" });
    open.push({ close: () => stand.kill() });
    const { blocks } = stand.engine;
    const clock = new FakeClock();
    const spent = new SpentPrefixes(
      { blockTokens: 32, freshMs },
      { clock, cut: ({ tokens, keep }) => blocks.truncate(tokens, keep) },
    );
    const prompt = (typed: number) => Array.from({ length: 160 }, (_, place) => (place === 40 ? typed : place + 1));
    const sent = (tokens: readonly number[]) => {
      blocks.use(tokens, "", "");
      return spent.asked({ tokens, keys: blockKeys(tokens, 32, 0), document: "d", typed: true });
    };
    sent(prompt(900))(true);
    // Others come meanwhile, and it gives up what was used least.
    await clock.advance(60_000);
    blocks.truncate(prompt(900), 32);
    sent(prompt(901))(true);
    return blocks.use(prompt(901), "", "");
  };
  test("handled: what was asked long ago is not told of, and the newer one is there", async () => {
    expect(await lost(30_000)).toBe(128);
  });
  test("told of what was asked however long ago: the newer one's own blocks go", async () => {
    expect(await lost(Number.POSITIVE_INFINITY)).toBe(32);
  });
});
