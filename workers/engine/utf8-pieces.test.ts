import { expect, test } from "vitest";
import { Utf8Pieces } from "./utf8-pieces.ts";

/** A vocabulary of single bytes: the hardest case for whole characters. */
const bytes = (tokens: readonly number[]) => Buffer.from(tokens).toString("utf8");
const pieces = () => new Utf8Pieces({ before: [] }, { detokenize: bytes });

test("plain text passes token by token", () => {
  const text = pieces();
  expect([..."ab"].map((letter) => text.push(letter.charCodeAt(0), undefined))).toEqual([
    { text: "a", tokens: 1 },
    { text: "b", tokens: 1 },
  ]);
  expect(text.flush()).toBeUndefined();
});

test.each(["é", "世", "🎉"])("%s waits until its last byte", (character) => {
  const text = pieces();
  const given = [...Buffer.from(character)].map((byte) => text.push(byte, 0.5));
  expect(given.pop()).toEqual({ text: character, tokens: Buffer.byteLength(character), confidence: 0.5 });
  expect(given.every((one) => one === undefined)).toBe(true);
});

test("a generation that ends inside a character gives no broken one, and counts its tokens", () => {
  const text = pieces();
  expect(text.push(0xf0, undefined)).toBeUndefined();
  expect(text.push(0x9f, undefined)).toBeUndefined();
  expect(text.flush()).toEqual({ text: "", tokens: 2 });
});

test("bytes that never become a character are not held for ever", () => {
  const text = pieces();
  const given = [0xff, 0xff, 0xff, 0xff].map((byte) => text.push(byte, undefined));
  expect(given.slice(0, 3)).toEqual([undefined, undefined, undefined]);
  expect(given[3]).toEqual({ text: "\uFFFD".repeat(4), tokens: 4 });
  expect(text.push(0x61, undefined)).toEqual({ text: "a", tokens: 1 });
});

test("a probability is told only when it is known for every token of the piece", () => {
  const text = pieces();
  text.push(0xc3, 0.5);
  expect(text.push(0xa9, undefined)).toEqual({ text: "é", tokens: 2 });
  text.push(0xc3, 0.5);
  expect(text.push(0xa9, 1)).toEqual({ text: "é", tokens: 2, confidence: 0.75 });
});

test("the detokeniser sees the tokens before, so that leading spaces stay right", () => {
  const seen: (readonly number[])[] = [];
  const text = new Utf8Pieces(
    { before: [1, 2, 3, 4, 5, 6] },
    {
      detokenize: (tokens, before) => {
        seen.push(before);
        return String(tokens);
      },
    },
  );
  text.push(7, undefined);
  text.push(8, undefined);
  expect(seen).toEqual([
    [3, 4, 5, 6],
    [4, 5, 6, 7],
  ]);
});

test("what healing spells again is not given out, over as many tokens as it takes", () => {
  const words: Record<number, string> = { 1: "ret", 2: "urn", 3: " 1" };
  const text = new Utf8Pieces(
    { before: [], strip: "retu" },
    { detokenize: (tokens) => tokens.map((token) => words[token]).join("") },
  );
  expect([1, 2, 3].map((token) => text.push(token, undefined)?.text)).toEqual(["", "rn", " 1"]);
});
