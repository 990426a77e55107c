import { expect, test } from "vitest";
import { distance, scored, similarity } from "./metrics.ts";

const at = (code: string, gold: string) => {
  const [prefix = "", suffix = ""] = code.split("|");
  return { prefix, suffix, gold };
};

test.each([
  ["", "", 0],
  ["abc", "", 3],
  ["", "abc", 3],
  ["kitten", "sitting", 3],
  ["flaw", "lawn", 2],
  ["same", "same", 0],
])("from %j to %j it takes %i edits", (a, b, edits) => {
  expect(distance(a, b)).toBe(edits);
  expect(distance(b, a)).toBe(edits);
});

test("similarity is 1 for the same, 0 for nothing alike, and no more than the beginnings of long texts are compared", () => {
  expect(similarity("abcd", "abcd")).toBe(1);
  expect(similarity("", "")).toBe(1);
  expect(similarity("", "abcd")).toBe(0);
  expect(similarity("abcd", "abcx")).toBe(0.75);
  expect(similarity(`${"a".repeat(2_000)}b`, `${"a".repeat(2_000)}c`)).toBe(1);
});

test.each([
  ["the true text", "x = |\n", "a;", "a;", {}],
  ["the true text with white space behind it", "x = |\n", "a;", "a;  ", {}],
  ["another text", "x = |\n", "a;", "b;", { exact: false }],
  ["nothing", "x = |\n", "a;", "", { exact: false, empty: true, stops: false }],
  ["white space", "x = |\n", "a;", " \n", { exact: false, empty: true, stops: false }],
  ["the true line and more of it", "x = |\n", "a", "a + b", { exact: false, over: true }],
  ["the true line and another", "x = |\n", "a;", "a;\nb();", { over: true, stops: false }],
  ["the first line of a block", "if (a) {|\n", "\n  b();\n}", "\n  b();", { stops: false }],
  ["a block with another body", "if (a) {|\n", "\n  b();\n}", "\n  c();\n}", { exact: false }],
  ["a bracket too few", "x = |\n", "f(a);", "f(a;", { exact: false, stops: false }],
  ["brackets in strings, which do not count", "x = |\n", "f(a);", 'f("(");', { exact: false }],
  ["what follows in the line", "f(|, b);\n", "a", "a, b);", { exact: false, over: true, duplicate: true, stops: false }],
  ["the next line again", "a();\n|\nvalue = 3;\n", "b();", "b();\nvalue = 3;", { over: true, duplicate: true, stops: false }],
  ["a bracket as in the next line, which is everywhere", "if (a) {|\n}\n", "\n  b();", "\n  b();\n}", { over: true, stops: false }],
  ["a line that truly stands twice", "|\nvalue = 3;\n", "value = 3;", "value = 3;", {}],
])("%s", (_, code, gold, text, differs) => {
  const right = { exact: true, duplicate: false, over: false, stops: true, empty: false };
  const { similarity: alike, ...rest } = scored(at(code, gold), text);
  expect(rest).toEqual({ ...right, ...differs });
  expect(alike).toBeGreaterThanOrEqual(0);
});
