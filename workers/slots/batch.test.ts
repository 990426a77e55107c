import { expect, test } from "vitest";
import { below, seeded } from "../../lib/random.ts";
import { Batch } from "./batch.ts";

/** A batch that has seen steps of s0 + s1·b for b of 1 to `most`. */
function seen({ s0 = 10, s1 = 1, most = 8, samples = 60, stepBudgetMs = 15, noise = 0 } = {}) {
  const random = seeded(1);
  const batch = new Batch({ slots: 8, stepBudgetMs });
  for (let i = 0; i < samples; i++) {
    const running = 1 + below(random, most);
    batch.stepped(running, s0 + s1 * running + noise * (random.next() - 0.5));
  }
  return batch.max;
}

test.each<[name: string, given: Parameters<typeof seen>[0], expected: number]>([
  ["as many as keep the step within its budget", {}, 5],
  ["all, where all do", { s1: 0.1 }, 8],
  ["all, without a budget", { stepBudgetMs: 0 }, 8],
  ["all, before enough was seen", { samples: 10 }, 8],
  ["all, where always the same number ran", { most: 1 }, 8],
  ["all, where one alone takes longer", { s0: 20 }, 8],
  ["all, where more take no longer", { s1: -0.5, s0: 14 }, 8],
  ["nearly as many under noise", { noise: 1, samples: 400 }, 5],
])("%s", (_, given, expected) => {
  expect(seen(given)).toBe(expected);
});

test("a pace that changes is learned anew", () => {
  const batch = new Batch({ slots: 8, stepBudgetMs: 15 });
  const run = (s0: number) => {
    for (let i = 0; i < 400; i++) batch.stepped(1 + (i % 8), s0 + 1 + (i % 8));
  };
  run(10);
  expect(batch.max).toBe(5);
  run(12);
  expect(batch.max).toBe(3);
});
