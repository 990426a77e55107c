import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { below, type Random, seeded } from "../../lib/random.ts";
import { type Asked, Lineage } from "./lineage.ts";

const code = `${"// A licence of many lines.\n".repeat(16)}${"import { readFile } from 'node:fs/promises';\n\nexport async function settings(path) {\n  const text = "}`;
const after = ";\n  return Object.fromEntries(text.split('\\n').map((line) => line.split('=')));\n}\n";
const asked = (prefix: string, given: Partial<Asked> = {}): Asked => ({
  tenant: "acme",
  caller: "10.0.0.1:5000",
  scope: "m a.ts",
  prefix,
  suffix: after,
  ...given,
});

function lineageOf(given: { placesMax?: number; ttlMs?: number } = {}) {
  const clock = new FakeClock();
  const lineage = new Lineage({ placesMax: 100, tenantsMax: 2, ttlMs: 60_000, ...given }, { clock });
  let calls = 0;
  const document = (of: Asked) => {
    const name = `d${++calls}`;
    return lineage.namesOf(of, { session: name, document: name }).document;
  };
  return { clock, lineage, document };
}

test.each<[name: string, next: Asked]>([
  ["one more character", asked(`${code}a`)],
  ["a few more characters", asked(`${code}await read`)],
  ["a new line", asked(`${code}\n    `)],
  ["a character less", asked(code.slice(0, -1))],
  ["a window that moved on with the cursor", asked(`${code.slice(20)}aw`)],
  ["text after the cursor that was cut elsewhere", asked(`${code}a`, { suffix: `${after}// more` })],
])("%s goes on with the call before", (_, next) => {
  const { document } = lineageOf();
  // A head of 128 units is what is compared: shorter ones are compared whole.
  const suffix = next.suffix.length > after.length ? after.padEnd(130, "/") : after;
  const first = document(asked(code, { suffix }));
  expect(document({ ...next, suffix: next.suffix.length > after.length ? `${suffix} more` : after })).toBe(first);
});

test.each<[name: string, next: Asked]>([
  ["the same question again", asked(code)],
  ["another caller", asked(`${code}a`, { caller: "10.0.0.1:5001" })],
  ["another tenant", asked(`${code}a`, { tenant: "beta" })],
  ["another model or file", asked(`${code}a`, { scope: "m b.ts" })],
  ["another text after the cursor", asked(`${code}a`, { suffix: ")" })],
  ["more than anyone types in between", asked(`${code}await readFile(path)`)],
  ["another character in the same place", asked(`${code.slice(0, -2)}! `)],
  ["a text that is too short to tell", asked("ab", { suffix: "" })],
])("%s is a document of its own", (_, next) => {
  const { document } = lineageOf();
  const first = document(next.suffix === "" ? asked("a", { suffix: "" }) : asked(code));
  expect(document(next)).not.toBe(first);
});

test("what nobody goes on with is forgotten", async () => {
  const { document, clock } = lineageOf();
  const first = document(asked(code));
  await clock.advance(59_000);
  expect(document(asked(`${code}a`))).toBe(first);
  await clock.advance(61_000);
  expect(document(asked(`${code}ab`))).not.toBe(first);
});

test("places and tenants are bounded: the least recently asked leave", () => {
  const { document } = lineageOf({ placesMax: 10 });
  const [first, other] = [document(asked(code)), document(asked(code, { tenant: "b" }))];
  for (let i = 0; i < 10; i++) document(asked(code, { caller: `${i}` }));
  expect(document(asked(`${code}a`))).not.toBe(first);
  expect(document(asked(`${code}a`, { tenant: "b" }))).toBe(other);
  document(asked(code, { tenant: "c" }));
  expect(document(asked(`${code}ab`, { tenant: "acme" }))).not.toBe(first);
});

const words = ["const ", "x", " = ", "await ", "f(", ")", ";\n", "\n", "  return ", "items.map(", "é", "😀", "// ", "name"];
const typed = (random: Random, count: number) => Array.from({ length: count }, () => words[below(random, words.length)]).join("");

test("a person who types keeps one document, whatever the text, and two people never share one", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seeded(seed);
    const { document } = lineageOf();
    const suffix = typed(random, below(random, 60));
    const people = ["a", "b", "c"].map((caller) => ({ caller, prefix: typed(seeded(seed), 60), document: "" }));
    for (let key = 0; key < 120; key++) {
      const person = people[below(random, people.length)] as (typeof people)[number];
      const back = person.prefix.length > 100 && random.next() < 0.2;
      const word = words[below(random, words.length)] ?? "";
      person.prefix = back ? person.prefix.slice(0, -1 - below(random, 3)) : person.prefix + word;
      const found = document(asked(person.prefix, { caller: person.caller, suffix }));
      if (person.document !== "") expect(found, `seed ${seed}, key ${key}`).toBe(person.document);
      person.document = found;
    }
    expect(new Set(people.map((person) => person.document)).size, `seed ${seed}`).toBe(3);
  }
});

test("unrelated calls of one caller never share a document", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seeded(seed);
    const { document } = lineageOf();
    const suffix = typed(random, 30);
    const found = Array.from({ length: 50 }, () => document(asked(typed(random, 40 + below(random, 40)), { suffix })));
    expect(new Set(found).size, `seed ${seed}`).toBe(50);
  }
});

test("questions of an evaluation that share their beginning, asked side by side, do not retire each other", () => {
  const { document } = lineageOf();
  const found = ["Paris", "London", "Rome", "Madrid"].map((city) => document(asked(`${code}${city}`)));
  expect(new Set(found).size).toBe(4);
});
