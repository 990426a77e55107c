import { expect, test } from "vitest";
import { line, nothing, readLine, sum, tally } from "./tally.ts";

const file = (status: string, ...tests: string[]) => ({
  name: "a.test.ts",
  status,
  assertionResults: tests.map((each) => ({ status: each })),
});

test("tests are counted by their status, todo and pending as skipped", () => {
  const report = { testResults: [file("passed", "passed", "skipped", "todo"), file("failed", "failed", "passed", "pending")] };
  expect(tally(report)).toEqual({ passed: 2, failed: 1, skipped: 3 });
});

test("a file that could not be loaded counts as one failed", () => {
  expect(tally({ testResults: [file("failed")] })).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test("a failed hook after passing tests counts as one failed", () => {
  expect(tally({ testResults: [file("failed", "passed")] })).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

test.each([
  [{ passed: 3, failed: 0, skipped: 0 }, "3 passed, 0 failed"],
  [{ passed: 3, failed: 1, skipped: 2 }, "3 passed, 1 failed, 2 skipped"],
])("the line of %o reads %s and is read back", (counts, text) => {
  expect(line(counts)).toBe(text);
  expect(readLine(`noise\n1 passed, 1 failed\n${text}\n`)).toEqual(counts);
});

test("output without the line gives nothing", () => {
  expect(readLine("Tests  3 passed")).toBeUndefined();
});

test("tallies add up", () => {
  expect(sum([{ passed: 1, failed: 2, skipped: 3 }, nothing, { passed: 4, failed: 0, skipped: 1 }])).toEqual({
    passed: 5,
    failed: 2,
    skipped: 4,
  });
});
