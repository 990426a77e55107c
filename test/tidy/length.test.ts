// A file that no longer fits a head holds a second idea: give that one a name.
import { expect, test } from "vitest";
import { isTest, type SourceFile, source, sources } from "./tree.ts";

const linesMax = 320;
/** Tables of cases may be long. */
const testLinesMax = 600;
/** Longer for a reason. */
const excused: Readonly<Record<string, string>> = {};

function breaches(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.split("\n").length - 1;
    return lines > (isTest(path) ? testLinesMax : linesMax) && !(path in excused) ? [`${path} has ${lines} lines`] : [];
  });
}

test("no file is too long", () => {
  expect(breaches(sources())).toEqual([]);
});

test("a long file is found", () => {
  expect(breaches([source("lib/long.ts", "\n".repeat(linesMax + 1))])).toHaveLength(1);
  expect(breaches([source("lib/long.ts", "\n".repeat(linesMax))])).toEqual([]);
});
