import { expect, test } from "vitest";
import { rowOf } from "./plan.ts";

const cell = { agreement: 0.3, end: "slow" } as const;

test.each([
  ["whole GPUs", { developers_per_gpu: 90, low: 80, high: 100 }, 500, 0, { likely: 6, most: 7 }],
  ["and those that may be away", { developers_per_gpu: 90, low: 80, high: 100 }, 500, 1, { likely: 7, most: 8 }],
  ["one for few", { developers_per_gpu: 90, low: 90, high: 90 }, 1, 0, { likely: 1, most: 1 }],
  ["none where nobody is served in time", { developers_per_gpu: 0, low: 0, high: 0 }, 500, 1, null],
] as const)("%s", (_, band, writing, spare, gpus) => {
  expect(rowOf(cell, band, writing, spare).gpus).toEqual(gpus);
});
