import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { greedy, recordedMetrics } from "../../test/support/router.ts";
import type { Finish, Prompt, Sampling } from "../completion.ts";
import { Cache } from "./cache.ts";

const promptOf = (key: string): Prompt => ({ model: "m", segments: [], bytes: 0, key, blocks: new Uint8Array(), stop: [] });
const finished = (text: string, finish: Finish = "cut") => ({ text, finish, model: "m" });

function room(given: { bytesMax?: number; entriesMax?: number } = {}) {
  const clock = new FakeClock();
  const metrics = recordedMetrics();
  const cache = new Cache({ bytesMax: 10_000, entriesMax: 100, ttlMs: 1_000, ...given }, { clock, metrics: metrics.metrics });
  return { clock, cache, metrics };
}

test("an identical prompt finds what was finished, and another finds nothing", () => {
  const { cache, metrics } = room();
  cache.keep(promptOf("a"), greedy, finished("text"));
  expect(cache.find(promptOf("a"), greedy)).toEqual(finished("text"));
  expect(cache.find(promptOf("b"), greedy)).toBeUndefined();
  expect([metrics.count("result_cache_lookups_total", { result: "hit" }), metrics.count("result_cache_lookups_total")]).toEqual([
    1, 2,
  ]);
});

test("that nothing came is known too", () => {
  const { cache } = room();
  cache.keep(promptOf("a"), greedy, finished("", "stop"));
  expect(cache.find(promptOf("a"), greedy)?.text).toBe("");
});

test.each<[name: string, sampling: Sampling, finish: Finish, kept: boolean]>([
  ["greedy text is kept", greedy, "stop", true],
  ["seeded text is kept", { ...greedy, temperature: 1, seed: 0 }, "length", true],
  ["text by chance is meant to differ", { ...greedy, temperature: 0.2 }, "stop", false],
  ["text that the deadline cut is not what the model would have said", greedy, "deadline", false],
])("%s", (_, sampling, finish, kept) => {
  const { cache } = room();
  cache.keep(promptOf("a"), sampling, finished("text", finish));
  expect(cache.find(promptOf("a"), sampling) !== undefined).toBe(kept);
});

test("what was made by chance does not find what was not", () => {
  const { cache, metrics } = room();
  cache.keep(promptOf("a"), greedy, finished("text"));
  expect(cache.find(promptOf("a"), { ...greedy, temperature: 1 })).toBeUndefined();
  expect(metrics.count("result_cache_lookups_total")).toBe(0);
});

test("results are bounded by count, by bytes and by age", async () => {
  const few = room({ entriesMax: 2 });
  for (const key of ["a", "b", "c"]) few.cache.keep(promptOf(key), greedy, finished("x"));
  expect(["a", "b", "c"].filter((key) => few.cache.find(promptOf(key), greedy))).toEqual(["b", "c"]);
  const small = room({ bytesMax: 1_000 });
  for (const key of ["a", "b", "c"]) small.cache.keep(promptOf(key), greedy, finished("x".repeat(100)));
  expect(["a", "b", "c"].filter((key) => small.cache.find(promptOf(key), greedy))).toEqual(["b", "c"]);
  small.cache.keep(promptOf("huge"), greedy, finished("x".repeat(1_000)));
  expect(small.cache.find(promptOf("huge"), greedy)).toBeUndefined();
  const { clock, cache } = room();
  cache.keep(promptOf("a"), greedy, finished("x"));
  await clock.advance(1_001);
  expect(cache.find(promptOf("a"), greedy)).toBeUndefined();
});

test("no bytes keep nothing", () => {
  const { cache } = room({ bytesMax: 0 });
  cache.keep(promptOf("a"), greedy, finished("x"));
  expect(cache.find(promptOf("a"), greedy)).toBeUndefined();
});
