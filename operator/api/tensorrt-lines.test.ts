import { expect, test } from "vitest";
import { buildsNone, tensorrtLine, tensorrtLines, versionsThat } from "./tensorrt-lines.ts";

test.each([
  ["1.0.0", "1.0"],
  ["1.2.1", "1.2"],
  ["1.3.0rc29", "1.3"],
  ["1.4.0rc1", "1.4"],
  ["1.17.0", "1.4"],
  ["2.0", "1.4"],
  ["0.21.0", "1.0"],
  [undefined, "1.2"],
])("%s is spoken to as %s", (version, line) => {
  expect(tensorrtLine(version).line).toBe(line);
});

test("lines are in order, each once", () => {
  const lines = tensorrtLines.map(({ line }) => Number(line.split(".")[1]));
  expect(lines).toEqual([...new Set(lines)].sort((one, other) => one - other));
});

const known = ["1.0.0", "1.1.0rc5", "1.2", "1.2.1", "1.3.0rc29", "1.4.0", "1.9.3", "1.10.0", "1.21", "2.0", "10.1.0"];

test("a pattern of versions says what the table says, of every version", () => {
  for (const { line } of tensorrtLines) {
    const pattern = new RegExp(versionsThat((each) => each.line === line));
    expect(known.filter((version) => pattern.test(version))).toEqual(
      known.filter((version) => tensorrtLine(version).line === line),
    );
  }
});

test("a pattern of no line matches nothing", () => {
  expect(known.filter((version) => new RegExp(versionsThat(() => false)).test(version))).toEqual([]);
});

test("what builds no engines is known to, and so is what is newer", () => {
  expect(known.filter((version) => new RegExp(buildsNone).test(version))).toEqual([
    "1.3.0rc29",
    "1.4.0",
    "1.9.3",
    "1.10.0",
    "1.21",
    "2.0",
    "10.1.0",
  ]);
});
