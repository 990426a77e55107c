import { expect, test } from "vitest";
import { PrefillBudget } from "./prefill-budget.ts";

test("one prompt gets the whole step, several share it, and nobody gets nothing", () => {
  const budget = new PrefillBudget({ chunkTokens: 4 });
  expect(budget.share()).toBe(4);
  const owners = Array.from({ length: 8 }, () => ({}));
  const shares = owners.map((owner) => {
    budget.set(owner, 100);
    return budget.share();
  });
  expect(shares).toEqual([4, 2, 1, 1, 1, 1, 1, 1]);
});

test("the backlog is what is left of all, and a finished prompt leaves it", () => {
  const budget = new PrefillBudget({ chunkTokens: 64 });
  const [a, b] = [{}, {}];
  budget.set(a, 100);
  budget.set(b, 50);
  budget.set(a, 36);
  expect(budget.backlogTokens).toBe(86);
  budget.set(a, 0);
  expect(budget.backlogTokens).toBe(50);
  expect(budget.share()).toBe(64);
});
