import { expect, test } from "vitest";
import { differences } from "./differences.ts";
import { parseTrace } from "./parse.ts";
import { replay } from "./replay.ts";
import { versionsTrace } from "./versions.ts";
import { formatTrace } from "./written.ts";

const block = (name: string) => `function ${name}(a) {\n  return a.${name}(1);\n}\n\n`;
const file = (...names: string[]) => `import { a } from "a";\n\n${names.map(block).join("")}export {};\n`;
const pairs: readonly (readonly [string, string, string])[] = [
  ["a line put in", file("one", "two"), file("one", "three", "two")],
  ["a word changed", file("one"), file("one").replace("return", "yield")],
  ["an import and a body", file("one", "two"), file("one", "two").replace("{ a }", "{ a, b }").replace("a.two", "b.two")],
  ["a function moved", file("one", "two", "three", "four"), file("two", "three", "four", "one")],
  ["all of it gone", file("one"), ""],
  ["all of it new", "", file("one")],
  ["other line ends", file("one").replaceAll("\n", "\r\n"), file("one", "two").replaceAll("\n", "\r\n")],
  ["halves of a pair", 'x = "🚀"', 'x = "🚁"'],
  ["no last newline", "a\nb", "a\nb\nc"],
  ["repeats", "a\na\na\n", "a\nb\na\n"],
];

test("typing what differs makes the new version of the old one, whatever the seed", () => {
  for (const [name, old, now] of pairs)
    for (const seed of [1, 2, 3, 4]) {
      const trace = versionsTrace({ path: "a.ts", language: "typescript", old, now, seed, typing: { typoProbability: 0.2 } });
      expect(replay(trace).get("a.ts"), `${name}, seed ${seed}`).toBe(now);
      expect(parseTrace(formatTrace(trace)), name).toEqual(trace);
    }
});

test("only what differs is typed: lines after the end of the line above, words alone, moved code by a paste", () => {
  const found = (name: string) => {
    const [, old = "", now = ""] = pairs.find(([each]) => each === name) ?? [];
    return differences(old, now).map(({ start, end, text }) => [old.slice(start, end), text]);
  };
  expect(found("a line put in")).toEqual([["", expect.stringMatching(/^\n.*function three/s)]]);
  expect(found("a word changed")).toEqual([["return", "yield"]]);
  expect(found("halves of a pair")).toEqual([["🚀", "🚁"]]);
  expect(found("repeats")).toEqual([["a", "b"]]);
  const [, old = "", now = ""] = pairs.find(([name]) => name === "a function moved") ?? [];
  const { events } = versionsTrace({ path: "a", language: "", old, now, seed: 1 });
  expect(events.map(({ origin }) => origin)).toContain("paste");
  expect(events.length).toBeLessThan(10);
});

test("versions that are the same are refused", () => {
  expect(() => versionsTrace({ path: "a", language: "", old: "a", now: "a", seed: 1 })).toThrow(
    "text: the two versions are the same",
  );
});
