// Speculation in the embedded engine with the built-in pair: real llama.cpp, real drafts. The text never depends on it.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { epsilonLogits, gapWhereTheyPart, openPlain } from "../../bench/near-tie.ts";
import { systemClock } from "../../lib/clock.ts";
import { createLog, type Log } from "../../lib/log.ts";
import { packageRoot } from "../../lib/package-root.ts";
import { EmbeddedEngine, type Fixed } from "../../workers/engine/embedded/embedded.ts";
import type { Finished, Generation, Sampling, Segment } from "../../workers/generation.ts";

const modelPath = join(packageRoot(), "models", "slipstream-fim-13m-q8_0.gguf");
const draftPath = join(packageRoot(), "models", "slipstream-draft-1m-q8_0.gguf");
const never = new AbortController().signal;
const chunkTokens = 64;

const code = `export class Counter {
  private readonly counts = new Map<string, number>();

  add(key: string, amount = 1): number {
    const next = (this.counts.get(key) ?? 0) + amount;
    this.counts.set(key, next);
    return next;
  }

  get(key: string): number {
    return this.counts.get(key) ?? 0;
  }

  clear(): void {
    this.counts.clear();
  }

  top(limit: number): [string, number][] {
    const sorted = [...this.counts.entries()].sort((left, right) => right[1] - left[1]);
    for (const [key, count] of sorted.slice(0, limit)) {
      console.log(key, count);
    }
    return sorted.slice(0, limit);
  }
}
`;

/** Cursors all over the code, inside words as well. */
const cursors = Array.from({ length: 10 }, (_, i) => Math.floor(((i + 1) * code.length) / 12));

function segments(at: number): Segment[] {
  return [{ special: "<|fim_suffix|>" }, { text: code.slice(at + 5) }, { special: "<|fim_prefix|>" }, { text: code.slice(0, at) }];
}

let salt = 0;

function generation(at: number, change: Partial<Sampling> & { depth?: number } = {}): Generation {
  const { depth = 0, ...sampling } = change;
  salt += 1;
  return {
    id: BigInt(salt),
    link: "test",
    affinity: "",
    lane: "inline",
    model: "",
    segments: segments(at),
    sampling: { maxTokens: 24, temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "auto", ...sampling },
    stopAtNewline: false,
    deadlineMs: Number.POSITIVE_INFINITY,
    receivedMs: 0,
    // KV of another run was computed in other chunks, and its rounding may tip a tie.
    cacheSalt: String(salt),
    blockDigests: new Uint8Array(),
    draftDepthHint: depth,
    traceparent: "",
  };
}

async function complete(
  engine: EmbeddedEngine,
  work: Generation,
  options: { fixed?: Fixed | undefined; signal?: AbortSignal; onPiece?: (index: number) => void } = {},
): Promise<{ text: string; pieces: number; tokens: number; end: Finished }> {
  const stream = engine.generate(work, options.signal ?? never, options.fixed);
  let [text, pieces, tokens] = ["", 0, 0];
  for (;;) {
    const step = await stream.next();
    if (step.done) return { text, pieces, tokens, end: step.value };
    text += step.value.text;
    tokens += step.value.tokens;
    options.onPiece?.(pieces);
    pieces += 1;
  }
}

const ways: [name: string, ask: Partial<Sampling>, fixed?: Fixed][] = [
  ["a model's draft of 1", {}, { source: "model", length: 1 }],
  ["a model's draft of 4", {}, { source: "model", length: 4 }],
  ["a model's draft of 8", {}, { source: "model", length: 8 }],
  ["lookups", {}, { source: "lookup", length: 8 }],
  ["always", { speculation: "always" }],
  ["auto", { speculation: "auto" }],
];

describe("with the built-in draft", () => {
  let engine: EmbeddedEngine;
  beforeAll(async () => {
    engine = await EmbeddedEngine.start({ modelPath, draftPath, chunkTokens }, { clock: systemClock });
  });
  afterAll(() => engine.close());

  test.each(ways)("%s: the same text as without, greedy and drawn by chance", async (_name, ask, fixed) => {
    let [drafted, accepted] = [0, 0];
    for (const chance of [{ temperature: 0 }, { temperature: 0.8, seed: 11, topP: 0.95, topK: 40 }]) {
      for (const at of cursors) {
        const plain = await complete(engine, generation(at, { ...chance, speculation: "off" }));
        const other = await complete(engine, generation(at, { ...chance, ...ask }), { fixed });
        expect(plain.end.usage.drafted).toBe(0);
        drafted += other.end.usage.drafted;
        accepted += other.end.usage.draftAccepted;
        if (other.text !== plain.text) {
          // Passes of several tokens round differently: a tie may tip, nothing else.
          expect(chance.temperature).toBe(0);
          const loaded = await openPlain(modelPath, chunkTokens);
          const gap = await gapWhereTheyPart(loaded, { segments: segments(at), maxTokens: 24, chunkTokens, other: other.text });
          await loaded.dispose();
          expect(gap).toBeLessThan(epsilonLogits);
          continue;
        }
        expect(other.end.usage.completionTokens).toBe(plain.end.usage.completionTokens);
        expect(other.tokens).toBe(plain.tokens);
        expect(other.end).toMatchObject({ kind: plain.end.kind, finish: (plain.end as { finish?: string }).finish });
      }
    }
    expect(accepted).toBeLessThanOrEqual(drafted);
    if (fixed || ask.speculation === "always") expect(accepted).toBeGreaterThan(0);
  });

  test("tells what was drafted and accepted, position by position", () => {
    expect(engine.capabilities).toContain("speculation");
    const { drafted, accepted, perPosition } = engine.acceptance();
    expect(accepted).toBeGreaterThan(0);
    expect(perPosition).toHaveLength(8);
    expect(perPosition.reduce((sum, one) => sum + one.drafted, 0)).toBe(drafted);
    for (const one of perPosition) expect(one.accepted).toBeLessThanOrEqual(one.drafted);
    const report = engine.speculation();
    expect(report.sources.model).toBeGreaterThan(0);
    expect(report.sources.lookup).toBeGreaterThan(0);
    expect(report.costs.draft).toBeGreaterThan(0);
    expect(Number(report.costs.verify["1"])).toBeGreaterThan(0);
  });

  test("off drafts nothing, always does, and a depth hint is its limit", async () => {
    const at = cursors[4] as number;
    expect((await complete(engine, generation(at, { speculation: "off" }))).end.usage.drafted).toBe(0);
    expect((await complete(engine, generation(at, { speculation: "always" }))).end.usage.drafted).toBeGreaterThan(0);
    const before = engine.speculation().drafted;
    await complete(engine, generation(at, { speculation: "always", depth: 1 }));
    const after = engine.speculation().drafted;
    expect(after[0]).toBeGreaterThan(before[0] ?? 0);
    expect(after.slice(1)).toEqual(before.slice(1));
  });

  test.each<[string, Partial<Sampling>, Fixed?]>([
    ["a model's drafts", {}, { source: "model", length: 8 }],
    ["always", { speculation: "always" }],
  ])("an abort in the middle of %s stops within two steps", async (_name, ask, fixed) => {
    const abort = new AbortController();
    const { end, tokens } = await complete(engine, generation(40, { maxTokens: 300, temperature: 1, seed: 3, ...ask }), {
      fixed,
      signal: abort.signal,
      onPiece: (index) => index === 3 && abort.abort(),
    });
    expect(end.kind).toBe("aborted");
    expect(tokens).toBeLessThan(150);
    // What the abort left behind is no harm to the next generation in this sequence.
    const plain = await complete(engine, generation(40, { speculation: "off" }));
    const again = await complete(engine, generation(40), { fixed: { source: "model", length: 4 } });
    expect(again.text).toBe(plain.text);
  });

  test("the next key reuses what the draft model read, and the text stays the same", async () => {
    const fixed: Fixed = { source: "model", length: 4 };
    const at = cursors[6] as number;
    const typed = async (speculation: Sampling["speculation"], cacheSalt: string) => {
      const texts: string[] = [];
      for (const cursor of [at, at + 1, at + 2]) {
        const work = {
          ...generation(cursor, { speculation }),
          segments: segments(at).with(3, { text: code.slice(0, cursor) }),
          cacheSalt,
        };
        texts.push((await complete(engine, work, speculation === "off" ? {} : { fixed })).text);
      }
      return texts;
    };
    expect(await typed("auto", "typed with")).toEqual(await typed("off", "typed without"));
  });

  test("drafts never reach over the context's end", async () => {
    const { end } = await complete(engine, generation(code.length - 4, { maxTokens: 2_000, temperature: 1, seed: 5 }), {
      fixed: { source: "model", length: 8 },
    });
    expect(end.kind).toBe("done");
    expect(end.usage.promptTokens + end.usage.completionTokens).toBeLessThanOrEqual(engine.models[0]?.contextTokens ?? 0);
  });

  test("generations side by side give what each gives alone", async () => {
    const alone: string[] = [];
    for (const at of cursors.slice(0, 4)) alone.push((await complete(engine, generation(at, { speculation: "off" }))).text);
    const together = await Promise.all(
      cursors.slice(0, 4).map((at) => complete(engine, generation(at, { speculation: "always" }))),
    );
    expect(together.map(({ text }) => text)).toEqual(alone);
  });
});

describe("without a draft model", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "slipstream-draft-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("one that is not there is said so, and nothing is drafted by a model", async () => {
    const warned: unknown[] = [];
    const silent = createLog({ process: "test", level: "silent" });
    const log = { ...silent, info: () => {}, warn: (...said: unknown[]) => warned.push(said) } as unknown as Log;
    const missing = join(folder, "gone.gguf");
    const engine = await EmbeddedEngine.start({ modelPath, draftPath: missing, slots: 1 }, { clock: systemClock, log });
    expect(warned).toEqual([[{ draftPath: missing }, expect.stringMatching(/no such draft model/)]]);
    const { end } = await complete(engine, generation(200), { fixed: { source: "model", length: 4 } });
    expect(end).toMatchObject({ kind: "done", usage: { drafted: 0 } });
    const looked = await complete(engine, generation(cursors[8] as number, { speculation: "always", maxTokens: 64 }));
    expect(looked.end.usage.drafted).toBeGreaterThan(0);
    await engine.close();
  });

  test("one of another vocabulary is refused by name", async () => {
    const bytes = await readFile(draftPath);
    const other = join(folder, "other.gguf");
    const at = bytes.indexOf("function", 0, "latin1");
    expect(at).toBeGreaterThan(0);
    bytes.write("functiom", at, "latin1");
    await writeFile(other, bytes);
    await expect(EmbeddedEngine.start({ modelPath, draftPath: other }, { clock: systemClock })).rejects.toMatchObject({
      code: "model_unusable",
      message: expect.stringMatching(/other\.gguf.*draft model.*vocabulary/),
    });
  });

  test("one that is no model is refused by name", async () => {
    const broken = join(folder, "broken.gguf");
    await writeFile(broken, "GGUF");
    await expect(EmbeddedEngine.start({ modelPath, draftPath: broken }, { clock: systemClock })).rejects.toMatchObject({
      code: "model_unusable",
      message: expect.stringMatching(/broken\.gguf/),
    });
  });
});
