import { expect, test } from "vitest";
import { Healing, takeBack } from "./healing.ts";
import { TokenIndex } from "./token-index.ts";

const words = ["r", "e", "t", "u", "ret", "urn", "return", " ", " return", "(", "()", "x", "    ", "\uFFFD"];
const index = new TokenIndex(words.map((text, token) => [text, token]));
const idOf = (text: string) => words.indexOf(text);
const textOf = (tokens: readonly number[]) => tokens.map((token) => words[token]).join("");
const ids = (...texts: string[]) => texts.map(idOf);

test("the index finds what begins with a text and what goes on after it", () => {
  expect(index.startingWith("ret").map((token) => words[token])).toEqual(["ret", "return"]);
  expect(index.startingWith("zzz")).toEqual([]);
  expect([index.goesOn("retu"), index.goesOn("return"), index.goesOn("zzz"), index.goesOn("\uFFFD")]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});

test.each<[title: string, before: string[], taken: string]>([
  ["a word in the making, over its tokens", ["x", "ret", "u"], "retu"],
  ["the blank before it too, when a token spells both", [" ", "ret", "u"], " retu"],
  ["a bracket that may be two", ["x", "("], "("],
  ["nothing after a whole word", ["x", "return"], ""],
  ["nothing after half a character", ["ret", "\uFFFD"], ""],
  ["nothing of nothing", [], ""],
])("takes back %s", (_title, before, taken) => {
  const back = takeBack(ids(...before), textOf, index);
  expect(back.text).toBe(taken);
  expect(textOf(back.tokens)).toBe(taken);
});

test("the model may spell it in one token, or as it stood", () => {
  const back = takeBack(ids("ret", "u"), textOf, index);
  const one = new Healing(back, { index });
  expect(new Set(one.allowed)).toEqual(new Set(ids("ret", "return")));
  expect(one.accept(idOf("return"), "return")).toBe(false);
  expect(one.allowed).toBeUndefined();

  const two = new Healing(back, { index });
  expect(two.accept(idOf("ret"), "ret")).toBe(true);
  expect(new Set(two.allowed)).toEqual(new Set(ids("u", "urn")));
  expect(two.accept(idOf("urn"), "urn")).toBe(false);
  expect(two.allowed).toBeUndefined();
});

test("when it stands again as it stood, all is allowed and it was silent", () => {
  const healing = new Healing(takeBack(ids("x", "("), textOf, index), { index });
  expect(healing.accept(idOf("("), "(")).toBe(true);
  expect(healing.allowed).toBeUndefined();
  expect(healing.accept(idOf("x"), "x")).toBe(false);
});

test("with nothing taken back nothing is asked", () => {
  const healing = new Healing({ text: "", tokens: [] }, { index });
  expect(healing.allowed).toBeUndefined();
  expect(healing.accept(idOf("x"), "x")).toBe(false);
});
