import type { Token } from "node-llama-cpp";
import { expect, test } from "vitest";
import { FakeClock } from "../../../lib/clock.fake.ts";
import { Drafting, type DraftSequence } from "./drafting.ts";
import { Pace } from "./pace.ts";

const never = new AbortController().signal;

/** A draft model that counts: after n it says n + 1, less and less sure. */
function counting(held: number[] = []) {
  const passes: number[][] = [];
  const sequence = {
    contextTokens: held as Token[],
    get nextTokenIndex() {
      return sequence.contextTokens.length;
    },
    evaluateWithoutGeneratingNewTokens: async (tokens: Token[]) => {
      passes.push([...tokens]);
      sequence.contextTokens = [...sequence.contextTokens, ...tokens];
    },
    controlledEvaluate: async (input: (Token | [Token, object])[]) => {
      const tokens = input.map((item) => (Array.isArray(item) ? item[0] : item));
      passes.push([...tokens]);
      sequence.contextTokens = [...sequence.contextTokens, ...tokens];
      const output = [];
      output[input.length - 1] = { next: { probabilities: new Map([[(tokens.at(-1) ?? 0) + 1, 1 / passes.length]]) } };
      return output;
    },
    eraseContextTokenRanges: async ([range]: [{ start: number; end: number }]) => {
      sequence.contextTokens = sequence.contextTokens.slice(0, range.start);
    },
  };
  const drafting = (prompt: number[], chunkTokens = 4) => {
    const clock = new FakeClock();
    const pace = new Pace({ targetMs: 0 }, { clock });
    return new Drafting({ sequence: sequence as unknown as DraftSequence, chunkTokens, prompt }, { clock, pace });
  };
  return { sequence, passes, drafting };
}

const always = () => true;

test("it reads what it missed in chunks and drafts token by token", async () => {
  const { passes, drafting } = counting();
  const text = [1, 2, 3, 4, 5, 6, 7];
  const draft = drafting(text.slice(0, 6));
  expect(draft.behind(text.length)).toBe(7);
  await draft.read(text);
  expect(draft.behind(text.length)).toBe(3);
  const drafts = await draft.draft(text, 3, always, never);
  expect(drafts?.tokens).toEqual([8, 9, 10]);
  expect(passes).toEqual([[1, 2, 3, 4], [5, 6, 7], [8], [9]]);
  expect(drafts?.read).toBe(2);
});

test("what another generation left of the same prompt is kept", () => {
  const { drafting } = counting([1, 2, 3, 9, 9]);
  expect(drafting([1, 2, 3, 4]).behind(5)).toBe(2);
});

test.each<[title: string, accepted: number, chosen: number[], next: number[]]>([
  ["drafts in vain are erased", 0, [30], [30]],
  ["accepted ones stay", 2, [8, 9, 30], [30]],
  ["the last draft was never read, so it is read with the next token", 3, [8, 9, 10, 30], [10, 30]],
])("%s", async (_title, accepted, chosen, next) => {
  const { sequence, passes, drafting } = counting();
  const text = [5, 6, 7];
  const draft = drafting([5, 6]);
  await draft.draft(text, 3, always, never);
  draft.accept(text.length, 3, accepted);
  text.push(...chosen);
  passes.length = 0;
  await draft.draft(text, 1, always, never);
  expect(passes).toEqual([next]);
  expect(sequence.contextTokens).toEqual(text);
});

test("it drafts no further than it is worth", async () => {
  const { drafting } = counting();
  const drafts = await drafting([1]).draft([1, 2], 8, (confidences) => (confidences.at(-1) ?? 0) > 0.4, never);
  expect(drafts?.confidences).toEqual([1, 1 / 2, 1 / 3]);
});

test("an abort is seen after the pass in hand", async () => {
  const abort = new AbortController();
  const { passes, drafting } = counting();
  const stop = () => {
    abort.abort();
    return true;
  };
  expect(await drafting([1]).draft([1, 2], 8, stop, abort.signal)).toBeUndefined();
  expect(passes).toHaveLength(2);
});
