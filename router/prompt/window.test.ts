import { expect, test } from "vitest";
import { below, seeded } from "../../lib/random.ts";
import { PlainText } from "../cursor-text.ts";
import { suffixWindow as windowAfter, prefixWindow as windowBefore } from "./window.ts";

const prefixWindow = (prefix: string, bytesMax: number) => windowBefore(new PlainText(prefix, ""), bytesMax).bytes.toString();
const suffixWindow = (suffix: string, bytesMax: number) => windowAfter(new PlainText("", suffix), bytesMax);

test.each<[name: string, prefix: string, bytesMax: number, window: string]>([
  ["a prefix that fits is whole", "let a", 5, "let a"],
  ["no budget is no text", "let a", 0, ""],
  ["no text is no text", "", 100, ""],
  ["a long prefix begins at a line", "aaaa\nbb\ncc\ndd\nee", 12, "cc\ndd\nee"],
  ["a line without end is cut where the budget says", "x".repeat(100), 10, "x".repeat(10)],
  ["between characters, where they have three bytes", "漢".repeat(10), 8, "漢".repeat(2)],
  ["and where they have four", "😀".repeat(10), 7, "😀"],
])("%s", (_, prefix, bytesMax, window) => {
  expect(prefixWindow(prefix, bytesMax)).toBe(window);
});

test.each<[name: string, suffix: string, bytesMax: number, window: string]>([
  ["a suffix that fits is whole", ");\n}", 4, ");\n}"],
  ["no budget is no text", ");", 0, ""],
  ["a long suffix ends at a line end", "aa\nbb\ncc\n", 7, "aa\nbb\n"],
  ["a line without end is cut where the budget says", "x".repeat(100), 10, "x".repeat(10)],
  ["a line end right after the cursor is no place to end", `\n${"x".repeat(100)}`, 5, "\nxxxx"],
  ["between characters, where they have three bytes", "漢".repeat(10), 8, "漢".repeat(2)],
  ["and where they have four", "😀".repeat(10), 7, "😀"],
  ["all of a text that is as long as the budget in bytes", "漢漢", 6, "漢漢"],
])("%s", (_, suffix, bytesMax, window) => {
  expect(suffixWindow(suffix, bytesMax)).toBe(window);
});

const alphabets: readonly [name: string, characters: readonly string[]][] = [
  ["code", ["a", "b", "(", ")", " ", "  ", "\n", "foo", "=", ";", "}\n"]],
  ["code in Windows lines", ["a", "foo", " ", "\r\n", "(", ")"]],
  ["prose of three bytes a character", ["漢", "字", "。", "漢字漢字漢字", "\n"]],
  ["characters of two units", ["😀", "𝒳", "a", "\n", "🧑‍🚀"]],
  ["a line without end", ["x", "y", ","]],
];

test.each(alphabets)("typing %s forward moves the window's start at most once per half budget", (_, characters) => {
  const faults: string[] = [];
  for (const bytesMax of [64, 500, 4_096]) {
    const random = seeded(bytesMax);
    let prefix = "";
    while (Buffer.byteLength(prefix) < bytesMax * 2) prefix += characters[below(random, characters.length)];
    let start = -1;
    let movedAtBytes = 0;
    for (let key = 0; key < 2_000; key++) {
      prefix += characters[below(random, characters.length)];
      const window = prefixWindow(prefix, bytesMax);
      const size = Buffer.byteLength(window);
      const must = (what: string, holds: boolean) => holds || faults.push(`${what} at key ${key} of ${bytesMax} bytes`);
      must("the prefix's end, whole characters", prefix.endsWith(window) && window.isWellFormed());
      must("within the budget", size <= bytesMax);
      // Half the budget before the line search, a quarter at worst after it.
      must("no less than a quarter", size > bytesMax / 4 - 4);
      const at = prefix.length - window.length;
      if (at === start) continue;
      const bytes = Buffer.byteLength(prefix);
      must("forward", at > start);
      must("half a budget after the last", start < 0 || bytes - movedAtBytes >= Math.floor(bytesMax / 2) - 20);
      [start, movedAtBytes] = [at, bytes];
    }
  }
  expect(faults).toEqual([]);
});

test("windows of random text never tear a character and never exceed their budget", () => {
  const characters = ["a", "é", "漢", "😀", "\n", "\r\n"];
  for (let seed = 1; seed <= 300; seed++) {
    const random = seeded(seed);
    const text = Array.from({ length: below(random, 80) }, () => characters[below(random, characters.length)]).join("");
    const bytesMax = below(random, 120);
    for (const window of [prefixWindow(text, bytesMax), suffixWindow(text, bytesMax)]) {
      expect(window.isWellFormed(), `seed ${seed}`).toBe(true);
      expect(Buffer.byteLength(window), `seed ${seed}`).toBeLessThanOrEqual(bytesMax);
    }
    expect(text.endsWith(prefixWindow(text, bytesMax)), `seed ${seed}`).toBe(true);
    expect(text.startsWith(suffixWindow(text, bytesMax)), `seed ${seed}`).toBe(true);
  }
});
