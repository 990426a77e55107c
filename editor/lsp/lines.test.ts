import { expect, test } from "vitest";
import { below, seeded } from "../../lib/random.ts";
import { Lines } from "./lines.ts";

test.each([
  [{ line: 0, character: 0 }, 0],
  [{ line: 0, character: 3 }, 3],
  [{ line: 0, character: 99 }, 3],
  [{ line: 1, character: 1 }, 6],
  [{ line: 2, character: 9 }, 9],
  [{ line: 3, character: 0 }, undefined],
  [{ line: 0, character: -1 }, undefined],
])("%j is offset %s", (position, offset) => {
  expect(new Lines("a😀\r\nb\r\nc").offsetOf(position)).toBe(offset);
});

test("after any change lines begin where they would in the same text read anew", () => {
  const random = seeded(7);
  const pieces = ["", "x", "\n", "\r", "\r\n", "ab\ncd", "\n\n", "\r\r\n", "😀"];
  const lines = new Lines("one\r\ntwo\rthree\n");
  for (let i = 0; i < 3_000; i++) {
    const start = below(random, lines.text.length + 1);
    const end = Math.min(lines.text.length, start + below(random, 4));
    lines.change(start, end, pieces[below(random, pieces.length)] as string);
    const fresh = new Lines(lines.text);
    expect(lines.count).toBe(fresh.count);
    for (let line = 0; line < fresh.count; line++)
      expect(lines.offsetOf({ line, character: 0 })).toBe(fresh.offsetOf({ line, character: 0 }));
    if (lines.text.length > 60) lines.change(0, 40, "");
  }
});
