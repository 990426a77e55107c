import { expect, test } from "vitest";
import { fimFamily, findFimTokens } from "./fim-tokens.ts";

const vocabulary = (...texts: string[]) => ({
  textOf: (id: number) => texts[id] ?? "",
  isSpecialToken: (text: string) => texts.includes(text),
});

test("the tokens that the file declares are taken, and only those", () => {
  const metadata = { fim_pre_token_id: 0, fim_suf_token_id: 1, fim_sep_token_id: 3 };
  expect(findFimTokens(metadata, vocabulary("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|file_sep|>"))).toEqual({
    prefix: "<|fim_prefix|>",
    suffix: "<|fim_suffix|>",
    middle: "",
    fileSeparator: "<|file_sep|>",
    repository: "",
  });
});

test("the older names of the keys are known", () => {
  const metadata = { prefix_token_id: 0, suffix_token_id: 1, middle_token_id: 2 };
  expect(findFimTokens(metadata, vocabulary("<PRE>", "<SUF>", "<MID>"))).toMatchObject({
    prefix: "<PRE>",
    suffix: "<SUF>",
    middle: "<MID>",
  });
});

test.each([
  ["<fim_prefix>", "<fim_suffix>", "<fim_middle>"],
  ["<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"],
  ["[PREFIX]", "[SUFFIX]", "[MIDDLE]"],
])("a file that declares none is searched for %s", (prefix, suffix, middle) => {
  expect(findFimTokens({ eos_token_id: 0 }, vocabulary(prefix, suffix, middle))).toMatchObject({ prefix, suffix, middle });
});

test.each([
  ["no such token", {}, vocabulary("<s>", "</s>")],
  ["a prefix token alone", { fim_pre_token_id: 0 }, vocabulary("<|fim_prefix|>", "<|fim_suffix|>")],
])("a model with %s cannot infill", (_title, metadata, words) => {
  expect(findFimTokens(metadata, words)).toBeUndefined();
});

test("our own weights are a family, others are derived from their tokens", () => {
  expect(fimFamily("slipstream-fim-4m")).toBe("slipstream-builtin");
  expect(fimFamily("Qwen2.5 Coder")).toBe("");
  expect(fimFamily(undefined)).toBe("");
});
