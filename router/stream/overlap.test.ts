import { expect, test } from "vitest";
import { brackets, trimOverlap } from "./overlap.ts";

test.each<[line: string, after: string, fits: string]>([
  ["a", "", "a"],
  ["a  ", "   ", "a  "],
  ["a)", ")", "a"],
  ["a);", ");", "a"],
  ["a)", ");", "a"],
  ["a);", ")", "a"],
  ["f(a)", ")", "f(a)"],
  ["f(a))", ")", "f(a)"],
  ["[1, 2]", ")", "[1, 2]"],
  ["a]", ")", "a]"],
  ['")"', ")", '")"'],
  ['")")', ")", '")"'],
  ["a )", " )", "a"],
  ["a, b]);", "]);", "a, b"],
  ["(a, b", ")", "(a, b"],
  ['hello"', '"', "hello"],
  ['hello")', '")', "hello"],
  ['say \\"hi\\""', '"', 'say \\"hi\\"'],
  ['a" + "b', '"', 'a" + "b'],
  ["it's", "'", "it"],
  ["a;", ";", "a"],
  ["a, b", "b", "a, "],
  ["data", "arg", "data"],
  ["x = e", "else", "x = e"],
  ["größe", "e()", "größe"],
  ["foo()", "foo()", ""],
  ["a + ", "+ b", "a "],
  ["a ", " + b", "a"],
  ["😀", "😀", ""],
])("%j before %j is %j", (line, after, fits) => {
  expect(trimOverlap(line, after)).toBe(fits);
});

test.each<[line: string, opened: number, firstClosed: number]>([
  ["", 0, -1],
  ["f(a, [b])", 0, -1],
  ["f(a, [b", 2, -1],
  ["} else {", 1, 0],
  ["a)]", 0, 1],
  ["(]", 1, 1],
  ["\"(\" + '['", 0, -1],
  ["don't (", 1, -1],
  ['"\\"(" + (', 1, -1],
])("%j has %i open brackets, and its first without an opener at %i", (line, opened, firstClosed) => {
  expect(brackets(line)).toEqual({ opened, firstClosed });
});
