import { expect, test } from "vitest";
import { lookup } from "./lookup.ts";

test.each<[title: string, history: number[], length: number, match: number, tokens: number[]]>([
  ["what followed the same tokens before", [1, 2, 3, 4, 5, 9, 2, 3], 3, 2, [4, 5, 9]],
  ["the longest match, though a shorter one is nearer", [1, 2, 3, 7, 8, 3, 6, 6, 2, 3], 1, 2, [7]],
  ["of equal matches the most recent", [1, 5, 1, 6, 1], 1, 1, [6]],
  ["no more than asked for", [1, 2, 3, 4, 1], 2, 1, [2, 3]],
  ["fewer when the text ends there", [4, 1, 1], 4, 1, [1]],
  ["into the end itself, for what repeats", [7, 7, 7], 4, 2, [7]],
  ["nothing, when the last token is new", [1, 2, 3], 4, 0, []],
  ["nothing of one token", [1], 4, 0, []],
  ["nothing of nothing", [], 4, 0, []],
])("%s", (_title, history, length, match, tokens) => {
  expect(lookup(history, length)).toEqual({ match, tokens });
});

test("a match is told no longer than sixteen tokens", () => {
  const text = Array.from({ length: 40 }, (_, i) => i);
  expect(lookup([...text, ...text], 2)).toEqual({ match: 16, tokens: [0, 1] });
});
