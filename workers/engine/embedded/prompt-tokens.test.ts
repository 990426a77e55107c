import { expect, test } from "vitest";
import { encodePrompt, type Tokenizer } from "./prompt-tokens.ts";

/** A token a character, specials at 1000 and up. */
const tokenizer: Tokenizer = {
  contextTokens: 8,
  encodeText: (text) => [...text].map((character) => character.charCodeAt(0)),
  specialToken: (text) => (text === "<suf>" ? 1_000 : text === "<pre>" ? 1_001 : undefined),
};

test("each segment is encoded apart and a special one is one token", () => {
  expect(encodePrompt([{ special: "<suf>" }, { text: "b" }, { special: "<pre>" }, { text: "a" }], tokenizer)).toEqual([
    1_000, 98, 1_001, 97,
  ]);
});

test("text that spells a special token stays text", () => {
  expect(encodePrompt([{ text: "<suf>" }], tokenizer)).toHaveLength(5);
});

test.each([
  ["an unknown special token", [{ text: "a" }, { special: "<mid>" }], /segments\[1\]\.special: "<mid>"/],
  ["no segments", [], /empty/],
  ["only empty text", [{ text: "" }], /empty/],
  ["a prompt that leaves no place for one token", [{ text: "12345678" }], /has 8 tokens, the context holds 8/],
  ["a text that no context could hold", [{ text: "x".repeat(8 * 256 + 1) }], /cannot fit/],
] as const)("%s is refused by name", (_title, segments, says) => {
  expect(() => encodePrompt(segments, tokenizer)).toThrow(says);
  expect(() => encodePrompt(segments, tokenizer)).toThrow(expect.objectContaining({ code: "invalid_request" }));
});

test("a prompt that leaves place for one token passes", () => {
  expect(encodePrompt([{ text: "1234567" }], tokenizer)).toHaveLength(7);
});
