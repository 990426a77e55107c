import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { triggerAt } from "../../test/support/router.ts";
import { type Delta, type Flight, type Generated, noUsage } from "../completion.ts";
import { Diverged, Reuse } from "./reuse.ts";

const flightOf = (text: string, over = false): Flight => ({
  model: "m",
  text,
  over,
  worker: "w",
  wanted: () => {},
  read: () => {
    throw new Error("not read here");
  },
  book: (usage) => usage,
});

function watching(code: string, flight: Flight): Reuse {
  const reuse = new Reuse({ documentsMax: 10, textsMax: 4, ttlMs: 1_000 }, { clock: new FakeClock() });
  reuse.watch(triggerAt(code), flight);
  return reuse;
}

test.each([
  ["what it has said begins with what was typed", "const | = 1;", "answer", "const an| = 1;", "an"],
  ["what was typed goes beyond what it has said so far", "const |;", "an", "const answ|;", "answ"],
  ["nothing was typed: asked again at the same place", "const |;", "an", "const |;", ""],
  ["what was typed is something else", "const |;", "answer", "const b|;", undefined],
  ["it has said nothing yet", "const |;", "", "const a|;", undefined],
  ["the cursor is before its place", "const |;", "answer", "cons|;", undefined],
  ["the text after the cursor changed", "const |;", "answer", "const a|; b", undefined],
  ["the text before its place changed", "const |;", "answer", "let a; const a|;", undefined],
])("followed or not when %s", (_name, before, said, now, typed) => {
  expect(watching(before, flightOf(said)).followed(triggerAt(now))?.typed).toBe(typed);
});

test("a flight that is over, of another wish, or of another document is not followed", () => {
  expect(watching("a|", flightOf("bc", true)).followed(triggerAt("ab|"))).toBeUndefined();
  expect(watching("a|", flightOf("bc")).followed(triggerAt("ab|", { shape: "line" }))).toBeUndefined();
  expect(watching("a|", flightOf("bc")).followed(triggerAt("ab|", { document: "other" }))).toBeUndefined();
  expect(watching("a|", flightOf("bc")).followed(triggerAt("ab|", { lane: "speculative" }))).toBeUndefined();
});

async function dropped(typed: string, pieces: readonly string[]): Promise<string> {
  const reuse = new Reuse({ documentsMax: 10, textsMax: 4, ttlMs: 1_000 }, { clock: new FakeClock() });
  const deltas = (async function* (): AsyncGenerator<Delta, Generated> {
    for (const text of pieces) yield { text, tokens: 1 };
    return { finish: "stop", usage: noUsage, worker: "w" };
  })();
  let text = "";
  for await (const delta of reuse.drop(typed, deltas)) text += delta.text;
  return text;
}

test.each([
  ["within the first piece", "ab", ["abcd", "ef"], "cdef"],
  ["over several pieces", "abcd", ["ab", "c", "def"], "ef"],
  ["nothing", "", ["ab", "c"], "abc"],
  ["exactly all", "abc", ["ab", "c"], ""],
])("what was typed is dropped: %s", async (_name, typed, pieces, rest) => {
  expect(await dropped(typed, pieces)).toBe(rest);
});

test.each([
  ["in the first piece", "ax", ["ab"]],
  ["later", "abx", ["ab", "cd"]],
  ["by ending too early", "abcd", ["ab", "c"]],
])("a generation that goes another way %s is left", async (_name, typed, pieces) => {
  await expect(dropped(typed, pieces)).rejects.toBeInstanceOf(Diverged);
});
