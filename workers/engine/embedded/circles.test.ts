import { expect, test } from "vitest";
import { circles } from "./circles.ts";

const words = (text: string) => text.split("").map((letter) => letter.charCodeAt(0));

test.each<[name: string, said: string, closing: string, length: number]>([
  ["two tokens alike close a circle", "ab,ab", ",", 2],
  ["a longer one is further round", "xab,xab", ",", 3],
  ["a run of one token is a circle too", "aaaa", "a", 3],
  ["the longest of several counts", "ab,cab,dab,cab", ",", 6],
  ["more than a dozen is not held back more", "0123456789abcdef.0123456789abcdef", ".", 12],
])("%s", (_, said, closing, length) => {
  expect(circles(words(said))).toContainEqual({ token: closing.charCodeAt(0), length });
});

test.each<[name: string, said: string]>([
  ["nothing was said", ""],
  ["nothing comes twice", "abcdef"],
  ["one token alike is how code is written", "a,b,"],
  ["what came twice is left behind", "ab,ab;"],
])("no circle closes: %s", (_, said) => {
  expect(circles(words(said))).toEqual([]);
});

test("each token that was said after the same ones is told once", () => {
  expect(circles(words("ab,ab;ab"))).toEqual([
    { token: ",".charCodeAt(0), length: 2 },
    { token: ";".charCodeAt(0), length: 2 },
  ]);
});
