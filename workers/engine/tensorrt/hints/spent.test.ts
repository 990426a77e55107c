import { expect, test } from "vitest";
import { FakeClock } from "../../../../lib/clock.fake.ts";
import { blockKeys } from "../../block-chain.ts";
import { type AskedPrefix, type Cut, SpentPrefixes, typedOn } from "./spent.ts";

const blockTokens = 4;
const run = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
/** Prefix, what is typed, suffix: as a prompt whose suffix stands behind the cursor. */
const page = (typed: readonly number[], prefix = run(100, 8)) => [...prefix, ...typed, ...run(200, 12)];

function started(options: { tokensMax?: number; freshMs?: number } = {}) {
  const cuts: Cut[] = [];
  const clock = new FakeClock();
  const spent = new SpentPrefixes({ blockTokens, ...options }, { clock, cut: (cut) => cuts.push(cut) });
  const asked = (tokens: readonly number[], more: Partial<AskedPrefix> = {}) =>
    spent.asked({ tokens, keys: blockKeys(tokens, blockTokens, 1), document: "d", typed: true, ...more });
  return { spent, asked, cuts, clock };
}

const rows: [name: string, others: (it: ReturnType<typeof started>) => void, kept: number[]][] = [
  ["what the older one has beyond the blocks that both begin with", () => {}, [8]],
  ["nothing that another document's prompt begins with", ({ asked }) => asked(page([1]), { document: "e" }), []],
  ["less where another one begins with more of it", ({ asked }) => asked(page([1]).slice(0, 14), { document: "e" }), [12]],
  ["nothing that was computed ahead", ({ asked }) => asked(page([1]), { document: "", typed: false })(true), []],
];
test.each(rows)("typing on spends %s", (_, others, kept) => {
  const it = started();
  others(it);
  it.asked(page([1]))(true);
  expect(it.cuts).toEqual([]);
  it.asked(page([1, 2]))(true);
  expect(it.cuts.map(({ keep }) => keep)).toEqual(kept);
  for (const { tokens } of it.cuts) expect(tokens).toEqual(page([1]).slice(0, 20));
});

test("typing at the end of a prompt spends nothing: all its whole blocks are in the next one", () => {
  const { asked, cuts } = started();
  for (let typed = 0; typed < 9; typed++) asked([...run(100, 8), ...run(1, typed)])(true);
  expect(cuts).toEqual([]);
});

test("nothing is spent before both have ended, whichever ends first", () => {
  const { asked, cuts } = started();
  const older = asked(page([1]));
  const newer = asked(page([1, 2]));
  newer(true);
  expect(cuts).toEqual([]);
  older(true);
  expect(cuts.map(({ keep }) => keep)).toEqual([8]);
  older(true);
  expect(cuts).toHaveLength(1);
  const { asked: ask, cuts: given } = started();
  const first = ask(page([1]));
  const second = ask(page([1, 2]));
  first(true);
  expect(given).toEqual([]);
  second(true);
  expect(given.map(({ keep }) => keep)).toEqual([8]);
});

test("what follows it first is waited for, and not what is asked after that", () => {
  const { asked, cuts } = started();
  const older = asked(page([1]));
  asked(page([1, 2]))(true);
  asked(page([1, 2, 3]));
  older(true);
  expect(cuts.map(({ tokens }) => tokens)).toEqual([page([1]).slice(0, 20)]);
});

test("prompts of no document follow nobody", () => {
  const { asked, cuts } = started();
  for (const typed of [[1], [1, 2], [1, 2, 3]]) asked(page(typed), { document: "" })(true);
  expect(cuts).toEqual([]);
});

test("what was spent stands until somebody asks for it again, or it is of long ago", async () => {
  const { spent, asked, cuts } = started({ freshMs: 1_000 });
  asked(page([1]))(true);
  asked(page([1, 2]))(true);
  const [cut] = cuts as [Cut];
  expect(spent.stands(cut)).toBe(true);
  // They take back what they typed.
  asked(page([1]));
  expect(spent.stands(cut)).toBe(false);
  const { spent: older, asked: ask, cuts: given, clock } = started({ freshMs: 1_000 });
  ask(page([1]))(true);
  ask(page([1, 2]))(true);
  await clock.advance(1_001);
  expect([given.length, older.stands(given[0] as Cut)]).toEqual([1, false]);
});

const never: [name: string, older: readonly number[], newer: readonly number[], more: Partial<AskedPrefix>][] = [
  ["another document", page([1]), page([1, 2]), { document: "e" }],
  ["another place of the document", page([1]), page([1, 2], run(500, 300)), {}],
  ["a guess of what comes next", page([1]), page([1, 2]), { typed: false }],
  ["the same prompt once more", page([1]), page([1]), {}],
];
test.each(never)("%s spends nothing", (_, older, newer, more) => {
  const { asked, cuts } = started();
  asked(older)(true);
  asked(newer, more)(true);
  expect(cuts).toEqual([]);
});

test("a guess that did not come true is spent by what is typed instead", () => {
  const { asked, cuts } = started();
  asked(page(run(700, 9)), { typed: false })(true);
  asked(page([1]))(true);
  expect(cuts.map(({ keep }) => keep)).toEqual([8]);
});

test("what was stopped before the engine had computed it is left alone: the newer one's blocks would be taken for it", () => {
  const { asked, cuts } = started();
  asked(page([1]))(false);
  asked(page([1, 2]))(true);
  expect(cuts).toEqual([]);
});

test("a newer one that was stopped before it was computed spends the older one all the same", () => {
  const { asked, cuts } = started();
  asked(page([1]))(true);
  asked(page([1, 2]))(false);
  expect(cuts.map(({ keep }) => keep)).toEqual([8]);
});

test("what was asked long ago is left alone: it may be gone, and others taken for it", async () => {
  const { asked, cuts, clock } = started({ freshMs: 1_000 });
  asked(page([1]))(true);
  await clock.advance(1_500);
  asked(page([1, 2]))(true);
  expect(cuts).toEqual([]);
});

test("it remembers so many tokens, and of a document so many prompts", () => {
  const { spent, asked, cuts } = started({ tokensMax: 1_400 });
  for (let document = 0; document < 50; document++) asked(page([document]), { document: `d${document}` })(true);
  expect(spent.remembered).toMatchObject({ prompts: 9, documents: 9 });
  for (let guess = 0; guess < 50; guess++) asked([guess, ...run(100, 8)], { typed: false });
  expect(spent.remembered.documents).toBeLessThanOrEqual(9);
  for (let empty = 0; empty < 50; empty++) asked([], { document: `e${empty}` })(true);
  expect(spent.remembered).toEqual({ prompts: 10, documents: 10, blocks: 0 });
  const { spent: wide, asked: ask } = started();
  for (let guess = 0; guess < 50; guess++) ask([guess, ...run(100, 8)], { typed: false });
  expect(wide.remembered).toMatchObject({ prompts: 6, documents: 1 });
  expect(cuts).toEqual([]);
});

test.each<[older: readonly number[], newer: readonly number[], is: boolean]>([
  [[1, 2, 3], [1, 2, 9, 3], true],
  [[1, 2, 3], [1, 3], true],
  [[1, 1, 1], [1, 1], true],
  [[], [1], false],
  [[1, 2], [2, 2], false],
  [Array(250).fill(1), Array(100).fill(1), false],
  [[1, ...run(500, 97), 2], [1, 2], false],
  [[1, ...run(500, 96), 2], [1, 2], true],
])("%j to %j is typing on: %s", (older, newer, is) => {
  expect(typedOn(older, newer)).toBe(is);
});
