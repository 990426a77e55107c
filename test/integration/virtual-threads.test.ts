import { expect, test } from "vitest";
import type { Question } from "../../bench/peers/capacity.ts";
import { Threads } from "../../bench/peers/threads.ts";

const question: Question = {
  ...{ profile: "h100-7b-eagle3", end: "fast", agreement: 0.3, side: { name: "direct", editor: "expert" } },
  ...{ gpus: 1, slots: 4, maxTokens: 8, seed: 1 },
};

test("a thread answers one question after another, and the same question alike", async () => {
  using threads = new Threads({ threads: 1 }, { signal: new AbortController().signal });
  const asked = Array.from({ length: 3 }, () => threads.ask({ question, people: 40, brief: false }));
  const [first, ...others] = await Promise.all(asked);
  expect(first?.keys).toBeGreaterThan(100);
  for (const other of others) expect(other).toEqual(first);
});

test("whoever waits hears of the interrupt", async () => {
  const interrupt = new AbortController();
  using threads = new Threads({ threads: 1 }, { signal: interrupt.signal });
  const waiting = [threads.ask({ question, people: 400, brief: true }), threads.ask({ question, people: 400, brief: true })];
  interrupt.abort(new Error("enough"));
  for (const each of waiting) await expect(each).rejects.toThrow("enough");
});
