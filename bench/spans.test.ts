import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { heldOutSpans, trainedPackages } from "./spans.ts";

let folder: string;
const code = (name: string) =>
  Array.from({ length: 80 }, (_, i) => `export const ${name}${i} = compute(${i}, { retries: ${i} });`).join("\n");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipstream-spans-"));
  const files: Record<string, string> = {
    "learned/index.js": code("learned"),
    "@scope/fresh/lib/a.js": code("a"),
    "@scope/fresh/lib/b.ts": code("b"),
    "fresh/index.mjs": code("fresh"),
    "fresh/types.d.ts": code("types"),
    "fresh/node_modules/inner/index.js": code("inner"),
    "bundled/index.js": `var all = ${JSON.stringify("x".repeat(3_000))};\n${code("bundled")}`,
    "tiny/index.js": "module.exports = 1;\n",
    ".cache/index.js": code("cache"),
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const spans = (change: { seed?: number; spans?: number } = {}) =>
  heldOutSpans({ folder, trained: new Set(["learned"]), spans: 10, seed: 1, prefixChars: 200, suffixChars: 100, ...change });

test("only sources that people write, of packages that were not trained on", () => {
  expect(
    spans()
      .map(({ place }) => place.split(":")[0])
      .sort(),
  ).toEqual(["@scope/fresh/lib/a.js", "@scope/fresh/lib/b.ts", "fresh/index.mjs"]);
  expect(new Set(spans().map((span) => span.package))).toEqual(new Set(["@scope/fresh", "fresh"]));
});

test("a cursor stands at a word inside a line, and what follows begins after that line", () => {
  for (const { prefix, suffix } of spans()) {
    expect(prefix.length).toBeLessThanOrEqual(200);
    expect(prefix).toMatch(/\W$/);
    expect(prefix.split("\n").at(-1)?.length).toBeGreaterThanOrEqual(4);
    expect(suffix === "" || suffix.startsWith("\n")).toBe(true);
  }
});

test("the same seed gives the same places, another seed others", () => {
  expect(spans({ seed: 2 })).toEqual(spans({ seed: 2 }));
  expect(spans({ seed: 3 })).not.toEqual(spans({ seed: 2 }));
});

test("no more than asked for, and nothing of a folder that is not there", () => {
  expect(spans({ spans: 2 })).toHaveLength(2);
  expect(
    heldOutSpans({ folder: join(folder, "gone"), trained: new Set(), spans: 1, seed: 1, prefixChars: 1, suffixChars: 1 }),
  ).toEqual([]);
});

test("names are the first column below the heading", () => {
  expect(trainedPackages("name\tversion\tlicence\n@a/b\t1.0.0\tMIT\nc\t2.0.0\tISC\n")).toEqual(new Set(["@a/b", "c"]));
});
