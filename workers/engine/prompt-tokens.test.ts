import { expect, test } from "vitest";
import { encodePrompt, type Tokenizer } from "./prompt-tokens.ts";

/** A token a character, specials at 1000 and up. */
const tokenizer: Tokenizer = {
  contextTokens: 8,
  fimPrefix: "<pre>",
  fimMiddle: "<mid>",
  encodeText: (text) => [...text].map((character) => character.charCodeAt(0)),
  specialToken: (text) => ({ "<suf>": 1_000, "<pre>": 1_001, "<mid>": 1_002 })[text],
  takeBack: (tokens) => ({ text: "taken", tokens: tokens.slice(-1) }),
};
const plain = { heal: false, completionTokens: 1 };

test("each segment is encoded apart and a special one is one token", () => {
  expect(encodePrompt([{ special: "<suf>" }, { text: "b" }, { special: "<pre>" }, { text: "a" }], tokenizer, plain).tokens).toEqual(
    [1_000, 98, 1_001, 97],
  );
});

test("text that spells a special token stays text", () => {
  expect(encodePrompt([{ text: "<suf>" }], tokenizer, plain).tokens).toHaveLength(5);
});

test.each([
  ["an unknown special token", [{ text: "a" }, { special: "<sep>" }], /segments\[1\]\.special: "<sep>"/],
  ["no segments", [], /empty/],
  ["only empty text", [{ text: "" }], /empty/],
  ["a prompt twice too long", [{ text: "x".repeat(17) }], /has 17 tokens, the context holds 8/],
  ["a text that no context could hold", [{ text: "x".repeat(8 * 256 + 1) }], /cannot fit/],
] as const)("%s is refused by name", (_title, segments, says) => {
  expect(() => encodePrompt(segments, tokenizer, plain)).toThrow(says);
  expect(() => encodePrompt(segments, tokenizer, plain)).toThrow(expect.objectContaining({ code: "invalid_request" }));
});

test("a prompt that leaves place for one token passes", () => {
  expect(encodePrompt([{ text: "1234567" }], tokenizer, plain).tokens).toHaveLength(7);
});

test.each([
  ["suffix first", [{ special: "<suf>" }, { text: "b" }, { special: "<pre>" }, { text: "xa" }], [1_000, 98, 1_001, 120], 1],
  ["prefix first", [{ special: "<pre>" }, { text: "xa" }, { special: "<suf>" }, { text: "b" }], [1_001, 120, 1_000, 98], 1],
  ["prefix in two segments", [{ special: "<pre>" }, { text: "xa" }, { text: "yc" }], [1_001, 120, 97, 121], 1],
  [
    "what is typed stands after the middle token",
    [{ special: "<pre>" }, { text: "xa" }, { special: "<suf>" }, { special: "<mid>" }, { text: "yc" }],
    [1_001, 120, 97, 1_000, 1_002, 121],
    1,
  ],
  [
    "a turn closes behind the middle token",
    [{ special: "<pre>" }, { text: "xa" }, { special: "<mid>" }, { special: "<suf>" }, { text: "yc" }],
    [1_001, 120, 1_002, 1_000, 121, 99],
    1,
  ],
  ["nothing stands after it", [{ special: "<pre>" }, { text: "xa" }, { special: "<mid>" }], [1_001, 120, 1_002], 1],
  ["no code before the cursor", [{ special: "<pre>" }, { special: "<suf>" }, { text: "b" }], [1_001, 1_000, 98], 0],
  ["no infilling", [{ text: "ab" }], [97, 98], 0],
])("healing takes back what ends at the cursor: %s", (_title, segments, tokens, taken) => {
  const prompt = encodePrompt(segments, tokenizer, { heal: true, completionTokens: 1 });
  expect(prompt.tokens).toEqual(tokens);
  expect(prompt.takenBack.tokens).toHaveLength(taken);
});

const tokensOf = (text: string) => [...text].map((character) => character.charCodeAt(0));

test("a prompt a little too long loses the beginning of its longest text", () => {
  const segments = [{ special: "<suf>" }, { text: "b" }, { special: "<pre>" }, { text: "123456789" }];
  expect(encodePrompt(segments, tokenizer, plain).tokens).toEqual([1_000, 98, 1_001, ...tokensOf("6789")]);
});

test("pieces of one text are one text to lose from, the farthest first", () => {
  const segments = [{ special: "<suf>" }, { text: "bcd" }, { special: "<pre>" }, { text: "12" }, { text: "34" }, { text: "56" }];
  expect(encodePrompt(segments, tokenizer, plain).tokens).toEqual([1_000, ...tokensOf("bcd"), 1_001, ...tokensOf("56")]);
});

test("what it loses comes in steps, so that the next keys find the same beginning", () => {
  const wide = { ...tokenizer, contextTokens: 80 };
  const text = Array.from({ length: 120 }, (_, i) => String.fromCharCode(97 + (i % 26))).join("");
  const firsts = [...Array(20).keys()].map((key) => {
    const { tokens } = encodePrompt([{ text: text.slice(0, 85 + key) }], wide, { heal: false, completionTokens: 16 });
    expect(tokens.length).toBeLessThanOrEqual(64);
    return tokens[0];
  });
  expect(new Set(firsts).size).toBeLessThanOrEqual(3);
});

test("the completion keeps its place, up to half of the context", () => {
  expect(encodePrompt([{ text: "1234567" }], tokenizer, { heal: false, completionTokens: 100 }).tokens).toHaveLength(4);
});
