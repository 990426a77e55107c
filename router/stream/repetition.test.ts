import { expect, test } from "vitest";
import { below, seeded } from "../../lib/random.ts";
import { CycleRepeats, LineRepeats } from "./repetition.ts";

test.each<[name: string, line: string, repeats: boolean]>([
  ["an ordinary line", "const total = items.reduce((sum, item) => sum + item.price * item.count, 0);", false],
  ["a word over and over", "foo ".repeat(20), true],
  ["a call in a call in a call", "wrap(".repeat(12), true],
  ["a phrase three times", "and then we call the function again ".repeat(3), true],
  ["a phrase twice", "and then we call the function again ".repeat(2), false],
  ["a letter held down", "a".repeat(60), true],
  ["a short run of it", "a".repeat(59), false],
  ["a ruler", "// ".padEnd(200, "-"), false],
  ["a row of zeros", "[".concat("0, ".repeat(60)), false],
  ["a row of fractions", "0.5, ".repeat(40), false],
  ["white space", " ".repeat(200), false],
  ["a few nulls", "null, ".repeat(8), false],
  ["it begins late", `x = compute(with, some, args) + ${"b + ".repeat(20)}`, true],
  ["a longer cycle than is looked for", `${"abcdefghij klmnopqrst uvwxyz, ".repeat(3).slice(0, 80)} `.repeat(3), false],
])("within a line: %s", (_, line, repeats) => {
  expect(new LineRepeats().feed(line)).toBe(repeats);
});

test("a line tells the same in pieces, and the next line begins anew", () => {
  const random = seeded(2);
  for (let i = 0; i < 300; i++) {
    const line = Array.from({ length: 6 }, () => ["ab ", "null, ", "x", "-"][below(random, 4)]?.repeat(below(random, 24))).join("");
    const pieces = new LineRepeats();
    let told = false;
    for (const unit of line) told ||= pieces.feed(unit);
    expect(told).toBe(new LineRepeats().feed(line));
    pieces.reset();
    expect(pieces.feed("ab ab ")).toBe(false);
  }
});

test.each<[name: string, lines: string[], kept: number]>([
  ["different lines", ["a();", "b();", "c();"], 3],
  ["one line", ["a();", "a();", "a();", "a();"], 2],
  ["the same at another indent is another", ["a();", "  a();", "    a();"], 3],
  ["a cycle of two", ["a();", "b();", "a();", "b();", "a();"], 4],
  ["a cycle of three", ["a", "b", "c", "a", "b", "c", "a"], 6],
  ["a cycle that breaks off", ["a", "b", "a", "b", "c", "a"], 6],
  ["after something else", ["x", "a", "a", "a"], 3],
  ["brackets alone are no words", ["}", "}", "}", "}"], 4],
])("over lines: %s", (_, lines, kept) => {
  const cycles = new CycleRepeats();
  const at = lines.findIndex((line) => cycles.begins(line));
  expect(at < 0 ? lines.length : at).toBe(kept);
});
