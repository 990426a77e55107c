import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { sourcesOf } from "./sources.ts";

const folder = mkdtempSync(join(tmpdir(), "sources-"));
const put = (path: string, text: string | Buffer) => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
};
const code = "const a = 1;\n".repeat(100);
put("one/package.json", '{"name":"one"}');
put("one/src/a.ts", code);
put("one/src/package.json", '{"type":"module"}');
put("one/src/short.ts", "x");
put("one/src/a.min.js", code);
put("one/src/bytes.js", Buffer.concat([Buffer.from(code), Buffer.from([0xff])]));
put("one/node_modules/two/package.json", '{"name":"two"}');
put("one/node_modules/two/b.js", code);
put("lib/site-packages/three/c.py", code);

const found = (paths: string[], options = {}) =>
  sourcesOf(
    paths.map((path) => join(folder, path)),
    options,
  ).map(({ path, package: part }) => [path.split("/").at(-1), part]);

test("source files are found with what they are part of, other people's and generated ones only when they are named", () => {
  expect(found(["one", "lib"])).toEqual([
    ["a.ts", "one"],
    ["c.py", "three"],
  ]);
  expect(found(["one/node_modules/two", "one/src/short.ts"])).toEqual([
    ["b.js", "two"],
    ["short.ts", "one"],
  ]);
  expect(found(["one", "one/node_modules/two"], { package: "two" })).toEqual([["b.js", "two"]]);
  expect(found(["one", "lib"], { filesMax: 1 })).toHaveLength(1);
});

test("what cannot be typed is named", () => {
  expect(() => found(["none"])).toThrow(/none: no such file or folder/);
  expect(() => found(["one/src/bytes.js"])).toThrow(/bytes\.js cannot be read as UTF-8 text/);
  expect(() => found(["one"], { package: "four" })).toThrow(/no source files of package four in/);
});
