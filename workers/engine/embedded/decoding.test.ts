import type { ControlledEvaluateInputItem, Token, TokenBias } from "node-llama-cpp";
import { expect, test } from "vitest";
import { FakeClock } from "../../../lib/clock.fake.ts";
import { noUsage } from "../../generation.ts";
import { Meter } from "../meter.ts";
import { Decoding, type Evaluator, type SamplingOptions } from "./decoding.ts";
import { Pace } from "./pace.ts";
import { Turns } from "./turns.ts";

type Asked = { tokens: number; next: Record<string, unknown> | undefined };

/** A sequence that writes down what it is asked, and always chooses token 7. */
function recorder(onCall: (calls: number) => void = () => {}) {
  const asked: Asked[] = [];
  const erased: [number, number][] = [];
  const evaluator = {
    evaluateWithoutGeneratingNewTokens: async (tokens: Token[]) => {
      asked.push({ tokens: tokens.length, next: undefined });
      onCall(asked.length);
    },
    nextTokenIndex: 0,
    eraseContextTokenRanges: async ([range]: [{ start: number; end: number }]) => {
      erased.push([range.start, range.end]);
      evaluator.nextTokenIndex = range.start;
    },
    controlledEvaluate: async (input: ControlledEvaluateInputItem[]) => {
      const item = input[input.length - 1] as [Token, { generateNext: { options: Record<string, unknown> } }];
      asked.push({ tokens: input.length, next: item[1].generateNext });
      onCall(asked.length);
      evaluator.nextTokenIndex += input.length;
      return input.map((one) => (Array.isArray(one) ? { next: { token: 7 as Token, confidence: 0.5 } } : undefined));
    },
  };
  return { evaluator: evaluator as unknown as Evaluator, asked, erased };
}

function decoding(
  sequence: Evaluator,
  sampling: Partial<SamplingOptions> = {},
  allowed: () => readonly number[] | undefined = () => undefined,
  round = false,
) {
  const clock = new FakeClock();
  const usage = noUsage();
  const meter = new Meter({ clock });
  const turns = new Turns({ waitingMax: 1 });
  const options = {
    sequence,
    sampling: { temperature: 0, topP: 1, topK: 0, seed: 0, ...sampling },
    allowed,
    circles: round,
    confidenceTokens: 2,
    chunkTokens: 10,
    rank: 0,
    usage,
  };
  return {
    usage,
    meter,
    decoding: new Decoding(options, {
      clock,
      turns,
      meter,
      onProgress: () => {},
      pace: new Pace({ targetMs: 0 }, { clock }),
      endsText: (token) => token === 0,
      biasTo: (tokens) => ({ tokens }) as unknown as TokenBias,
      biasAgainst: (closing) => ({ closing }) as unknown as TokenBias,
    }),
  };
}

const prompt = Array.from({ length: 35 }, (_, index) => index);
const never = new AbortController().signal;

test("a prompt is evaluated in chunks from where the cache ends, and the last chunk chooses the first token", async () => {
  const { evaluator, asked } = recorder();
  const run = decoding(evaluator);
  expect(await run.decoding.prefill(prompt, 12, never, true)).toEqual({ token: 7, confidence: 0.5 });
  expect(asked.map(({ tokens, next }) => [tokens, next !== undefined])).toEqual([
    [10, false],
    [10, false],
    [3, true],
  ]);
  expect(run.usage.recomputedTokens).toBe(23);
  expect(run.meter.prefillBacklogTokens).toBe(0);
});

test("an abort is seen after the chunk in hand, and only what was evaluated is booked", async () => {
  const abort = new AbortController();
  const { evaluator, asked } = recorder((calls) => calls === 2 && abort.abort());
  const run = decoding(evaluator);
  expect(await run.decoding.prefill(prompt, 0, abort.signal, true)).toBeUndefined();
  expect(asked).toHaveLength(2);
  expect(run.usage.recomputedTokens).toBe(20);
  expect(run.meter.prefillBacklogTokens).toBe(0);
});

test("warming evaluates everything and chooses nothing", async () => {
  const { evaluator, asked } = recorder();
  expect(await decoding(evaluator).decoding.prefill(prompt, 30, never, false)).toBeUndefined();
  expect(asked).toEqual([{ tokens: 5, next: undefined }]);
});

test("only the first tokens ask for their probability, and greedy asks for no chance", async () => {
  const { evaluator, asked } = recorder();
  const run = decoding(evaluator);
  await run.decoding.prefill([1], 0, never, true);
  for (let step = 0; step < 3; step++) await run.decoding.step(7 as Token, []);
  expect(asked.map(({ next }) => next?.["confidence"])).toEqual([true, true, false, false]);
  expect(asked.map(({ next }) => next?.["options"])).toEqual(Array(4).fill({ temperature: 0 }));
});

test("each sampled step has a seed of its own, the same for the same generation", async () => {
  const seeds = async () => {
    const { evaluator, asked } = recorder();
    const run = decoding(evaluator, { temperature: 0.8, seed: 0xffffffff });
    await run.decoding.prefill([1], 0, never, true);
    for (let step = 0; step < 3; step++) await run.decoding.step(7 as Token, []);
    return asked.map(({ next }) => Object(next?.["options"]).seed as number);
  };
  const first = await seeds();
  expect(new Set(first).size).toBe(4);
  expect(first.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)).toBe(true);
  expect(await seeds()).toEqual(first);
});

test("while healing asks for certain tokens, only these may be chosen", async () => {
  const { evaluator, asked } = recorder();
  const wanted = [[4, 5], undefined];
  const run = decoding(evaluator, {}, () => wanted.shift());
  await run.decoding.prefill([1], 0, never, true);
  await run.decoding.step(7 as Token, []);
  expect(asked.map(({ next }) => next?.["options"])).toEqual([
    { temperature: 0, tokenBias: { tokens: [4, 5] } },
    { temperature: 0 },
  ]);
});

const seven = { token: 7, confidence: 0.5 };

test.each<[title: string, drafts: number[], chosen: number, erased: [number, number][]]>([
  ["without drafts a step chooses one token", [], 1, []],
  ["drafts that were right are kept, with one token more", [7, 7, 7], 4, []],
  ["from the first wrong one on drafts are erased", [7, 8, 7], 2, [[3, 5]]],
  ["a first wrong one leaves the one token of any step", [8, 7], 1, [[2, 4]]],
])("%s", async (_title, drafts, count, range) => {
  const { evaluator, erased } = recorder();
  const run = decoding(evaluator);
  await run.decoding.prefill([1], 0, never, true);
  const { chosen } = await run.decoding.step(7 as Token, drafts);
  expect(chosen.map(({ token }) => token)).toEqual(Array(count).fill(7));
  expect(erased).toEqual(range);
});

test("a drafted token is drawn with the seed its place would have without drafts", async () => {
  const seeds = async (steps: number[][]) => {
    const seen: number[] = [];
    const { evaluator } = recorder();
    const spied: Evaluator = Object.assign(Object.create(evaluator), {
      controlledEvaluate: (input: [Token, { generateNext: { options: { seed: number } } }][]) => {
        seen.push(...input.map(([, { generateNext }]) => generateNext.options.seed));
        return evaluator.controlledEvaluate(input);
      },
    });
    const run = decoding(spied, { temperature: 0.8, seed: 5 });
    await run.decoding.prefill([1], 0, never, true);
    for (const drafts of steps)
      expect((await run.decoding.step(7 as Token, drafts)).chosen[0]).toMatchObject({ token: seven.token });
    return seen;
  };
  const plain = await seeds([[], [], []]);
  expect(await seeds([[7, 7]])).toEqual(plain);
  // Two are chosen by the first step, the third place is drawn anew.
  expect(await seeds([[7, 8], []])).toEqual(
    [...plain, plain[3]]
      .filter(Boolean)
      .slice(0, 4)
      .concat(plain[3] ?? []),
  );
});

test("what closes a circle is held back, after drafts as after chosen tokens", async () => {
  const biases = async (steps: number[][]) => {
    const seen: unknown[] = [];
    const { evaluator } = recorder();
    const spied: Evaluator = Object.assign(Object.create(evaluator), {
      controlledEvaluate: (input: [Token, { generateNext: { options: { tokenBias?: TokenBias } } }][]) => {
        seen.push(...input.map(([, { generateNext }]) => generateNext.options.tokenBias));
        return evaluator.controlledEvaluate(input);
      },
    });
    const run = decoding(spied, {}, undefined, true);
    await run.decoding.prefill([1], 0, never, true);
    for (const drafts of steps) await run.decoding.step(7 as Token, drafts);
    return seen;
  };
  const plain = await biases([[], [], [], []]);
  // After 7 7 7 a fourth would be a circle of two.
  expect(plain.slice(0, 3)).toEqual([undefined, undefined, undefined]);
  expect(plain[3]).toEqual({ closing: [{ token: 7, length: 2 }] });
  expect(await biases([[7, 7, 7]])).toEqual(plain);
});
