import { expect, test } from "vitest";
import { below, seeded } from "../../lib/random.ts";
import { triggerAt } from "../../test/support/router.ts";
import type { Snippet } from "../completion.ts";
import { ContextRoom } from "./context.ts";
import { SameDocument } from "./same-document.ts";

const room = new ContextRoom({ chunksMax: 3, scanUtf16Max: 64 << 10, scansBytes: 1 << 20 });
const sameDocument = (...asked: Parameters<SameDocument["find"]>) =>
  new SameDocument({ bytesMax: 0, documentsMax: 0 }).find(...asked);
const snippet = (text: string, score: number, given: Partial<Snippet> = {}): Snippet => ({
  path: "b.ts",
  text,
  score,
  stable: true,
  ...given,
});
const gather = (snippets: readonly Snippet[], bytes = 1_000, code = "let a = |\n") =>
  room.gather(triggerAt(code, { snippets }), { bytes, windowUtf16: 500 }).snippets.map(({ text }) => text);

test.each<[name: string, snippets: Snippet[], bytes: number, chosen: string[]]>([
  ["the best come first", [snippet("one", 0.1), snippet("two", 0.9)], 1_000, ["two", "one"]],
  ["the same text comes once", [snippet("one", 0.9), snippet("one", 0.1, { path: "c.ts" })], 1_000, ["one"]],
  ["no more than a few dilute the prompt", ["a1", "b1", "c1", "d1"].map((text) => snippet(text, 1)), 1_000, ["a1", "b1", "c1"]],
  ["one that does not fit makes room for a smaller one", [snippet("x".repeat(90), 2), snippet("yy", 1)], 80, ["yy"]],
  ["the budget counts bytes", [snippet("漢漢漢", 2), snippet("abc", 1)], 8, ["abc"]],
  ["what stands around the cursor anyway is left out", [snippet("  let a = \n", 1), snippet("other", 0.5)], 1_000, ["other"]],
  ["white space is no context", [snippet(" \n", 1)], 1_000, []],
  ["without a budget there is none", [snippet("one", 1)], 0, []],
])("%s", (_, snippets, bytes, chosen) => {
  expect(gather(snippets, bytes)).toEqual(chosen);
});

/** A document of functions; the one at `index` has words of its own. */
const functionAt = (index: number) =>
  Array.from({ length: 16 }, (_, line) => `  handle${index}(value${index}, step${line}, total${index});`).join("\n");
const documentOf = (count: number) => Array.from({ length: count }, (_, index) => functionAt(index)).join("\n");

test("pieces of the same document are ranked by the words they share with the cursor's lines", () => {
  const code = `${documentOf(8)}\n${"// pad\n".repeat(40)}handle3(value3, total3, step1|\n`;
  const found = sameDocument(triggerAt(code), { windowUtf16: 200, scanUtf16Max: 64 << 10 });
  expect(found[0]).toMatchObject({ text: functionAt(3), path: "src/a.ts", stable: false });
  expect(found.every((piece, i) => i === 0 || piece.score <= (found[i - 1]?.score ?? 0))).toBe(true);
});

test("client snippets stand before pieces of the document", () => {
  const code = `${documentOf(8)}\n${"// pad\n".repeat(80)}handle3(value3, total3|\n`;
  expect(gather([snippet("given", 0)], 10_000, code)[0]).toBe("given");
});

test.each<[name: string, code: string]>([
  ["a document that fits the window", "handle1(value1)|\n"],
  ["fewer lines than a piece above the window", `${"handle1(value1);\n".repeat(10)}${"// pad\n".repeat(100)}handle1(value1|\n`],
  ["nothing in common", `${documentOf(4)}\n${"// pad\n".repeat(100)}wholly different|\n`],
])("%s gives no pieces", (_, code) => {
  expect(sameDocument(triggerAt(code), { windowUtf16: 720, scanUtf16Max: 64 << 10 })).toEqual([]);
});

test("while the person types on, a piece that stays is the same bytes", () => {
  const code = `${documentOf(200)}\n`;
  const typed = "handle3(value3, total3, step1);\n".repeat(40);
  const seen = new Set<string>();
  for (let at = 0; at < typed.length; at++) {
    const trigger = triggerAt(`${code}${typed.slice(0, at)}|`);
    for (const { text } of sameDocument(trigger, { windowUtf16: 1_000, scanUtf16Max: 16 << 10 })) seen.add(text);
  }
  // Every piece begins where another could begin: sixteen whole lines, cut from a scan that moves by 4,096 units.
  for (const text of seen) {
    expect(text.split("\n")).toHaveLength(16);
    expect(code + typed).toContain(`${text}\n`);
  }
  expect(seen.size).toBeGreaterThan(0);
  expect(seen.size).toBeLessThan(60);
});

test("what is kept of a document never shows: edits anywhere give what a fresh look gives", () => {
  const bounds = { windowUtf16: 400, scanUtf16Max: 12 << 10 };
  for (let seed = 1; seed <= 10; seed++) {
    const random = seeded(seed);
    const kept = new SameDocument({ bytesMax: 1 << 20, documentsMax: 2 });
    let text = documentOf(60);
    let found = 0;
    for (let i = 0; i < 60; i++) {
      const at = random.next() < 0.8 ? text.length : below(random, text.length);
      text = `${text.slice(0, at)}${random.next() < 0.5 ? "handle3(value3, step1);\n" : `x${i}\n`}${text.slice(at + below(random, 3))}`;
      const trigger = triggerAt(`${text}handle3(value3, total3|\n`, { document: `d${below(random, 3)}` });
      const pieces = kept.find(trigger, bounds);
      expect(pieces, `seed ${seed}, edit ${i}`).toEqual(sameDocument(trigger, bounds));
      found += pieces.length;
    }
    expect(found).toBeGreaterThan(0);
  }
});
