import { expect, test } from "vitest";
import { isBoundary, wholeCharacters } from "./graphemes.ts";

test.each<[text: string, boundaries: number[]]>([
  ["ab", [0, 1, 2]],
  ["", [0]],
  ["😀a", [0, 2, 3]],
  ["e\u0301x", [0, 2, 3]],
  ["👩\u200d💻", [0, 5]],
  ["🇩🇪🇫🇷", [0, 4, 8]],
  ["👍🏽!", [0, 4, 5]],
  ["a\r\nb", [0, 1, 3, 4]],
  ["한글", [0, 1, 2]],
])("%j may be cut at %j", (text, boundaries) => {
  expect(Array.from({ length: text.length + 1 }, (_, at) => at).filter((at) => isBoundary(text, at))).toEqual(boundaries);
});

test.each([
  ["abc", "abc"],
  ["", ""],
  ["a\ud83d", "a"],
  ["👩\u200d", "👩"],
  ["👩\u200d\ud83d", "👩"],
  ["\u200d\u200d", ""],
  ["😀", "😀"],
])("%j ends with a whole character as %j", (text, whole) => {
  expect(wholeCharacters(text)).toBe(whole);
});
