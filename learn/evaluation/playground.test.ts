import { afterAll, beforeAll, expect, test } from "vitest";
import { Parsers } from "./parser.ts";
import { judge, outOfScope, readSituations } from "./playground.ts";

const situations = readSituations();
let parsers: Parsers;
beforeAll(async () => {
  parsers = await Parsers.open();
});
afterAll(() => parsers.close());

test("there are thirty, each with a name of its own and one cursor", () => {
  expect(situations).toHaveLength(30);
  expect(new Set(situations.map(({ id }) => id)).size).toBe(30);
  for (const { hole, code } of situations) expect(`${hole.prefix}‸${hole.suffix}`).toBe(`${code.join("\n")}\n`);
});

test.each(situations)("$id: every accepted answer parses and stays in scope", (situation) => {
  const { prefix, suffix, language } = situation.hole;
  for (const answer of situation.accepted) {
    expect(parsers.parses(language, prefix + answer + suffix), answer).toBe(true);
    expect(outOfScope(situation, answer, parsers), answer).toEqual([]);
    expect(judge(situation, answer, parsers)).toEqual({ inScope: true, accepted: true });
  }
});

const named = (id: string) => {
  const situation = situations.find((each) => each.id === id);
  if (!situation) throw new Error(`no situation ${id}`);
  return situation;
};

test.each([
  ["ts-return-local", "totals;", ["totals"]],
  ["ts-return-local", "items.length;", []],
  ["ts-return-local", "items.map((each) => each.name);", []],
  ["ts-return-local", '"totals";', []],
  ["ts-delete-method", "this.#entries.remove(key);", ["remove"]],
  ["ts-delete-method", "const found = this.#entries.get(key);\n    found.drop();", ["drop"]],
  ["py-return", "total / size(values)", ["size"]],
  ["go-max", "c", ["c"]],
])("in %s, of %j out of scope: %j", (id, text, names) => {
  expect(outOfScope(named(id), text, parsers)).toEqual(names);
});

test("nothing is neither in scope nor accepted; white space behind an answer is no matter", () => {
  expect(judge(named("go-max"), "", parsers)).toEqual({ inScope: false, accepted: false });
  expect(judge(named("go-max"), "b \n", parsers)).toEqual({ inScope: true, accepted: true });
});
