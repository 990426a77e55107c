import { expect, test } from "vitest";
import { Answers } from "./answers.ts";
import type { Figures } from "./fleet.ts";
import { ours } from "./sides.ts";

const none: Figures = {
  ...{ keys: 1, triggers: 1, p50_ms: 0, p95_ms: 0, p99_ms: 0, fresh_per_key: 0, recomputed_tokens_per_key: 0, waste_share: 0 },
  ...{
    late_share: 0,
    typed_on_per_key: 0,
    empty_per_key: 0,
    unasked_per_key: 0,
    gated_per_key: 0,
    along_per_key: 0,
    load_share: 0,
  },
};

test("a search is told as it begins, each crowd of it as it was seen, and then what a GPU serves", async () => {
  const said: string[] = [];
  const asked: number[] = [];
  const answers = new Answers(
    { seed: 1, seeds: 1, gpus: 2, slots: 16, maxTokens: 32, within: 0.06 },
    {
      threads: { ask: async ({ people }) => ({ ...none, p95_ms: asked.push(people) > 0 && people <= 100 ? 60.4 : 140 }) },
      state: { once: (_, measure) => measure() },
      say: (line) => said.push(line),
    },
  );
  const cell = { profile: "l40s-3b-eagle3", end: "slow", agreement: 0.07 } as const;
  const band = (await answers.cell(cell, [ours])).get(ours);
  expect(band?.developers_per_gpu).toBeGreaterThan(45);
  expect(said.length).toBe(asked.length + 2);
  expect(said[0]).toMatch(/^l40s-3b-eagle3 slow 7 %, slipstream \/ native: looked for from \d+ developers a GPU on/);
  expect(said[1]).toBe(`l40s-3b-eagle3 slow 7 %, slipstream / native: a crowd of ${asked[0]} on 2 GPUs waits 140 ms at p95`);
  expect(said.at(-1)).toBe(`l40s-3b-eagle3 slow 7 %, slipstream / native: ${band?.developers_per_gpu} developers a GPU`);
});
