import { expect, test } from "vitest";
import { headlines, sentenceOf } from "./headline.ts";
import type { Side } from "./sides.ts";

const side = (name: string, editor: string) => ({ name, editor }) as Side;
const of = (rows: readonly [string, string, number][]) =>
  headlines(new Map(rows.map(([name, editor, developers_per_gpu]) => [side(name, editor), { developers_per_gpu }])));

test("ours is set beside the best peer of each editor, and a peer that wins is told", () => {
  const found = of([
    ["slipstream", "native", 60],
    ["direct", "careful", 5],
    ["envoy ring_hash", "careful", 10],
    ["direct", "expert", 80],
  ]);
  expect(found).toMatchObject([
    { editor: "careful", best_peer: "envoy ring_hash", ratio: 6 },
    { editor: "expert", best_peer: "direct", ratio: 0.75 },
  ]);
  expect(found.map(sentenceOf)).toEqual([
    "careful: ours 60 developers a GPU, the best peer (envoy ring_hash) 10: 6× (goal 6×)",
    "expert: ours 60 developers a GPU, the best peer (direct) 80: 0.75× (goal 1.5×, missed)",
  ]);
});

test("a peer that serves nobody in time has no ratio", () => {
  const [naive] = of([
    ["slipstream", "native", 60],
    ["direct", "naive", 0],
  ]);
  expect(naive?.ratio).toBeNull();
  expect(sentenceOf(naive as NonNullable<typeof naive>)).toContain("no peer serves even one in time");
});

test("where ours serves nobody it is said", () => {
  const [expert] = of([
    ["slipstream", "native", 0],
    ["direct", "expert", 3],
  ]);
  expect(sentenceOf(expert as NonNullable<typeof expert>)).toContain("ours serves nobody in time");
});
