import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../lib/package-root.ts";
import { makeSet } from "./making.ts";
import { Parsers } from "./parser.ts";
import { builtinSetPath, formatSet, readSet } from "./sets.ts";
import { findSource, holeOf, readSources } from "./sources.ts";
import { kinds, languages } from "./span.ts";

const nowhere = "/nowhere";
/** What an install brings: the part of the set that is there without a download. */
const installed = readSources().flatMap((source) => {
  const root = findSource(source, nowhere);
  return root === undefined ? [] : [{ source, root }];
});

let parsers: Parsers;
beforeAll(async () => {
  parsers = await Parsers.open();
});
afterAll(() => parsers.close());

test("no package of the evaluation is one that the built-in model was trained on", () => {
  const trained = readFileSync(join(packageRoot(), "models/training-packages.tsv"), "utf8")
    .split("\n")
    .map((line) => line.split("\t")[0] ?? "");
  expect(trained.length).toBeGreaterThan(100);
  expect(readSources().filter(({ package: name }) => trained.includes(name))).toEqual([]);
});

test("every package of the evaluation is on the list that no leg of training reads", () => {
  const held = readFileSync(join(packageRoot(), "models/train/held-out.txt"), "utf8").split("\n");
  expect(readSources().filter(({ ecosystem, package: name }) => ecosystem !== "go" && !held.includes(name))).toEqual([]);
});

test("the built-in set holds at least 300 spans, some of every language and kind, of packages in the table", () => {
  const set = readSet(builtinSetPath());
  expect(set.length).toBeGreaterThanOrEqual(300);
  for (const language of languages)
    for (const kind of kinds) {
      const cell = set.filter((one) => one.language === language && one.kind === kind);
      expect(cell.length, `${language}/${kind}`).toBeGreaterThanOrEqual(12);
      expect(new Set(cell.map((one) => one.package)).size, `packages of ${language}/${kind}`).toBeGreaterThanOrEqual(6);
    }
  expect(new Set(set.map(({ id }) => id)).size).toBe(set.length);
  const known = readSources().map(({ package: name, version }) => `${name}@${version}`);
  expect(set.filter((one) => !known.includes(`${one.package}@${one.version}`))).toEqual([]);
});

test("a reference leads to the code it was made from, and other code is noticed", () => {
  const references = readSet(builtinSetPath()).filter((one) => installed.some(({ source }) => source.package === one.package));
  expect(references.length).toBeGreaterThan(30);
  for (const reference of references) expect(holeOf(reference, nowhere)).toMatchObject({ id: reference.id });
  const [first] = references;
  expect(first && holeOf({ ...first, offset: first.offset + 1 }, nowhere)).toBe("differs");
  expect(first && holeOf({ ...first, version: "0.0.0" }, nowhere)).toBe("missing");
});

test("the same seed makes the same set, another seed another", () => {
  const found = installed.filter(({ source }) => ["grpc-health-check", "prom-client"].includes(source.package));
  expect(found).toHaveLength(2);
  const spansPerCell = { typescript: 3, javascript: 3, python: 3, go: 3 };
  const made = (seed: number) => makeSet({ seed, spansPerCell }, { parsers, found });
  expect(formatSet(made(1))).toBe(formatSet(made(1)));
  expect(formatSet(made(1))).not.toBe(formatSet(made(2)));
  expect(made(1).filter(({ language }) => language === "javascript")).toHaveLength(3 * kinds.length);
});
