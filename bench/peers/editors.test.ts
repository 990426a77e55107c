import { expect, test } from "vitest";
import { editors, promptOf, windowUtf16 } from "./editors.ts";

const line = (nth: number) => `const value${nth} = compute(${nth});\n`;
const text = Array.from({ length: 1_000 }, (_, nth) => line(nth)).join("");
const sharedStart = (a: string, b: string) => {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
};
/** Of the longer prompt of two keys in a row, what does not begin as the other did. */
const changed = (at: number, manners: (typeof editors)[keyof typeof editors]) => {
  const typed = `${text.slice(0, at)}x${text.slice(at)}`;
  const after = promptOf(typed, at + 1, manners);
  return after.length - sharedStart(promptOf(text, at, manners), after);
};

test("a key moves a sliding window, and all behind its start; an anchored one keeps its start; suffix first keeps all", () => {
  const at = 20_000;
  expect(changed(at, editors.naive)).toBeGreaterThan(windowUtf16.prefix);
  expect(changed(at, editors.careful)).toBeLessThan(windowUtf16.suffix + 60);
  expect(changed(at, editors.expert)).toBe(1);
});

test("nobody sees more of a document than another", () => {
  const at = 20_000;
  const prompts = Object.values(editors).map((manners) => promptOf(text, at, manners));
  for (const prompt of prompts) {
    expect(prompt.length).toBeLessThan(windowUtf16.prefix + windowUtf16.suffix + 60);
    expect(prompt).toContain(text.slice(at - 1_000, at));
    expect(prompt).toContain(text.slice(at, at + 1_000));
  }
});

test("a short document is sent whole", () => {
  expect(promptOf("let a = \nlet b", 8, editors.expert)).toBe("<|fim_suffix|>\nlet b<|fim_prefix|>let a = ");
  expect(promptOf("let a = \nlet b", 8, editors.naive)).toBe("<|fim_prefix|>let a = <|fim_suffix|>\nlet b<|fim_middle|>");
});
