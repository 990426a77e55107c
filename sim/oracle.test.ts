import { expect, test } from "vitest";
import type { Generation, Segment } from "../workers/generation.ts";
import { oracle } from "./oracle.ts";

const text = "function add(first: number, second: number) {\n  return first + second;\n}\n";
const truth = (...segments: Segment[]) => oracle(["unrelated", text])({ segments } as unknown as Generation);
const [pre, suf, mid] = ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"].map((special) => ({ special })) as [
  Segment,
  Segment,
  Segment,
];
const before = { text: "function add(first: number, second: number) {\n  return " };

test("knows what follows the prefix in every layout", () => {
  const follows = "first + second;\n}\n";
  expect(truth(pre, before, suf, { text: "}" }, mid)).toBe(follows);
  expect(truth(suf, { text: "}" }, pre, before)).toBe(follows);
  expect(truth(pre, { text: "// Path: b.ts\nconst b = 1;\n" }, before, suf, mid)).toBe(follows);
  expect(
    truth(pre, { text: "function add(first: number, " }, suf, { text: "}" }, mid, { text: "second: number) {\n  return " }),
  ).toBe(follows);
  expect(truth(suf, { text: "x" }, pre, { text: "function add(" }, { text: "first" })?.startsWith(": number")).toBe(true);
});

test("knows nothing of text it was not given, nor of too little of it", () => {
  expect(truth(pre, { text: "something else entirely" }, suf, mid)).toBeUndefined();
  expect(truth(pre, { text: "add(" }, suf, mid)).toBeUndefined();
  expect(truth({ text: "no special token" })).toBeUndefined();
});
