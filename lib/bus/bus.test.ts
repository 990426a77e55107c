import { expect, test } from "vitest";
import { matches } from "./bus.ts";

test.each([
  ["a", "a", true],
  ["a", "b", false],
  ["a", "a.b", false],
  ["a.b", "a", false],
  ["a.b.c", "a.b.c", true],
  ["a.*", "a.b", true],
  ["a.*", "a", false],
  ["a.*", "a.b.c", false],
  ["*.b", "a.b", true],
  ["*.*", "a.b", true],
  ["a.*.c", "a.b.c", true],
  ["a.*.c", "a.b.d", false],
  [">", "a", true],
  [">", "a.b.c", true],
  ["a.>", "a", false],
  ["a.>", "a.b", true],
  ["a.>", "a.b.c.d", true],
  ["a.>", "b.c", false],
  ["a.*.>", "a.b", false],
  ["a.*.>", "a.b.c", true],
  ["a*", "ab", false],
  ["a.b*", "a.bc", false],
])("%s matches %s: %s", (pattern, subject, want) => {
  expect(matches(pattern, subject)).toBe(want);
});
