// Links between our own pages lead somewhere.
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
