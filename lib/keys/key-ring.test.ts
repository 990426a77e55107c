import { expect, test } from "vitest";
import { wallOf } from "../clock.ts";
import { seeded } from "../random.ts";
import { createKey, digestOf, withoutSecrets } from "./key.ts";
import { KeyRing, keyLine } from "./key-ring.ts";

const random = seeded(1);
const [one, two, three] = [createKey(random), createKey(random), createKey(random)];
const hash = digestOf(one.text).toString("hex");
const parse = (text: string) => KeyRing.parse(text, "keys.txt");
const day = wallOf("2027-01-31");

test("a key has a prefix, an id to be found by, and a secret that no two share", () => {
  expect(one.text).toMatch(/^slp_[0-9a-f]{12}_[0-9a-f]{48}$/);
  expect(one.text).toContain(`_${one.id}_`);
  expect(two.text.slice(-48)).not.toBe(one.text.slice(-48));
});

test("a file of hashes tells whose a key is; two keys of one tenant are both valid", () => {
  const ring = parse(`# who\n${keyLine("acme", one)}\n\n${keyLine("acme", two)} # the next one\r\n${keyLine("@admin", three)}\n`);
  expect(ring.size).toBe(3);
  expect(ring.find(one.text, 0)).toMatchObject({ tenant: "acme", id: one.id });
  expect(ring.find(two.text, 0)).toMatchObject({ tenant: "acme", id: two.id });
  expect(ring.find(three.text, 0)).toMatchObject({ tenant: "@admin", id: three.id });
});

test("a key ends on its day", () => {
  const ring = parse(keyLine("acme", one, "2027-01-31"));
  expect(ring.find(one.text, day - 1)).toMatchObject({ tenant: "acme" });
  expect(ring.find(one.text, day)).toEqual({ refused: "ended" });
});

test.each([
  ["another key", two.text],
  ["the right id with another secret", `slp_${one.id}_${two.text.slice(-48)}`],
  ["the hash itself", hash],
  ["the key cut by one digit", one.text.slice(0, -1)],
  ["the key with a space", `${one.text} `],
  ["the key in capitals", one.text.toUpperCase()],
  ["nothing", ""],
])("%s is nobody's", (_, text) => {
  expect(parse(keyLine("acme", one)).find(text, 0)).toEqual({ refused: "unknown" });
});

test.each([
  ["an empty file", "", /is empty/],
  ["a key itself", `acme ${one.text}`, /line 1: holds a key itself/],
  ["a key beside its hash", `${keyLine("acme", one)} ${one.text}`, /holds a key itself/],
  ["a tenant with a slash", `a/b ${one.id} sha256:${hash}`, /a tenant is 1 to 64/],
  ["a tenant too long", `${"a".repeat(65)} ${one.id} sha256:${hash}`, /a tenant is 1 to 64/],
  ["no id", `acme sha256:${hash}`, /second word/],
  ["another hash", `acme ${one.id} md5:${hash}`, /third word/],
  ["a short hash", `acme ${one.id} sha256:${hash.slice(1)}`, /third word/],
  ["a word behind", `acme ${one.id} sha256:${hash} please`, /until=DATE or nothing/],
  ["a day that is none", `acme ${one.id} sha256:${hash} until=2027-13-45`, /until is a day/],
  ["an id twice", `${keyLine("acme", one)}\n${keyLine("beta", one)}`, /line 2: the id \w+ stands in an earlier line/],
])("%s is refused by line, without what the line holds", (_, text, says) => {
  let message = "";
  try {
    parse(text);
  } catch (thrown) {
    message = (thrown as Error).message;
  }
  expect(message).toMatch(says);
  expect(message).toMatch(/^keys\.txt: /);
  expect(message).not.toContain(one.text.slice(-48));
  expect(message).not.toContain(hash);
});

test("of many wrong lines the first few are named", () => {
  expect(() => parse("x\n".repeat(20))).toThrow(/line 8: [^;]+; and 12 more$/);
});

test("a comment alone takes every key back", () => {
  expect(parse("# nobody").find(one.text, 0)).toEqual({ refused: "unknown" });
});

test("a text for people keeps the ids of keys and not their secrets", () => {
  const text = withoutSecrets(`said ${one.text}, then ${two.text.slice(0, 40)}`);
  expect(text).toBe(`said slp_${one.id}_…, then slp_${two.id}_…`);
});

test("a large file is read, and its last key found", () => {
  const many = Array.from({ length: 2_000 }, () => createKey(random));
  const ring = parse(many.map((key, i) => keyLine(`t${i}`, key)).join("\n"));
  expect(ring.size).toBe(2_000);
  expect(ring.find(many[1_999]?.text ?? "", 0)).toMatchObject({ tenant: "t1999" });
});

test("a key that was let in is held until its line goes, ends or becomes another tenant's", () => {
  const entry = parse(keyLine("acme", one)).find(one.text, 0);
  if ("refused" in entry) throw new Error("not let in");
  expect(parse(`${keyLine("acme", two)}\n${keyLine("acme", one)}`).holds(entry, day)).toBe(true);
  expect(parse(keyLine("acme", two)).holds(entry, 0)).toBe(false);
  expect(parse(keyLine("beta", one)).holds(entry, 0)).toBe(false);
  expect(parse(keyLine("acme", { ...two, id: one.id })).holds(entry, 0)).toBe(false);
  expect(parse(keyLine("acme", one, "2027-01-31")).holds(entry, day)).toBe(false);
});
