import { expect, test } from "vitest";
import { greedy, modelOf, triggerAt } from "../test/support/router.ts";
import type { Asking, Prediction, Prompt, ServedModel } from "./completion.ts";
import { inTime } from "./in-time.ts";
import type { Path } from "./path.ts";

const now = 1_000;
const promptOf = (model: string, bytes: number): Prompt => ({
  ...{ model, segments: [], bytes, key: `${model} ${bytes}`, blocks: new Uint8Array(), stop: [] },
});

interface Given {
  readonly deadlineMs?: number;
  readonly queueMs?: number;
  /** Of a token; the prompt takes a millisecond for each byte. */
  readonly tokenMs?: number;
  readonly known?: string;
  readonly lane?: "inline" | "chat" | "batch";
  readonly fallback?: string;
  readonly atEase?: boolean;
}

/** What is asked for of a whole prompt of 60 ms, and how that came about. */
function asked({ deadlineMs = 100, queueMs = 0, tokenMs = 1, known, lane = "inline", fallback, atEase = false }: Given) {
  const told: string[] = [];
  const rooms = {
    clock: { now: () => now },
    prompt: {
      render: (trigger: { deadlineMs: number; receivedMs: number }, _: unknown, model: ServedModel) => {
        const ms = trigger.deadlineMs - trigger.receivedMs;
        return promptOf(model.name, ms === deadlineMs ? 60 : ms / 2);
      },
    },
    predict: ({ model, prompt, maxTokens }: Asking): Prediction => {
      const scale = model === "small" ? 0.1 : 1;
      const tokens = Math.min(30, maxTokens);
      const prefillMs = prompt.bytes * scale;
      return { totalMs: prefillMs + tokens * tokenMs * scale, waitMs: 0, prefillMs, tokenMs: tokenMs * scale, atEase };
    },
    fallbacks: () => (fallback === undefined ? [] : ["missing", fallback]),
    fleet: { hasRoom: () => false, model: (name: string) => (name === "missing" ? undefined : modelOf({ name })) },
    queue: { predictedWaitMs: () => queueMs, isGreedy: () => false },
    cache: { find: ({ key }: Prompt) => (key === known ? {} : undefined), join: () => undefined },
    shortened: (how: string) => told.push(how),
    late: () => told.push("late"),
  };
  const trigger = triggerAt("a|", { receivedMs: now, deadlineMs: now + deadlineMs, lane });
  try {
    const { prompt, sampling } = inTime(
      rooms as unknown as Path,
      trigger,
      { snippets: [] },
      modelOf({ name: "m" }),
      promptOf("m", 60),
    );
    return { prompt: prompt.key, tokens: sampling.maxTokens, told };
  } catch (thrown) {
    const { code, retryAfterMs } = thrown as { code: string; retryAfterMs: number };
    return { code, retryAfterMs, told };
  }
}

const all = greedy.maxTokens;
test.each<[name: string, given: Given, expected: object]>([
  ["what is in time is asked for as it is", {}, { prompt: "m 60", tokens: all, told: [] }],
  ["so is what is late but known", { deadlineMs: 50, known: "m 60" }, { prompt: "m 60", tokens: all, told: [] }],
  ["so is what nobody waits for", { deadlineMs: 1, lane: "batch" }, { prompt: "m 60", tokens: all, told: [] }],
  ["first fewer tokens are asked for", { deadlineMs: 80 }, { prompt: "m 60", tokens: 20, told: ["tokens"] }],
  ["the queue takes its part of the time", { deadlineMs: 100, queueMs: 20 }, { prompt: "m 60", tokens: 20, told: ["tokens"] }],
  ["then a shorter prompt", { deadlineMs: 60 }, { prompt: "m 52", tokens: 8, told: ["prompt"] }],
  [
    "a shorter one that is known beats its prediction",
    { deadlineMs: 60, known: "m 52" },
    { prompt: "m 52", tokens: 8, told: ["prompt"] },
  ],
  [
    "then the fallback tier",
    { deadlineMs: 16, tokenMs: 3, fallback: "small" },
    { prompt: "small 60", tokens: 8, told: ["fallback"] },
  ],
  ["what nothing helps is refused", { deadlineMs: 20, tokenMs: 3 }, { code: "too_late", retryAfterMs: 130, told: ["late"] }],
  [
    "but is tried where slots stand empty and its prompt alone is too long",
    { deadlineMs: 70, tokenMs: 1.6, atEase: true },
    { prompt: "m 60", tokens: all, told: [] },
  ],
  ["not where its tokens are", { deadlineMs: 20, tokenMs: 3, atEase: true }, { code: "too_late", told: ["late"] }],
  [
    "nor chat, whose prompt is another each time",
    { deadlineMs: 60, lane: "chat", atEase: true },
    { code: "too_late", told: ["late"] },
  ],
  ["nor a fallback that nobody serves", { deadlineMs: 20, tokenMs: 3, fallback: "missing" }, { code: "too_late", told: ["late"] }],
  ["chat keeps its whole prompt", { deadlineMs: 60, lane: "chat" }, { code: "too_late", told: ["late"] }],
])("%s", (_, given, expected) => {
  expect(asked(given)).toMatchObject(expected);
});
