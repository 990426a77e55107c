// An engine that the worker starts itself: what becomes of it when it dies, and when the worker ends.
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { packageRoot } from "../../lib/package-root.ts";
import { seeded } from "../../lib/random.ts";
import { commandWords, startOwn } from "../../workers/engine/own-process.ts";
import { SupervisedEngine } from "../../workers/engine/supervised.ts";
import { VllmEngine } from "../../workers/engine/vllm/vllm.ts";
import type { Generation } from "../../workers/generation.ts";
import { freePort } from "../support/ports.ts";
import { until } from "../support/until.ts";

const program = join(packageRoot(), "test/support/vllm/small-engine.mjs");
const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function start(more: readonly string[] = [], startMs = 20_000, model = "") {
  const port = await freePort();
  const command = [process.execPath, program, String(port), ...more];
  const options = { url: `http://127.0.0.1:${port}`, model, slots: 4, tokenizer: "", startMs, confidence: false };
  const deps = { clock: systemClock, random: seeded(1), env: process.env };
  const engine = await SupervisedEngine.start(
    { firstPauseMs: 20 },
    {
      clock: systemClock,
      start: (signal) =>
        startOwn(
          command,
          options.url,
          (owned) => VllmEngine.start({ ...options, busyMs: 20, idleMs: 50 }, { ...deps, ...owned, signal }),
          deps,
        ),
    },
  );
  open.push(() => engine.close());
  const ask = async (maxTokens = 8) => {
    const pieces = engine.generate(work(maxTokens), new AbortController().signal);
    let text = "";
    let next = await pieces.next();
    for (; !next.done; next = await pieces.next()) text += next.value.text;
    return { text, end: next.value };
  };
  return { engine, ask };
}

const work = (maxTokens: number): Generation => ({
  ...{ id: 1n, link: "r", affinity: "", lane: "inline", model: "tiny", segments: [{ text: "const a = " }] },
  sampling: { maxTokens, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "auto" },
  ...{ stopAtNewline: false, deadlineMs: Number.POSITIVE_INFINITY, receivedMs: 0, cacheSalt: "" },
  ...{ blockDigests: new Uint8Array(), draftDepthHint: 0, traceparent: "" },
});

const alive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test("an engine that dies is started again, and one that is closed ends", async () => {
  const { engine, ask } = await start();
  const first = Number((await ask()).text);
  process.kill(first, "SIGKILL");
  await until("another one serves", async () => Number((await ask()).text || first) !== first, 20_000);
  const second = Number((await ask()).text);
  expect([alive(first), alive(second)]).toEqual([false, true]);
  await engine.close();
  expect(alive(second)).toBe(false);
});

test("an engine that is out of memory fails what it did, and is started again", async () => {
  const { ask } = await start();
  expect((await ask(1_000)).end).toMatchObject({ kind: "failed", error: { code: "engine_failed" } });
  await until("it serves again", async () => (await ask()).end.kind === "done", 20_000);
});

test.each<[name: string, more: string[], startMs: number, model: string, says: RegExp]>([
  ["that is too slow to start", ["tiny", "60000"], 700, "", /no engine within 700 ms: it answers with status 503/],
  ["of another model", ["other"], 20_000, "tiny", /serves "other", not "tiny"/],
])("an engine %s is told, and leaves no process", async (_, more, startMs, model, says) => {
  await expect(start(more, startMs, model)).rejects.toThrow(says);
});

test("a command that ends at once is told with its last words", async () => {
  const options = { url: "http://127.0.0.1:9", model: "", slots: 4, tokenizer: "", startMs: 20_000, confidence: false };
  const deps = { clock: systemClock, random: seeded(1), env: process.env };
  const command = [process.execPath, "-e", "console.error('ValueError: no such device'); process.exit(1)"];
  const starting = startOwn(command, options.url, (owned) => VllmEngine.start(options, { ...deps, ...owned }), deps);
  await expect(starting).rejects.toThrow(/status 1; it said: ValueError: no such device/);
});

test("a command is words, or a list where a word holds a blank", () => {
  expect(commandWords("vllm  serve x")).toEqual(["vllm", "serve", "x"]);
  expect(commandWords('["vllm", "a b"]')).toEqual(["vllm", "a b"]);
  expect(commandWords("")).toEqual([]);
  expect(() => commandWords("[1]")).toThrow(/ENGINE_COMMAND/);
});
