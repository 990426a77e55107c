import { expect, test } from "vitest";
import { below, type Random, seeded } from "../random.ts";
import { Rope } from "./rope.ts";

const characters = ["a", "\n", "é", "漢", "😀", "let x = 1;\n", " "];
function textOf(random: Random, parts: number): string {
  return Array.from({ length: parts }, () => characters[below(random, characters.length)]).join("");
}
/** Offsets where a character begins, and the end. */
function boundary(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code < 0xe000 ? at - 1 : at;
}

function check(rope: Rope, text: string, random: Random, why: string): void {
  expect(rope.length, why).toBe(text.length);
  expect(rope.bytes, why).toBe(Buffer.byteLength(text));
  expect(rope.toString(), why).toBe(text);
  const pieces = [...rope.pieces()];
  expect(pieces.join(""), why).toBe(text);
  for (const piece of pieces) {
    expect(piece.isWellFormed(), why).toBe(true);
    expect(piece.length, why).toBeLessThanOrEqual(2_048);
    if (pieces.length > 1) expect(piece.length, why).toBeGreaterThanOrEqual(500);
  }
  // An AVL tree of n leaves is at most 1.44 log2(n) + 2 high.
  expect(rope.height, why).toBeLessThanOrEqual(1.45 * Math.log2(pieces.length) + 2);
  for (let i = 0; i < 5; i++) {
    const [from, to] = [below(random, text.length + 1), below(random, text.length + 1)].sort((a, b) => a - b) as [number, number];
    expect(rope.slice(from, to), why).toBe(text.slice(from, to));
    const at = boundary(text, from);
    expect(rope.bytesBefore(at), why).toBe(Buffer.byteLength(text.slice(0, at)));
  }
}

test.each([
  ["an empty text", 0],
  ["a text of one piece", 100],
  ["a text of several pieces", 4_000],
  ["a text of many pieces", 40_000],
])("%s is what was put in", (_, parts) => {
  const random = seeded(parts + 1);
  const text = textOf(random, parts);
  check(Rope.of(text), text, random, "");
});

test("random replacements give what string replacements give, and the tree stays balanced", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = seeded(seed);
    let text = textOf(random, below(random, 20_000));
    let rope = Rope.of(text);
    for (let i = 0; i < 60; i++) {
      const from = boundary(text, below(random, text.length + 1));
      // Mostly keys, now and then a large paste or deletion.
      const reach = random.next() < 0.7 ? 3 : random.next() < 0.5 ? 3_000 : text.length;
      const to = boundary(text, Math.min(text.length, from + below(random, reach + 1)));
      const insert = textOf(random, random.next() < 0.8 ? below(random, 3) : below(random, 4_000));
      const [start, end] = to < from ? [to, from] : [from, to];
      text = text.slice(0, start) + insert + text.slice(end);
      rope = rope.replace(start, end, insert);
      if (i % 10 === 9) check(rope, text, random, `seed ${seed}, step ${i}`);
    }
    check(rope, text, random, `seed ${seed}`);
    check(rope.replace(0, rope.length, ""), "", random, `seed ${seed}, emptied`);
  }
});

test("a rope that was replaced still reads as before", () => {
  const text = "line\n".repeat(10_000);
  const before = Rope.of(text);
  const after = before.replace(25_000, 25_004, "LINE");
  expect(before.toString()).toBe(text);
  expect(after.slice(24_995, 25_010)).toBe("line\nLINE\nline\n");
});

test("typing and deleting for long leaves as few pieces as the text needs", () => {
  let rope = Rope.of("x".repeat(100_000));
  const random = seeded(9);
  for (let i = 0; i < 20_000; i++) {
    const at = below(random, rope.length);
    rope = i % 2 === 0 ? rope.replace(at, at, "y") : rope.replace(at, at + 1, "");
  }
  expect(rope.length).toBe(100_000);
  expect([...rope.pieces()].length).toBeLessThanOrEqual(100_000 / 500);
});
