import { expect, test } from "vitest";
import { FirstOfSalt } from "./first-of-salt.ts";

type Began = Parameters<FirstOfSalt["began"]>;

test.each<[name: string, began: Began[], foreign: string[]]>([
  ["began first of its salt", [["w", "a", 10, "a leak"]], ["a leak"]],
  [
    "began first and ended last",
    [
      ["w", "a", 20],
      ["w", "a", 10, "a leak"],
    ],
    ["a leak"],
  ],
  [
    "ended first and began after another of its salt",
    [
      ["w", "a", 20, "its own"],
      ["w", "a", 10],
    ],
    [],
  ],
  [
    "began after one of another salt",
    [
      ["w", "b", 5],
      ["w", "a", 10, "a leak"],
    ],
    ["a leak"],
  ],
  [
    "began after one of its salt at another worker",
    [
      ["v", "a", 5],
      ["w", "a", 10, "a leak"],
    ],
    ["a leak"],
  ],
])("judges KV found by what %s", (_, began, foreign) => {
  const firsts = new FirstOfSalt();
  for (const each of began) firsts.began(...each);
  expect(firsts.foreign()).toEqual(foreign);
});
