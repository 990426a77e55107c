import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { below, seeded } from "../../lib/random.ts";
import { Rope } from "../../lib/structures/rope.ts";
import { triggerAt } from "../../test/support/router.ts";
import type { Snippet, Trigger } from "../completion.ts";
import type { OpenDocument } from "../cursor-text.ts";
import { type ContextOptions, ContextRoom } from "./context.ts";
import { words } from "./pieces.ts";
import { SameDocument } from "./same-document.ts";

const options = {
  chunksMax: 3,
  scanUtf16Max: 64 << 10,
  scansBytes: 1 << 20,
  chosenBytes: 1 << 20,
  timeMs: 2,
  order: "kept",
} as const;
const roomOf = (given: Partial<ContextOptions> = {}, clock = new FakeClock()) =>
  new ContextRoom({ ...options, ...given }, { clock });
type Bounds = Parameters<SameDocument["find"]>[2];
const find = (document: SameDocument, trigger: Trigger, bounds: Bounds) =>
  document.find(trigger, words(trigger.text.before(600) + trigger.text.after(200)), bounds);
const sameDocument = (trigger: Trigger, bounds: Bounds) =>
  find(new SameDocument({ bytesMax: 0, documentsMax: 0 }), trigger, bounds);
const snippet = (text: string, score: number, given: Partial<Snippet> = {}): Snippet => ({
  path: "b.ts",
  text,
  score,
  stable: true,
  ...given,
});
const gather = (snippets: readonly Snippet[], bytes = 1_000, code = "let a = |\n") =>
  roomOf()
    .gather(triggerAt(code, { snippets }), { bytes, windowUtf16: 500 })
    .snippets.map(({ text }) => text);

test.each<[name: string, snippets: Snippet[], bytes: number, chosen: string[]]>([
  ["the best come first", [snippet("one", 0.1), snippet("two", 0.9)], 1_000, ["two", "one"]],
  ["the same text comes once", [snippet("one", 0.9), snippet("one", 0.1, { path: "c.ts" })], 1_000, ["one"]],
  ["no more than a few dilute the prompt", ["a1", "b1", "c1", "d1"].map((text) => snippet(text, 1)), 1_000, ["a1", "b1", "c1"]],
  ["one that does not fit makes room for a smaller one", [snippet("x".repeat(90), 2), snippet("yy", 1)], 80, ["yy"]],
  ["the budget counts bytes", [snippet("漢".repeat(20), 2), snippet("a".repeat(20), 1)], 48 + 4 + 40, ["a".repeat(20)]],
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
      const pieces = find(kept, trigger, bounds);
      expect(pieces, `seed ${seed}, edit ${i}`).toEqual(sameDocument(trigger, bounds));
      found += pieces.length;
    }
    expect(found).toBeGreaterThan(0);
  }
});

const neighbour = (path: string, text: string): OpenDocument => ({ document: `default/s1 ${path}`, path, text: Rope.of(text) });
const helpers = `${functionAt(3)}\n${functionAt(5)}\n`;
const asking = `${"// pad\n".repeat(10)}handle3(value3, total3|\n`;

/** A room that is asked again and again about one document. */
function asked(given: Partial<ContextOptions> = {}, deps: { excludes?: (tenant: string, path: string) => boolean } = {}) {
  const clock = new FakeClock();
  const room = new ContextRoom({ ...options, ...given }, { clock, ...deps });
  const at = (code: string, trigger: Partial<Trigger> = {}, bytes = 4_000) =>
    room.gather(triggerAt(code, trigger), { bytes, windowUtf16: 500, suffixUtf16: 200 }).snippets;
  return { clock, at };
}

test("pieces of the session's other open documents are found by the words of the cursor's lines", () => {
  const neighbours = [neighbour("src/far.ts", documentOf(2)), neighbour("src/near.ts", helpers)];
  expect(asked().at(asking, { neighbours })[0]).toMatchObject({ path: "src/near.ts", text: functionAt(3), stable: true });
});

test("an excluded path gives nothing, whoever sent it, and what was chosen leaves with the exclusion", () => {
  const excluded = new Set<string>();
  const { at } = asked({}, { excludes: (tenant, path) => tenant === "default" && excluded.has(path) });
  const neighbours = [neighbour("src/near.ts", helpers)];
  const snippets = [snippet("given();", 1, { path: "keys/a.ts" })];
  expect(at(asking, { neighbours, snippets })).toHaveLength(2);
  excluded.add("src/near.ts").add("keys/a.ts");
  expect(at(asking, { neighbours, snippets })).toEqual([]);
});

test("a document that was closed is gone at the next key, one that changed is read again", () => {
  const { at } = asked();
  const near = neighbour("src/near.ts", helpers);
  expect(at(asking, { neighbours: [near] })).toHaveLength(1);
  const changed = at(asking, { neighbours: [{ ...near, text: near.text.replace(0, 0, "// new\n") }] });
  expect(changed[0]?.text.startsWith("// new\n")).toBe(true);
  expect(at(asking, { neighbours: [] })).toEqual([]);
});

test.each<[name: string, secret: string]>([
  ["a private key", "-----BEGIN RSA PRIVATE KEY-----"],
  ["a token under a telling name", 'const apiToken = "a9Zk27Qm4Xw1Lr8";'],
])("a chunk with %s is left out", (_, secret) => {
  expect(gather([snippet(`load();\n${secret}\n`, 2), snippet("other();", 1)])).toEqual(["other();"]);
});

test("a chunk whose lines stand there already is left out, in the window or in a better chunk", () => {
  const body = "first(one, two);\nsecond(three);\nthird(four, five);\n";
  expect(gather([snippet(body, 2), snippet(`${body}fourth();`, 1)])).toEqual([body]);
  expect(gather([snippet(body, 2)], 1_000, `${body}|`)).toEqual([]);
});

const givenTwice = (texts: readonly string[], scores: readonly number[]) =>
  texts.map((text, i) => snippet(text, scores[i] ?? 0, { path: `${i}.ts` }));

test("typing on keeps choice and order, whatever ranks higher now", () => {
  const { at } = asked();
  const [a, b, c] = ["alpha(first);", "bravo(second);", "charlie(third);"];
  const chosen = at("let x = |", { snippets: givenTwice([a, b], [1, 2]) });
  const later = at("let x = alpha(first|", { snippets: givenTwice([c, a, b], [9, 8, 7]) });
  expect(later).toEqual(chosen);
});

test("after a while newcomers follow what was chosen, which keeps its place", async () => {
  const { at, clock } = asked();
  const before = at("let x = |", { snippets: [snippet("alpha(first);", 1), snippet("bravo(second);", 2)] }).map(({ text }) => text);
  await clock.advance(11_000);
  const snippets = [snippet("charlie(third);", 9), snippet("alpha(first);", 1), snippet("bravo(second);", 2)];
  expect(at("let x = y|", { snippets }).map(({ text }) => text)).toEqual([...before, "charlie(third);"]);
});

test("stable chunks stand before those that will change", () => {
  const snippets = [snippet("now(one);", 9, { stable: false }), snippet("alpha(first);", 1)];
  expect(
    asked()
      .at("let x = |", { snippets })
      .map(({ text }) => text),
  ).toEqual(["alpha(first);", "now(one);"]);
});

test("elsewhere in the document the choice is made anew", () => {
  const { at } = asked();
  const neighbours = [neighbour("src/near.ts", documentOf(9))];
  const first = at(asking, { neighbours })[0]?.text;
  const elsewhere = at(`${"// pad\n".repeat(400)}handle7(value7, total7|\n`, { neighbours })[0]?.text;
  expect([first, elsewhere]).toEqual([functionAt(3), functionAt(7)]);
});

test("what is asked ahead of the person finds what the last key chose, and changes nothing", () => {
  const { at } = asked();
  const snippets = [snippet("alpha(first);", 1)];
  const chosen = at("let x = |", { snippets });
  at(`${"// pad\n".repeat(400)}|`, { lane: "speculative", kind: "speculative", snippets: [snippet("bravo(second);", 1)] });
  expect(at("let x = y|", { snippets })).toEqual(chosen);
});

test("a time that is spent begins no other document; the choice is completed a second later", async () => {
  const clock = new FakeClock();
  let slowMs = 2;
  let spentMs = 0;
  const slow = {
    now: () => {
      spentMs += slowMs;
      return clock.now() + spentMs;
    },
  };
  const room = new ContextRoom({ ...options, timeMs: 3 }, { clock: slow });
  const own = (i: number) => Array.from({ length: 16 }, (_, line) => `  handle3(value3, total3, own${i}x${line});`).join("\n");
  const neighbours = [1, 2, 3].map((i) => neighbour(`src/${i}.ts`, `${own(i)}\n`));
  const at = () =>
    room.gather(triggerAt(asking, { neighbours }), { bytes: 9_000, windowUtf16: 500 }).snippets.map(({ path }) => path);
  const hurried = at();
  expect(hurried).toHaveLength(1);
  slowMs = 0;
  await clock.advance(900);
  expect(at()).toEqual(hurried);
  await clock.advance(100);
  const whole = at();
  // What stood there keeps its place.
  expect([whole[0], [...whole].sort()]).toEqual([hurried[0], ["src/1.ts", "src/2.ts", "src/3.ts"]]);
});

test("ranked order is the best first at every key", () => {
  const { at } = asked({ order: "ranked" });
  const texts = (scores: readonly number[]) =>
    at("let x = |", { snippets: givenTwice(["alpha(first);", "bravo(second);"], scores) }).map(({ text }) => text);
  expect([texts([1, 2]), texts([2, 1])]).toEqual([
    ["bravo(second);", "alpha(first);"],
    ["alpha(first);", "bravo(second);"],
  ]);
});
