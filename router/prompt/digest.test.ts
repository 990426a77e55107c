import { expect, test } from "vitest";
import { below, seeded } from "../../lib/random.ts";
import { commonBytes, digested, type Rendered } from "./digest.ts";

const code = Array.from({ length: 600 }, (_, i) => `const name${i} = value(${i * 7});\n`).join("");

test("a key hashes the block it is typed in, whatever the prompt's length", () => {
  for (const length of [2_000, 16_000]) {
    let before: Rendered | undefined;
    const hashed: number[] = [];
    for (let key = 0; key < 300; key++) {
      before = digested(Buffer.from(code.slice(0, length + key)), "acme", before);
      hashed.push(before.hashed);
    }
    expect(hashed[0]).toBe(Math.floor(length / 64));
    expect(hashed.slice(1).reduce((sum, blocks) => sum + blocks, 0)).toBe(
      Math.floor((length + 299) / 64) - Math.floor(length / 64),
    );
    expect(Math.max(...hashed.slice(1))).toBe(1);
  }
});

test("digests taken from an earlier prompt are those of a fresh look, wherever an edit was", () => {
  const random = seeded(5);
  let text = code.slice(0, 9_000);
  let before: Rendered | undefined;
  for (let edit = 0; edit < 200; edit++) {
    const at = below(random, text.length);
    text = text.slice(0, at) + ["x", "漢", "", "let a;\n"][below(random, 4)] + text.slice(at + below(random, 4));
    const bytes = Buffer.from(text);
    const fresh = digested(bytes, "acme");
    const known: Rendered = digested(bytes, "acme", before);
    expect(Buffer.from(known.digests).equals(fresh.digests)).toBe(true);
    const sameBlocks = before ? Math.floor(commonBytes(before.bytes, bytes) / 64) : 0;
    expect(known.hashed).toBe(Math.floor(bytes.length / 64) - sameBlocks);
    before = known;
  }
});

test.each<[name: string, a: string, b: string, common: number]>([
  ["nothing", "", "abc", 0],
  ["one the beginning of the other", "abc", "abcd", 3],
  ["a difference at the start", "xbc", "abc", 0],
  ["a difference beyond a stride", `${"a".repeat(5_000)}x`, `${"a".repeat(5_000)}y`, 5_000],
  ["a difference at the end of a stride", `${"a".repeat(1_023)}x`, `${"a".repeat(1_023)}y${"a".repeat(2_000)}`, 1_023],
])("common bytes: %s", (_, a, b, common) => {
  expect(commonBytes(Buffer.from(a), Buffer.from(b))).toBe(common);
  expect(commonBytes(Buffer.from(b), Buffer.from(a))).toBe(common);
});
