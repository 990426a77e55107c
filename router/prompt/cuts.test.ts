import { expect, test } from "vitest";
import { below, seeded } from "../../lib/random.ts";
import { PlainText } from "../cursor-text.ts";
import { cutWindow, stepFor } from "./cuts.ts";
import { prefixWindow } from "./window.ts";

const cut = (prefix: string, stepBytes: number, bytesMax = 1 << 20) =>
  cutWindow(prefixWindow(new PlainText(prefix, ""), bytesMax), stepBytes);

test.each<[name: string, prefix: string, stepBytes: number, head: string[], tail: string]>([
  ["a short text is one piece", "let a", 16, [], "let a"],
  ["no text is none", "", 16, [], ""],
  ["a cut stands before a line", "0123456789abcdef\nbcd\nefghi", 16, ["0123456789abcdef\n"], "bcd\nefghi"],
  ["a line without indentation is better", "0123456789abcdef\n  b\ncdefgh", 16, ["0123456789abcdef\n  b\n"], "cdefgh"],
  ["an indented line is better than none", "0123456789abcdef\n  b c defgh", 16, ["0123456789abcdef\n"], "  b c defgh"],
  [
    "an empty line is no place, tokens span line feeds",
    "0123456789abcde\n\n\n\nbcdefghij",
    16,
    ["0123456789abcde\n\n\n\n"],
    "bcdefghij",
  ],
  ["a line without end is cut before a blank", "0123456789abcdefg hijklmn", 16, ["0123456789abcdefg"], " hijklmn"],
  ["or between characters", "漢".repeat(9), 16, ["漢".repeat(6)], "漢".repeat(3)],
  ["nothing is cut before the cursor is well past the place", "0123456789abcdef\nbcd\nef", 16, [], "0123456789abcdef\nbcd\nef"],
])("%s", (_, prefix, stepBytes, head, tail) => {
  expect(cut(prefix, stepBytes)).toEqual({ head, tail });
});

test("typing on moves no cut that stands and adds one at most once a step", () => {
  const characters = ["a", "(", " ", "  ", "\n", "\r\n", "foo", "漢", "😀", "}\n"];
  for (const stepBytes of [32, 512]) {
    const random = seeded(stepBytes);
    let prefix = "";
    let before: readonly string[] = [];
    let cuts = 0;
    for (let key = 0; key < 2_000; key++) {
      prefix += characters[below(random, characters.length)];
      const { head, tail } = cut(prefix, stepBytes);
      expect(head.join("") + tail).toBe(prefix);
      expect(head.slice(0, before.length)).toEqual(before);
      expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(2 * stepBytes);
      cuts += head.length - before.length;
      before = head;
    }
    expect(cuts).toBeLessThanOrEqual(Math.ceil(Buffer.byteLength(prefix) / stepBytes) + 3);
    expect(cuts).toBeGreaterThan(Buffer.byteLength(prefix) / stepBytes / 2);
  }
});

test("a cut that the last prompt had stays until the cursor is before it, and only before a line", () => {
  const text = "0123456789abcdef\nbcd\nefghi";
  const window = (length: number) => prefixWindow(new PlainText(text.slice(0, length), ""), 1 << 20);
  const cutAt = (length: number, held?: number) => cutWindow(window(length), 16, held).head.join("").length;
  expect([cutAt(26), cutAt(23), cutAt(23, 17), cutAt(18, 17), cutAt(17, 17), cutAt(16, 17), cutAt(23, 18)]).toEqual([
    17, 0, 17, 17, 0, 0, 0,
  ]);
});

test("a short document is cut sooner", () => {
  const lines = "const a = 1;\n".repeat(30);
  expect(cut(lines, 512).head.map((piece) => piece.length)).toEqual([65, 65, 130]);
});

test("cuts stay where they are when the window's start moves", () => {
  const lines = Array.from({ length: 400 }, (_, i) => `const name${i} = ${i};\n`).join("");
  const whole = cut(lines, 64).head;
  const windowed = cut(lines, 64, 2_000).head;
  expect(windowed.length).toBeGreaterThan(10);
  expect(whole.slice(-windowed.length + 1)).toEqual(windowed.slice(1));
});

test("a prompt has few enough pieces, whatever its budget", () => {
  for (const bytes of [0, 1_000, 60_000, 65_537, 4 << 20]) expect(bytes / stepFor(bytes)).toBeLessThanOrEqual(128);
  expect(stepFor(24_000)).toBe(512);
});
