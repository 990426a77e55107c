import { expect, test } from "vitest";
import type { Acceptance } from "../generation.ts";
import { Recommending, usualCosts } from "./recommendation.ts";

const counted = (drafts: number, ...odds: number[]): Acceptance => {
  const perPosition = odds.map((share) => ({ drafted: drafts, accepted: Math.round(drafts * share) }));
  const sum = (of: "drafted" | "accepted") => perPosition.reduce((total, place) => total + place[of], 0);
  return { drafted: sum("drafted"), accepted: sum("accepted"), perPosition };
};

function after(times: number, acceptance: Acceptance) {
  const recommending = new Recommending();
  let last: ReturnType<typeof recommending.take>;
  for (let i = 0; i < times; i++) last = recommending.take(acceptance);
  return last;
}

test.each<[name: string, acceptance: Acceptance, tokens: number | undefined]>([
  ["drafts that nearly never hold are left off", counted(1_000, 0.05, 0.01, 0), 0],
  ["drafts that nearly always hold are made longer", counted(1_000, 0.95, 0.9, 0.86), 6],
  ["the places that never hold are left off", counted(1_000, 0.9, 0.75, 0.05, 0.01, 0, 0, 0, 0), 2],
  ["a length that is right stays", counted(1_000, 0.8, 0.5, 0.25), undefined],
  ["too few drafts say nothing", counted(10, 0, 0, 0), undefined],
])("%s", (_, acceptance, tokens) => {
  expect(after(usualCosts.answers, acceptance)?.tokens).toBe(tokens);
});

test("it is sure only after several answers in a row that agree", () => {
  const recommending = new Recommending();
  const [bad, good] = [counted(1_000, 0.02, 0, 0), counted(1_000, 0.8, 0.5, 0.25)];
  for (let i = 0; i < 4; i++) expect(recommending.take(bad)).toBeUndefined();
  expect(recommending.take(good)).toBeUndefined();
  for (let i = 0; i < 4; i++) expect(recommending.take(bad)).toBeUndefined();
  expect(recommending.take(bad)).toMatchObject({ now: 3, tokens: 0 });
});

test("what stands is the last sure answer, and as it is until there is one", () => {
  const recommending = new Recommending();
  const [bad, good] = [counted(1_000, 0.02, 0, 0), counted(1_000, 0.8, 0.5, 0.25)];
  const after = (times: number, acceptance: Acceptance) => {
    for (let i = 0; i < times; i++) recommending.take(acceptance);
    return recommending.standing?.tokens;
  };
  expect([after(0, bad), after(1, bad), after(4, bad), after(4, good), after(1, good)]).toEqual([undefined, 3, 0, 0, 3]);
});

test("an engine that does not draft is not told to", () => {
  expect(after(9, { drafted: 0, accepted: 0, perPosition: [] })).toBeUndefined();
});
