// The embedded engine with the built-in model: real llama.cpp, real child processes.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { packageRoot } from "../../lib/package-root.ts";
import { EmbeddedEngine } from "../../workers/engine/embedded/embedded.ts";
import type { Engine } from "../../workers/engine/engine.ts";
import { SupervisedEngine } from "../../workers/engine/supervised.ts";
import type { Finished, Generation, Piece, Sampling } from "../../workers/generation.ts";

const modelPath = join(packageRoot(), "models", "slipstream-fim-13m-q8_0.gguf");
const never = new AbortController().signal;

const before = `export class Counter {
  private readonly counts = new Map<string, number>();

  add(key: string, amount = 1): number {
    const next = (this.counts.get(key) ?? 0) + amount;
    this.counts.set(key, next);
    return `;
const after = `;
  }

  clear(): void {
    this.counts.clear();
  }
}
`;
const longCode = `${before}next${after}`.repeat(4);

function generation(
  change: Partial<Sampling> & { prefix?: string; suffix?: string; salt?: string; affinity?: string } = {},
): Generation {
  const { prefix = before, suffix = after, salt = "", affinity = "", ...sampling } = change;
  return {
    id: 1n,
    link: "test",
    affinity,
    lane: "inline",
    model: "",
    segments: [{ special: "<|fim_suffix|>" }, { text: suffix }, { special: "<|fim_prefix|>" }, { text: prefix }],
    sampling: { maxTokens: 16, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "off", ...sampling },
    stopAtNewline: false,
    deadlineMs: Number.POSITIVE_INFINITY,
    receivedMs: 0,
    cacheSalt: salt,
    blockDigests: new Uint8Array(),
    draftDepthHint: 0,
    traceparent: "",
  };
}

async function complete(
  engine: Engine,
  work: Generation,
  options: { signal?: AbortSignal; onPiece?: (piece: Piece, index: number) => void } = {},
): Promise<{ text: string; pieces: Piece[]; end: Finished }> {
  const stream = engine.generate(work, options.signal ?? never);
  const pieces: Piece[] = [];
  for (;;) {
    const step = await stream.next();
    if (step.done) return { text: pieces.map((piece) => piece.text).join(""), pieces, end: step.value };
    pieces.push(step.value);
    options.onPiece?.(step.value, pieces.length - 1);
  }
}

function alive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function gone(pid: number | undefined): Promise<boolean> {
  for (let tries = 0; tries < 100 && alive(pid); tries++) await sleep(20);
  return !alive(pid);
}

async function noChildLeft(): Promise<boolean> {
  const left = () => process.getActiveResourcesInfo().includes("ProcessWrap");
  for (let tries = 0; tries < 100 && left(); tries++) await sleep(10);
  return !left();
}

describe("one engine", () => {
  let engine: EmbeddedEngine;
  beforeAll(async () => {
    engine = await EmbeddedEngine.start({ modelPath }, { clock: systemClock });
  });
  afterAll(async () => {
    const { pid } = engine;
    await engine.close();
    expect(alive(pid)).toBe(false);
  });

  test("tells the model as the file describes it", () => {
    expect(engine.models).toEqual([
      {
        name: "slipstream-fim-13m",
        fimFamily: "slipstream-builtin",
        specials: ["<|endoftext|>"],
        fim: expect.objectContaining({ prefix: "<|fim_prefix|>", suffix: "<|fim_suffix|>", fileSeparator: "<|file_sep|>" }),
        contextTokens: 2_048,
        bytesPerToken: expect.any(Number),
        chatTemplate: false,
      },
    ]);
    expect(engine.models[0]?.bytesPerToken).toBeGreaterThan(2);
    expect(engine.models[0]?.bytesPerToken).toBeLessThan(6);
    expect(engine.load()).toMatchObject({ running: 0, kvBlocks: (4 * 2_048) / 16, prefillBacklogTokens: 0 });
    expect(engine.load().prefillTokensPerSecond).toBeGreaterThan(0);
  });

  test("completes code with whole text, exact usage and the probability of the first tokens", async () => {
    const { text, pieces, end } = await complete(engine, generation({ salt: "usage" }));
    expect(text.trim()).not.toBe("");
    expect(end).toMatchObject({ kind: "done", finish: "length" });
    expect(end.usage).toMatchObject({ cachedTokens: 0, completionTokens: 16, drafted: 0 });
    expect(end.usage.recomputedTokens).toBe(end.usage.promptTokens);
    expect(pieces.reduce((sum, piece) => sum + piece.tokens, 0)).toBe(16);
    expect(pieces[0]?.confidence).toBeGreaterThan(0);
    expect(pieces[0]?.confidence).toBeLessThanOrEqual(1);
  });

  test("the next key recomputes the key, not the prompt, and is as sure as a cold prompt", async () => {
    const salt = "typing";
    const suffix = `${after}${longCode.slice(0, 300)}`;
    await complete(engine, generation({ salt, suffix }));
    const warm = await complete(engine, generation({ salt, suffix, prefix: `${before}ne` }));
    const cold = await complete(engine, generation({ salt: "cold", suffix, prefix: `${before}ne` }));
    expect(warm.end.usage.cachedTokens).toBeGreaterThan(100);
    expect(warm.end.usage.recomputedTokens).toBeLessThanOrEqual(4);
    expect(warm.end.usage.cachedTokens + warm.end.usage.recomputedTokens).toBe(warm.end.usage.promptTokens);
    expect(cold.end.usage.cachedTokens).toBe(0);
    // Not the text: rounding differs with the chunks in which the KV was computed, and may tip a tie.
    expect(warm.pieces[0]?.confidence).toBeCloseTo(cold.pieces[0]?.confidence ?? 0, 1);
  });

  test("a cursor inside a word gets the rest of the word, and the next letter recomputes next to nothing", async () => {
    const salt = "healing";
    const word = await complete(engine, generation({ salt, prefix: before.replace(/rn $/, "") }));
    expect(word.text).toMatch(/^rn\b/);
    const next = await complete(engine, generation({ salt, prefix: before.replace(/n $/, "") }));
    expect(next.text).toMatch(/^n\b/);
    expect(next.end.usage.recomputedTokens).toBeLessThanOrEqual(4);
  });

  test("what one salt computed another never reuses", async () => {
    const first = await complete(engine, generation({ salt: "tenant-a" }));
    const other = await complete(engine, generation({ salt: "tenant-b" }));
    expect(other.end.usage.cachedTokens).toBe(0);
    expect(other.text).toBe(first.text);
  });

  test("greedy is the same every time, a seed is the same every time, another seed is not", async () => {
    const greedy = await Promise.all(["one", "two"].map((salt) => complete(engine, generation({ salt }))));
    expect(greedy[0]?.text).toBe(greedy[1]?.text);
    const sampled = (seed: number) =>
      complete(engine, generation({ temperature: 1, seed, maxTokens: 24 })).then(({ text }) => text);
    const [one, again, two] = [await sampled(1), await sampled(1), await sampled(2)];
    expect(again).toBe(one);
    expect(two).not.toBe(one);
  });

  test("generations side by side give what each gives alone", async () => {
    const prompts = ["const total = items.reduce((sum, item) => sum + ", "if (value < min) return ", "for (const key of ", before];
    const alone: string[] = [];
    // A salt each: reused KV was computed in other chunks, and its rounding may tip a tie.
    for (const prefix of prompts) alone.push((await complete(engine, generation({ prefix, salt: `alone ${prefix}` }))).text);
    const together = await Promise.all(
      prompts.map((prefix) => complete(engine, generation({ prefix, salt: `together ${prefix}` }))),
    );
    expect(together.map(({ text }) => text)).toEqual(alone);
  });

  test("an abort in the middle of the prompt stops before its end and books what was evaluated", async () => {
    const abort = new AbortController();
    const stream = engine.generate(generation({ prefix: longCode.slice(0, 1_200), suffix: "", salt: "mid-prefill" }), abort.signal);
    const first = stream.next();
    // The abort follows the prompt on the same channel: at most the chunk in hand is evaluated.
    abort.abort();
    const step = await first;
    expect(step).toMatchObject({ done: true, value: { kind: "aborted" } });
    const usage = (step.value as Finished).usage;
    expect(usage.promptTokens).toBeGreaterThan(250);
    expect(usage.recomputedTokens).toBeLessThan(usage.promptTokens);
    expect(usage.completionTokens).toBe(0);
  });

  test("an abort in the middle of the text stops within two steps", async () => {
    const abort = new AbortController();
    let stop = 0;
    const { pieces, end } = await complete(engine, generation({ maxTokens: 300, salt: "mid-decode" }), {
      signal: abort.signal,
      onPiece: (_piece, index) => {
        if (index === 4) stop = index;
        if (index === 4) abort.abort();
      },
    });
    expect(end.kind).toBe("aborted");
    expect(stop).toBe(4);
    expect(pieces.length).toBeLessThan(100);
    expect(end.usage.completionTokens).toBeLessThan(100);
  });

  test("a signal that has aborted starts nothing", async () => {
    const { end } = await complete(engine, generation(), { signal: AbortSignal.abort() });
    expect(end).toMatchObject({ kind: "aborted", usage: { promptTokens: 0 } });
  });

  test("a reader that leaves early stops the generation", async () => {
    for await (const _piece of engine.generate(generation({ maxTokens: 300 }), never)) break;
    for (let tries = 0; tries < 100 && engine.load().running > 0; tries++) await sleep(10);
    expect(engine.load().running).toBe(0);
  });

  test("a reader that was busy finds all of it, whatever the first tokens spelled again", async () => {
    const one = (cut: number) => generation({ prefix: before.slice(0, cut), maxTokens: 1 });
    let [cut, most] = [0, 0];
    for (let at = 1; at < before.length; at++) {
      const { pieces } = await complete(engine, one(at));
      if (pieces.length > most) [cut, most] = [at, pieces.length];
    }
    // One that was asked for, and those that only spelled again what stands before the cursor.
    expect(most).toBeGreaterThanOrEqual(3);
    const busy = complete(engine, one(cut));
    await sleep(0);
    // Nothing else in this process moves meanwhile: all that the child says lies there at once.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    expect((await busy).pieces).toHaveLength(most);
  });

  test("a full context ends the text as length", async () => {
    const { end } = await complete(
      engine,
      generation({ prefix: longCode.repeat(12).slice(0, 5_200), suffix: "", maxTokens: 2_000, temperature: 1, seed: 5 }),
    );
    expect(end.kind).toBe("done");
    expect(end.usage.promptTokens + end.usage.completionTokens).toBeLessThanOrEqual(2_048);
  });

  test.each([
    ["a prompt over the context", { prefix: longCode.repeat(40) }, /segments: the prompt has \d+ tokens, the context holds 2048/],
    ["an empty prompt", {}, /segments: the prompt is empty/],
    ["an unknown special token", {}, /segments\[0\]\.special: "<\|im_start\|>"/],
  ])("%s is refused by name and the engine lives", async (title, change, says) => {
    const work = generation(change);
    const segments = title.includes("empty") ? [] : title.includes("unknown") ? [{ special: "<|im_start|>" }] : work.segments;
    const { end } = await complete(engine, { ...work, segments });
    expect(end).toMatchObject({ kind: "failed", error: { code: "invalid_request", message: expect.stringMatching(says) } });
    expect((await complete(engine, generation({ maxTokens: 1 }))).end.kind).toBe("done");
  });

  test("text that spells a special token is only text", async () => {
    const spelled = await complete(engine, generation({ prefix: "<|fim_suffix|>", suffix: "", maxTokens: 1 }));
    expect(spelled.end.usage.promptTokens).toBeGreaterThan(4);
  });

  test("a warmed prefix is there for the generation, and the whole alphabet comes out whole", async () => {
    const suffix = longCode.slice(0, 600);
    await engine.warm("", [{ special: "<|fim_suffix|>" }, { text: suffix }], never, "tenant");
    const { end, text } = await complete(
      engine,
      generation({ salt: "tenant", suffix, prefix: 'const names = ["Zoë", "世界", "', maxTokens: 24 }),
    );
    expect(end.usage.cachedTokens).toBeGreaterThan(100);
    expect(text).not.toContain("\uFFFD");
  });

  test("Ctrl-C for the whole group leaves the engine to the agent", async () => {
    process.kill(engine.pid as number, "SIGINT");
    expect((await complete(engine, generation({ maxTokens: 2 }))).end.kind).toBe("done");
  });
});

test("a child that is killed fails what ran, resolves died, and refuses what comes after", async () => {
  const engine = await EmbeddedEngine.start({ modelPath, slots: 2 }, { clock: systemClock });
  const kill = (_piece: Piece, index: number) => {
    if (index === 2) process.kill(engine.pid as number, "SIGKILL");
  };
  const { end, pieces } = await complete(engine, generation({ maxTokens: 400 }), { onPiece: kill });
  expect(end).toMatchObject({ kind: "failed", error: { code: "engine_failed", message: expect.stringMatching(/SIGKILL/) } });
  expect(pieces.length).toBeGreaterThan(2);
  expect((await engine.died).message).toMatch(/SIGKILL/);
  expect((await complete(engine, generation())).end).toMatchObject({ kind: "failed", error: { code: "engine_failed" } });
  await engine.close();
});

test("a supervised engine completes again after its child was killed", async () => {
  const engines: EmbeddedEngine[] = [];
  const start = async () => {
    engines.push(await EmbeddedEngine.start({ modelPath, slots: 1 }, { clock: systemClock }));
    return engines.at(-1) as EmbeddedEngine;
  };
  const engine = await SupervisedEngine.start({ firstPauseMs: 1 }, { clock: systemClock, start });
  process.kill(engines[0]?.pid as number, "SIGKILL");
  await engines[0]?.died;
  let end: Finished | undefined;
  for (let tries = 0; tries < 1_000 && end?.kind !== "done"; tries++) {
    end = (await complete(engine, generation({ maxTokens: 2 }))).end;
    if (end.kind !== "done") await sleep(20);
  }
  expect(end).toMatchObject({ kind: "done" });
  await engine.close();
  expect(await gone(engines[1]?.pid)).toBe(true);
});

test("a child never outlives an agent that is killed", async () => {
  const entry = pathToFileURL(join(packageRoot(), "dist", "workers", "engine", "embedded", "embedded.js")).href;
  const clock = pathToFileURL(join(packageRoot(), "dist", "lib", "clock.js")).href;
  const script = `
    const { EmbeddedEngine } = await import(${JSON.stringify(entry)});
    const { systemClock } = await import(${JSON.stringify(clock)});
    const engine = await EmbeddedEngine.start({ modelPath: ${JSON.stringify(modelPath)} }, { clock: systemClock });
    console.log(engine.pid);`;
  const agent = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(agent.stdout, "data")) as [Buffer];
  const pid = Number(line.toString());
  expect(alive(pid)).toBe(true);
  agent.kill("SIGKILL");
  expect(await gone(pid)).toBe(true);
});

describe("files that are no model", () => {
  let folder: string;
  let model: Buffer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "slipstream-model-"));
    model = await readFile(modelPath);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const renamed = (bytes: Buffer) => Buffer.from(bytes.toString("latin1").replaceAll("fim_", "xim_"), "latin1");
  const scrambled = (bytes: Buffer, from: number, length: number) => {
    const copy = Buffer.from(bytes);
    copy.fill(0xa5, from, from + length);
    return copy;
  };

  test.each<[title: string, make: (model: Buffer) => Buffer, says: RegExp]>([
    ["an empty file", () => Buffer.alloc(0), /empty/],
    ["a page of text", () => Buffer.from("const model = 1;\n".repeat(100)), /not a GGUF file/],
    ["a header alone", (bytes) => bytes.subarray(0, 24), /cannot be used/],
    ["half of the metadata", (bytes) => bytes.subarray(0, 60_000), /cannot be used/],
    ["half of the tensors", (bytes) => bytes.subarray(0, bytes.length >> 1), /cannot be used/],
    ["all but the last bytes", (bytes) => bytes.subarray(0, bytes.length - 64), /cannot be used/],
    ["scrambled metadata", (bytes) => scrambled(bytes, 40, 400), /cannot be used/],
    ["a wild length in the metadata", (bytes) => scrambled(bytes, 24, 8), /cannot be used/],
    ["a model without infilling tokens", renamed, /no fill-in-the-middle tokens/],
  ])("%s is model_unusable with a sentence, and no process stays", async (title, make, says) => {
    const path = join(folder, `${title.replaceAll(" ", "-")}.gguf`);
    await writeFile(path, make(model));
    await expect(EmbeddedEngine.start({ modelPath: path, startTimeoutMs: 20_000 }, { clock: systemClock })).rejects.toMatchObject({
      code: "model_unusable",
      message: expect.stringMatching(says),
    });
    expect(await noChildLeft()).toBe(true);
  });

  test("a missing file and a folder are told apart", async () => {
    const start = (path: string) => EmbeddedEngine.start({ modelPath: path }, { clock: systemClock });
    await expect(start(join(folder, "none.gguf"))).rejects.toMatchObject({
      code: "model_unusable",
      message: expect.stringMatching(/no such file/),
    });
    await expect(start(folder)).rejects.toMatchObject({ code: "model_unusable", message: expect.stringMatching(/folder/) });
  });

  test("a model that takes too long to load is given up and its process ended", async () => {
    await expect(EmbeddedEngine.start({ modelPath, startTimeoutMs: 1 }, { clock: systemClock })).rejects.toMatchObject({
      code: "model_unusable",
      message: expect.stringMatching(/within 1 ms/),
    });
  });
});
