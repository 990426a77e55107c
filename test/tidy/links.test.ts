// Links between our own pages lead somewhere, and so do the decision records that comments name; no two have one number.
import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { expect, test } from "vitest";
import { root, type TextFile, tree } from "./tree.ts";

function breaches(files: readonly TextFile[], exists: (path: string) => boolean): string[] {
  return files
    .filter(({ path }) => path.endsWith(".md"))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/\]\(([^)\s]+)\)/g)]
        .map((match) => match[1] ?? "")
        .filter((link) => !/^(\w+:|#)/.test(link))
        .map((link) => posix.join(posix.dirname(path), link.replace(/#.*$/, "")))
        .filter((target) => !exists(target))
        .map((target) => `${path} links to ${target}, which is not there`),
    );
}

test("every relative link leads to a file", () => {
  expect(breaches(tree(), (path) => existsSync(join(root, path)))).toEqual([]);
});

test("a dead link is found, a live one and one to elsewhere are not", () => {
  const text = "[a](../gone.md) [b](b.md#part) [c](https://example.org) [d](#here)";
  expect(breaches([{ path: "docs/a.md", text }], (path) => path === "docs/b.md")).toEqual([
    "docs/a.md links to gone.md, which is not there",
  ]);
});

function unknownRecords(files: readonly TextFile[]): string[] {
  const known = new Set(files.map(({ path }) => path));
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(/docs\/decisions\/\d{4}-[a-z0-9-]+\.md/g)]
      .filter(([record]) => !known.has(record))
      .map(([record]) => `${path} names ${record}, which is not there`),
  );
}

function sharedNumbers(files: readonly TextFile[]): string[] {
  const seen = new Map<string, string>();
  return files.flatMap(({ path }) => {
    const number = path.match(/^docs\/decisions\/(\d{4})-/)?.[1];
    if (number === undefined) return [];
    const other = seen.get(number);
    seen.set(number, path);
    return other === undefined ? [] : [`${other} and ${path} have one number`];
  });
}

test("every decision record that is named is there, and has its number alone", () => {
  expect([...unknownRecords(tree()), ...sharedNumbers(tree())]).toEqual([]);
});

test("a record that is not there and a number given twice are found", () => {
  const records = ["0001-a.md", "0001-b.md"].map((name) => ({ path: `docs/decisions/${name}`, text: "" }));
  const gone = ["docs", "decisions", "0002-c.md"].join("/");
  const naming = { path: "router/a.ts", text: `// see ${gone}` };
  expect(unknownRecords([...records, naming])).toEqual([`router/a.ts names ${gone}, which is not there`]);
  expect(sharedNumbers(records)).toEqual([`${records[0]?.path} and ${records[1]?.path} have one number`]);
});
