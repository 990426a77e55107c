import { expect, test } from "vitest";
import { draftsOf } from "./drafts.ts";

const acceptance = { drafted: 300, accepted: 150, perPosition: [90, 60, 0].map((accepted) => ({ drafted: 100, accepted })) };

test("an engine that drafted nothing says nothing", () => {
  expect(draftsOf({ drafted: 0, accepted: 0, perPosition: [] }, { now: 4, tokens: 4, gain: 0 })).toBeUndefined();
});

test.each<[string, Parameters<typeof draftsOf>[1], said: [tokens: number, recommended: number | undefined, gain: number]]>([
  ["one that decides itself recommends nothing", undefined, [0, undefined, 0]],
  ["a length that is right is no recommendation", { now: 3, tokens: 3, gain: 0 }, [3, undefined, 0]],
  ["a better length is said with what it gains", { now: 3, tokens: 2, gain: 0.25 }, [3, 2, 0.25]],
  ["no drafts at all is a length", { now: 3, tokens: 0, gain: 0.5 }, [3, 0, 0.5]],
])("%s", (_, recommendation, expected) => {
  const drafts = draftsOf(acceptance, recommendation);
  expect([drafts?.tokens, drafts?.recommendedTokens, drafts?.gain]).toEqual(expected);
  expect([drafts?.drafted, drafts?.accepted]).toEqual([300n, 150n]);
  expect(drafts?.acceptedShare.map((share) => Math.round(share * 10) / 10)).toEqual([0.9, 0.6, 0]);
});
