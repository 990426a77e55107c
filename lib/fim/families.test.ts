import { expect, test } from "vitest";
import { families, recognise } from "./families.ts";
import type { FimTexts } from "./family.ts";
import { formsOf, specialsOf } from "./form.ts";

const tokens = (prefix: string, suffix: string, middle: string, fileSeparator = "", repository = ""): FimTexts => ({
  prefix,
  suffix,
  middle,
  fileSeparator,
  repository,
});
const starcoders = ["<fim_prefix>", "<fim_suffix>", "<fim_middle>"] as const;
const qwens = ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"] as const;

test("there are sixteen families and more, each named once, with a source and its tokens in every form", () => {
  expect(families.length).toBeGreaterThanOrEqual(16);
  expect(new Set(families.map(({ name }) => name)).size).toBe(families.length);
  for (const family of families) {
    expect(family.sources, family.name).not.toEqual([]);
    for (const form of formsOf(family))
      for (const pieces of [form.single, ...(form.repository ? [form.repository] : [])]) {
        const special = pieces.flatMap((piece) => ("special" in piece ? [piece.special] : []));
        const { prefix, suffix, middle } = family.tokens;
        for (const token of [prefix, suffix, middle]) expect(special.includes(token), `${family.name} ${token}`).toBe(token !== "");
      }
  }
});

test("no token of a family hides as literal text in its forms", () => {
  const all = [...new Set(families.flatMap(specialsOf))];
  for (const family of families)
    for (const form of formsOf(family))
      for (const piece of [...form.single, ...(form.repository ?? []), ...form.file])
        if ("text" in piece)
          expect(
            all.filter((special) => piece.text.includes(special)),
            family.name,
          ).toEqual([]);
});

test("a form that misses a side, or has a hole that is none, is thrown at once", () => {
  const [family] = families;
  if (!family) throw new Error("no family");
  const wrong = (single: string) => () => formsOf({ ...family, forms: [{ order: "prefix_first", single }] });
  expect(wrong("<|fim_prefix|>{prefix}")).toThrow("does not hold its suffix once");
  expect(wrong("{prefix}{suffix}{middle}")).toThrow("has no such hole");
});

test.each<[why: string, traits: Parameters<typeof recognise>[0], family: string | undefined]>([
  ["named by its worker", { named: "mellum", names: ["x"] }, "mellum"],
  ["a name nobody knows leaves it to the tokens", { named: "next-year", tokens: tokens("[PREFIX]", "[SUFFIX]", "") }, "codestral"],
  ["its model's name", { names: ["Qwen/Qwen2.5-Coder-7B-Instruct"] }, "qwen2.5-coder"],
  ["a name as Ollama spells it", { names: ["qwen2.5-coder:1.5b-base"] }, "qwen2.5-coder"],
  ["the longer of two names", { names: ["deepseek-ai/DeepSeek-Coder-V2-Lite-Base"] }, "deepseek-coder-v2"],
  ["the shorter, where the longer does not hold", { names: ["deepseek-coder-6.7b-base"] }, "deepseek-coder"],
  ["words apart", { names: ["ibm-granite/granite-8b-code-base"] }, "granite-code"],
  ["a number apart", { names: ["granite-4.0-h-tiny"] }, "granite-4"],
  ["StarCoder2 is not StarCoder", { names: ["bigcode/starcoder2-3b"] }, "starcoder2"],
  ["StarCoder is not StarCoder2", { names: ["bigcode/starcoderbase-1b"] }, "starcoder"],
  ["the name of its file, where the pool's says nothing", { names: ["code", "Codestral-22B-v0.1-Q4_K_M"] }, "codestral"],
  ["a name that its tokens contradict is not believed", { names: ["qwen2.5-coder"], tokens: tokens(...starcoders) }, "starcoder2"],
  [
    "its separators, where its name is older than they are",
    { names: ["starcoder"], tokens: tokens(...starcoders, "<file_sep>", "<repo_name>") },
    "starcoder2",
  ],
  ["its chat template", { names: ["code"], chatTemplate: "{{ '<function=' }}", tokens: tokens(...qwens) }, "qwen3-coder"],
  ["tokens with separators", { tokens: tokens(...qwens, "<|file_separator|>") }, "codegemma"],
  ["other separators", { tokens: tokens(...qwens, "<|file_sep|>", "<|repo_name|>") }, "qwen2.5-coder"],
  ["tokens of a single-file model", { tokens: tokens(...starcoders, "<filename>", "<reponame>") }, "starcoder"],
  ["tokens with the mark of the space before them", { tokens: tokens("▁<PRE>", "▁<SUF>", "▁<MID>") }, "codellama"],
  ["tokens without it", { tokens: tokens("<PRE>", "<SUF>", "<MID>") }, "codellama"],
  ["a middle token that is not used", { tokens: tokens("[PREFIX]", "[SUFFIX]", "[MIDDLE]") }, "codestral"],
  ["full-width bars", { tokens: tokens("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>") }, "deepseek-coder"],
  ["hyphens", { tokens: tokens("<fim-prefix>", "<fim-suffix>", "<fim-middle>") }, "santacoder"],
  ["brackets within brackets", { tokens: tokens("<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>") }, "seed-coder"],
  ["tokens for code", { tokens: tokens("<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>") }, "glm-4.5"],
  ["the built-in tokens of other weights tell nothing", { tokens: tokens("<|fim_prefix|>", "<|fim_suffix|>", "") }, undefined],
  ["tokens nobody knows", { names: ["m"], tokens: tokens("<P>", "<S>", "<M>") }, undefined],
  ["nothing", {}, undefined],
])("a family is recognised by %s", (_, traits, family) => {
  expect(recognise(traits)?.name).toBe(family);
});
