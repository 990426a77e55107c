import { expect, test } from "vitest";
import { StopScanner } from "./stops.ts";

/** What goes out for each piece, then how it ended and what was held back. */
function scan(pieces: readonly string[], stops: readonly string[], stopAtNewline = false) {
  const scanner = new StopScanner({ stops, stopAtNewline });
  const out: string[] = [];
  for (const piece of pieces) {
    const { text, end } = scanner.take(piece);
    out.push(text);
    if (end) return { out, end, rest: scanner.rest() };
  }
  return { out, end: undefined, rest: scanner.rest() };
}

test.each([
  ["no stop lets everything pass", ["a", "b\n"], [], false, ["a", "b\n"], undefined, ""],
  ["a stop in one piece", ["ab<|end|>c"], ["<|end|>"], false, ["ab"], "stop", ""],
  ["a stop over three pieces", ["ab<|", "en", "d|>c"], ["<|end|>"], false, ["ab", "", ""], "stop", ""],
  ["what looked like a stop and was none", ["ab<|", "x", "y"], ["<|end|>"], false, ["ab", "<|x", "y"], undefined, ""],
  ["held back at the end is text after all", ["ab<|en"], ["<|end|>"], false, ["ab"], undefined, "<|en"],
  ["the stop that begins first counts", ["x;\n}"], ["}", ";\n"], false, ["x"], "stop", ""],
  ["overlapping beginnings keep the longest", ["aab", "aac"], ["aabaac"], false, ["", ""], "stop", ""],
  ["a stop that is its own beginning", ["aa", "ab"], ["aab"], false, ["", "a"], "stop", ""],
  ["the newline is cut off", ["ab", "c\nd"], [], true, ["ab", "c"], "cut", ""],
  ["so is the carriage return before it", ["ab\r", "\nd"], [], true, ["ab", ""], "cut", ""],
  ["a lone carriage return is text", ["ab\r", "cd"], [], true, ["ab", "\rcd"], undefined, ""],
  ["newline before a later stop", ["a\nb;"], [";"], true, ["a"], "cut", ""],
  ["half a character waits for its other half", ["a\ud83d", "\ude00b"], [], false, ["a", "😀b"], undefined, ""],
  ["half a character for ever is replaced", ["a\ud83d"], [], false, ["a"], undefined, "\ufffd"],
  ["a stray half inside is replaced", ["a\ude00b"], [], false, ["a\ufffdb"], undefined, ""],
] as const)("%s", (_what, pieces, stops, newline, out, end, rest) => {
  expect(scan(pieces, stops, newline)).toEqual({ out, end, rest });
});

test("however a text is cut into pieces, the same goes out", () => {
  const text = "if (a) {\r\n  return '😀';\r\n}\nend";
  for (const stops of [[], ["';\r\n}"], ["nd"]]) {
    const whole = scan([text], stops);
    for (let size = 1; size < 7; size++) {
      const cut = scan(text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [], stops);
      expect(cut.out.join("") + cut.rest).toBe(whole.out.join("") + whole.rest);
      expect(cut.end).toBe(whole.end);
    }
  }
});
