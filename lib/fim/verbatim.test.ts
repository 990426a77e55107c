import { expect, test } from "vitest";
import { verbatim } from "./verbatim.ts";

test("the model's own tokens are special, all else is text as it is", () => {
  expect(verbatim("<|im_start|>user\n<fim_prefix>a<|fim_middle|>b", ["<|fim_middle|>", "<|im_start|>", ""])).toEqual([
    { special: "<|im_start|>" },
    { text: "user\n<fim_prefix>a" },
    { special: "<|fim_middle|>" },
    { text: "b" },
  ]);
});

test("a token with the mark of a space is known by the space", () => {
  expect(verbatim("<PRE> a <MID>", ["▁<MID>"])).toEqual([{ text: "<PRE> a" }, { special: "▁<MID>" }]);
});

test("a model of which no token is known gets one text", () => {
  expect(verbatim("<a>b", [])).toEqual([{ text: "<a>b" }]);
  expect(verbatim("", ["<a>"])).toEqual([]);
});
