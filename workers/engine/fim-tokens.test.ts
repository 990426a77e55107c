import { expect, test } from "vitest";
import { findFimTokens } from "./fim-tokens.ts";

const vocabulary = (...texts: string[]) => ({
  textOf: (id: number) => texts[id] ?? "",
  isSpecialToken: (text: string) => texts.includes(text),
});

test("the tokens that the file declares are taken, and only those", () => {
  const metadata = { fim_pre_token_id: 0, fim_suf_token_id: 1, fim_sep_token_id: 3 };
  expect(findFimTokens(metadata, vocabulary("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|file_sep|>"))?.fim).toEqual({
    prefix: "<|fim_prefix|>",
    suffix: "<|fim_suffix|>",
    middle: "",
    fileSeparator: "<|file_sep|>",
    repository: "",
  });
});

test("the older names of the keys are known", () => {
  const metadata = { prefix_token_id: 0, suffix_token_id: 1, middle_token_id: 2 };
  expect(findFimTokens(metadata, vocabulary("<PRE>", "<SUF>", "<MID>"))?.fim).toMatchObject({
    prefix: "<PRE>",
    suffix: "<SUF>",
    middle: "<MID>",
  });
});

test.each([
  ["<fim_prefix>", "<fim_suffix>", "<fim_middle>"],
  ["<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"],
  ["[PREFIX]", "[SUFFIX]", "[MIDDLE]"],
  ["<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>"],
  ["<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>"],
  ["▁<PRE>", "▁<SUF>", "▁<MID>"],
  ["<|prefix|>", "<|suffix|>", "<|middle|>"],
])("a file that declares none is searched for %s", (prefix, suffix, middle) => {
  expect(findFimTokens({ eos_token_id: 0 }, vocabulary(prefix, suffix, middle))?.fim).toMatchObject({ prefix, suffix, middle });
});

test.each([
  ["no such token", {}, vocabulary("<s>", "</s>")],
  ["a prefix token alone", { fim_pre_token_id: 0 }, vocabulary("<|fim_prefix|>", "<|fim_suffix|>")],
])("a model with %s cannot infill", (_title, metadata, words) => {
  expect(findFimTokens(metadata, words)).toBeUndefined();
});

const qwens = ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"] as const;
const declared = { fim_pre_token_id: 0, fim_suf_token_id: 1, fim_mid_token_id: 2 };

test.each<[how: string, words: string[], described: { names: string[]; chatTemplate?: string }, family: string]>([
  ["our own weights by their name", [...qwens], { names: ["slipstream-fim-13m"] }, "slipstream-builtin"],
  ["others by theirs", [...qwens], { names: ["", "Granite 4.0 H Tiny"] }, "granite-4"],
  ["a chat template", [...qwens], { names: ["ggml"], chatTemplate: "<function={{ name }}>" }, "qwen3-coder"],
  // As llama.cpp's ggml-vocab-starcoder.gguf has them.
  [
    "separators that its name contradicts",
    ["<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<file_sep>", "<repo_name>"],
    { names: ["starcoder"] },
    "starcoder2",
  ],
  ["tokens", ["<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"], { names: ["ggml"] }, "deepseek-coder"],
  ["nothing", ["<P>", "<S>", "<M>"], { names: ["ggml"] }, ""],
])("a family is known by %s", (_, words, described, family) => {
  const metadata = family === "slipstream-builtin" ? { fim_pre_token_id: 0, fim_suf_token_id: 1 } : declared;
  expect(findFimTokens(metadata, vocabulary(...words), described)?.family).toBe(family);
});

test("what the family's forms need besides is said, as far as the vocabulary holds it", () => {
  const words = [...qwens, "<|file_sep|>", "<|repo_name|>", "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<tool_call>"];
  const found = findFimTokens(declared, vocabulary(...words), { names: ["Qwen3-Coder-30B-A3B-Instruct"] });
  expect(found?.fim).toMatchObject({ fileSeparator: "<|file_sep|>", repository: "<|repo_name|>" });
  expect(found?.specials).toEqual(["<|im_start|>", "<|im_end|>", "<|endoftext|>"]);
  const llama = findFimTokens(declared, vocabulary("▁<PRE>", "▁<SUF>", "▁<MID>", "<s>", "▁<EOT>"));
  expect(llama).toMatchObject({ family: "codellama", specials: ["<s>", "▁<EOT>"] });
});
