import { expect, test } from "vitest";
import { agreementFor, bestDepth, expectedTokens, profile, profileNames, stepMs } from "./profiles.ts";

test.each(profileNames)("%s: the fast end is faster than the slow end in every column", (name) => {
  const [slow, mid, fast] = (["slow", "mid", "fast"] as const).map((end) => profile(name, end));
  if (!slow || !mid || !fast) throw new Error("no profile");
  expect(slow.prefillTokensPerSecond).toBeLessThan(mid.prefillTokensPerSecond);
  expect(mid.prefillTokensPerSecond).toBeLessThan(fast.prefillTokensPerSecond);
  expect(stepMs(slow, 8, 0, 0)).toBeGreaterThan(stepMs(mid, 8, 0, 0));
  expect(stepMs(mid, 8, 32, 4)).toBeGreaterThan(stepMs(fast, 8, 32, 4));
  expect(slow.acceptedPerBlock).toBeLessThan(fast.acceptedPerBlock);
});

test("a step costs s0 + s1·b, and verifying k drafts widens it by 3 % each after k passes of the draft", () => {
  const of = profile("h100-7b-eagle3", "slow");
  expect(stepMs(of, 10, 0, 0)).toBeCloseTo(8);
  expect(stepMs(of, 10, 40, 4)).toBeCloseTo(8 * 1.12 + 4 * 0.4);
  expect(stepMs(of, 0, 0, 0)).toBe(0);
});

test("the agreement found for a block yields that many tokens", () => {
  for (const tokens of [1.5, 2.6, 3.0, 4.5]) expect(expectedTokens(agreementFor(tokens), 4)).toBeCloseTo(tokens, 6);
});

test("drafting pays with a good draft and not with a hopeless one", () => {
  const of = profile("h100-7b-eagle3", "mid");
  expect(bestDepth(of, 0.7, 1, 8)).toBeGreaterThanOrEqual(4);
  expect(bestDepth(of, 0.02, 1, 8)).toBe(0);
});
