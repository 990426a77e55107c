import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { SlipstreamError } from "../../lib/errors.ts";
import { below, type Random, seeded } from "../../lib/random.ts";
import { Document, type Edit } from "./document.ts";

const bytesMax = 1_000;
const sha256 = (text: string) => new Uint8Array(createHash("sha256").update(text, "utf8").digest());
const opened = (text: string, version = 1n) =>
  new Document({ path: "a.ts", language: "typescript", excluded: false, version, text, bytesMax });
const step = (edits: readonly Edit[], given: { baseVersion?: bigint; version?: bigint; sha256After?: Uint8Array } = {}) => ({
  baseVersion: 1n,
  version: 2n,
  sha256After: new Uint8Array(),
  now: 5,
  ...given,
  edits,
});
const edit = (startUtf16: number, endUtf16: number, text: string): Edit => ({ startUtf16, endUtf16, text });
const fieldOf = (act: () => unknown) => {
  try {
    act();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(SlipstreamError);
    expect((thrown as SlipstreamError).code).toBe("invalid_request");
    return (thrown as SlipstreamError).field;
  }
  throw new Error("nothing was thrown");
};

test.each<[name: string, before: string, edits: readonly Edit[], after: string]>([
  ["a character is typed", "fo", [edit(2, 2, "o")], "foo"],
  ["a range is replaced", "let a = 1", [edit(4, 5, "bcd")], "let bcd = 1"],
  ["everything is deleted", "gone", [edit(0, 4, "")], ""],
  ["edits refer to the text after the edits before them", "ab", [edit(0, 0, "x"), edit(3, 3, "y")], "xaby"],
  ["offsets count UTF-16 units, so an emoji is two", "a😀b", [edit(3, 4, "c")], "a😀c"],
  ["a whole emoji is replaced", "a😀b", [edit(1, 3, "é")], "aéb"],
  ["an edit touches the end of an emoji", "😀", [edit(2, 2, "!")], "😀!"],
  ["Windows line ends are text like any other", "a\r\nb", [edit(1, 3, "\n")], "a\nb"],
  ["no edit but a new version", "same", [], "same"],
])("%s", (_, before, edits, after) => {
  const document = opened(before);
  expect(document.apply(step(edits, { sha256After: sha256(after) }))).toBeUndefined();
  expect(document.text.toString()).toBe(after);
  expect(document.version).toBe(2n);
  expect(document.editedMs).toBe(5);
  expect(document.stale).toBe(false);
});

test.each<[name: string, edits: readonly Edit[], field: string]>([
  ["a start past the end", [edit(7, 7, "x")], "document_edit.edits[0].start_utf16"],
  ["an end past the end", [edit(0, 7, "x")], "document_edit.edits[0].end_utf16"],
  ["a start after its end", [edit(2, 1, "x")], "document_edit.edits[0].start_utf16"],
  ["a start inside a surrogate pair", [edit(3, 4, "x")], "document_edit.edits[0].start_utf16"],
  ["an end inside a surrogate pair", [edit(2, 3, "x")], "document_edit.edits[0].end_utf16"],
  ["half a surrogate pair as text", [edit(0, 0, "\ud83d")], "document_edit.edits[0].text"],
  ["a second edit that is out of range", [edit(0, 4, ""), edit(5, 5, "x")], "document_edit.edits[1].start_utf16"],
  ["a text over the size of a document", [edit(0, 0, "x".repeat(bytesMax + 1))], "document_edit.edits[0].text"],
  ["edits that make the document too large", [edit(0, 0, "x".repeat(600)), edit(0, 0, "é".repeat(250))], "document_edit.edits"],
  ["more edits than a message may hold", Array.from({ length: 1_025 }, () => edit(0, 0, "")), "document_edit.edits"],
])("refuses %s, and changes nothing", (_, edits, field) => {
  const document = opened("ab😀cd");
  expect(fieldOf(() => document.apply(step(edits)))).toBe(field);
  expect([document.text.toString(), document.version, document.stale]).toEqual(["ab😀cd", 1n, false]);
  expect(document.apply(step([edit(0, 1, "")]))).toBeUndefined();
});

test("the size counts bytes, also where the text has fewer characters than before", () => {
  const document = opened("x".repeat(bytesMax));
  expect(fieldOf(() => document.apply(step([edit(0, 500, "漢".repeat(300))])))).toBe("document_edit.edits");
  expect(document.apply(step([edit(0, 900, "漢".repeat(300))]))).toBeUndefined();
  expect(document.text.bytes).toBe(bytesMax);
});

test("an edit shares the document with the text before it, however long that is", () => {
  const large = { path: "a", language: "", excluded: false, version: 1n, bytesMax: 4 << 20 };
  const document = new Document({ ...large, text: "x".repeat(1 << 20) });
  const before = document.text;
  const edits = Array.from({ length: 1_024 }, (_, i) => edit(i * 1_000, i * 1_000 + 1, "y"));
  expect(document.apply(step(edits))).toBeUndefined();
  expect(before.slice(0, 2)).toBe("xx");
  expect(document.text.slice(0, 2)).toBe("yx");
});

test("of a large document the first hash is checked, then one in as many edits as pay for it", () => {
  const large = { path: "a", language: "", excluded: false, version: 0n, bytesMax: 4 << 20 };
  const text = "x".repeat(160 << 10);
  const wrong = sha256("something else");
  const checks = (after: number) => {
    const document = new Document({ ...large, text });
    for (let version = 0n; version < 200n; version++) {
      const given = { baseVersion: version, version: version + 1n, sha256After: version < after ? sha256(text) : wrong };
      if (document.apply(step([edit(0, 1, "x")], given))) return Number(version) - after;
    }
    throw new Error("was never checked");
  };
  expect(checks(0)).toBe(0);
  for (let after = 1; after < 30; after++) expect(checks(after), `after ${after} edits`).toBeLessThanOrEqual(11);
});

test("a version that does not grow is refused by its field", () => {
  expect(fieldOf(() => opened("a", 5n).apply(step([], { baseVersion: 5n, version: 5n })))).toBe("document_edit.version");
});

test.each([
  ["of an older version", { baseVersion: 0n }],
  ["of a version that is not there yet", { baseVersion: 7n, version: 8n }],
  ["whose result has another hash", { sha256After: sha256("something else") }],
  ["whose hash is no hash", { sha256After: new Uint8Array([1, 2, 3]) }],
])("an edit %s makes the mirror stale until the document is sent again", (_, given) => {
  const document = opened("a");
  const mismatch = document.apply(step([edit(1, 1, "b")], given));
  expect(mismatch?.heldVersion).toBe(document.version);
  expect(document.stale).toBe(true);
  expect(document.apply(step([], { baseVersion: document.version, version: 9n }))).toEqual({
    heldVersion: 0n,
    detail: "the document is waiting for DocumentOpen",
  });
});

test("a document that is too large, or no Unicode, is not opened", () => {
  expect(fieldOf(() => opened("x".repeat(bytesMax + 1)))).toBe("document_open.text");
  expect(fieldOf(() => opened("漢".repeat(334)))).toBe("document_open.text");
  expect(fieldOf(() => opened("a\udc00"))).toBe("document_open.text");
});

/** Code with characters of one, two and three bytes and of two units. */
const characters = ["a", "\n", "é", "漢", "😀", "🧑‍🚀", " "];
function textOf(random: Random, length: number): string {
  return Array.from({ length: below(random, length + 1) }, () => characters[below(random, characters.length)]).join("");
}

test("random edits give what naive string edits give", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seeded(seed);
    let naive = textOf(random, 20);
    const document = opened(naive);
    for (let version = 1n; version < 20n; version++) {
      const edits: Edit[] = [];
      let next = naive;
      for (let i = below(random, 4); i > 0; i--) {
        // Cut between characters: offsets of the points where one begins.
        const points = [0];
        for (const character of next) points.push((points.at(-1) ?? 0) + character.length);
        const pick = () => points[below(random, points.length)] ?? 0;
        const [start, end] = [pick(), pick()].sort((a, b) => a - b) as [number, number];
        edits.push(edit(start, end, textOf(random, 5)));
        next = next.slice(0, start) + edits.at(-1)?.text + next.slice(end);
      }
      if (Buffer.byteLength(next) > bytesMax) break;
      const told = document.apply(step(edits, { baseVersion: version, version: version + 1n, sha256After: sha256(next) }));
      expect(told, `seed ${seed}`).toBeUndefined();
      naive = next;
      expect(document.text.toString(), `seed ${seed}`).toBe(naive);
    }
    const room = bytesMax - Buffer.byteLength(naive);
    const at = { baseVersion: document.version, version: document.version + 1n };
    expect(
      fieldOf(() => document.apply(step([edit(0, 0, "x".repeat(room + 1))], at))),
      `seed ${seed}`,
    ).toMatch(/^document_edit/);
    expect(document.apply(step([edit(0, 0, "x".repeat(room))], at)), `seed ${seed}`).toBeUndefined();
  }
});
