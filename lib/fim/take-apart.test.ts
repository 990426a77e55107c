// Bodies as the named clients send them; sources in reading order: Continue core/autocomplete/templating, twinny
// src/extension/fim-templates.ts, minuet recipes.md, Cody model-helpers, llama.cpp tools/server.
import { expect, test } from "vitest";
import { below, seeded } from "../random.ts";
import { families } from "./families.ts";
import { formsOf } from "./form.ts";
import { render } from "./render.ts";
import { flat, restored } from "./special-text.ts";
import { takeApart } from "./take-apart.ts";

const p = "const a = 1;\nfoo(";
const s = ");\nbar();\n";

test.each<[client: string, prompt: string, family: string, more?: object]>([
  ["minuet for Qwen", `<|fim_prefix|>${p}<|fim_suffix|>${s}<|fim_middle|>`, "qwen2.5-coder"],
  [
    "minuet with VectorCode, files without a line feed between them",
    `<|file_sep|>a.ts\nexport const a = 1;<|file_sep|>lib/b.ts\nb();<|fim_prefix|>${p}<|fim_suffix|>${s}<|fim_middle|>`,
    "qwen2.5-coder",
    {
      files: [
        { path: "a.ts", text: "export const a = 1;" },
        { path: "lib/b.ts", text: "b();" },
      ],
    },
  ],
  [
    "Qwen's repository form",
    `<|repo_name|>shop\n<|file_sep|>a.ts\na();\n<|file_sep|>src/cart.ts\n<|fim_prefix|>${p}<|fim_suffix|>${s}<|fim_middle|>`,
    "qwen2.5-coder",
    { path: "src/cart.ts", files: [{ path: "a.ts", text: "a();" }] },
  ],
  [
    "Qwen's turn",
    `<|im_start|>system\nYou are a code completion assistant.<|im_end|>\n<|im_start|>user\n<|fim_prefix|>${p}<|fim_suffix|>${s}<|fim_middle|><|im_end|>\n<|im_start|>assistant\n`,
    "qwen2.5-coder",
  ],
  [
    "llama.cpp, the line being typed behind the middle token",
    `<|fim_prefix|>const a = 1;\n<|fim_suffix|>${s}<|fim_middle|>foo(`,
    "qwen2.5-coder",
  ],
  ["the order that was not trained", `<|fim_suffix|>${s}<|fim_prefix|>${p}<|fim_middle|>`, "qwen2.5-coder"],
  [
    "a header set before the parts",
    `// Language: ts\n<|fim_prefix|>${p}<|fim_suffix|>${s}<|fim_middle|>`,
    "qwen2.5-coder",
    { files: [{ path: "", text: "// Language: ts" }] },
  ],
  [
    "Continue for StarCoder2, files without their paths",
    `<file_sep>export const a = 1;<file_sep>b();<file_sep><fim_prefix>${p}<fim_suffix>${s}<fim_middle>`,
    "starcoder2",
    {
      files: [
        { path: "", text: "export const a = 1;" },
        { path: "", text: "b();" },
      ],
    },
  ],
  [
    "StarCoder2 as its paper has it",
    `<repo_name>shop<file_sep>a.ts\na();\n<file_sep><fim_prefix>src/cart.ts\n${p}<fim_suffix>${s}<fim_middle>`,
    "starcoder2",
    { path: "src/cart.ts", files: [{ path: "a.ts", text: "a();" }] },
  ],
  ["BigCode's suffix first", `<fim_prefix><fim_suffix>${s}<fim_middle>${p}`, "starcoder2"],
  [
    "Cody for StarCoder",
    `<filename>src/cart.ts<fim_prefix>${p}<fim_suffix>${s}<fim_middle>`,
    "starcoder2",
    { path: "src/cart.ts" },
  ],
  ["SantaCoder", `<fim-prefix>${p}<fim-suffix>${s}<fim-middle>`, "santacoder"],
  [
    "Mellum",
    `<filename>a.ts\na();\n<filename>src/cart.ts\n<fim_suffix>${s}<fim_prefix>${p}<fim_middle>`,
    "starcoder2",
    { path: "src/cart.ts", files: [{ path: "a.ts", text: "a();" }] },
  ],
  [
    "Continue for Codestral",
    `[SUFFIX]${s}[PREFIX]+++++ a.ts\na();\n\n+++++ src/cart.ts\n${p}`,
    "codestral",
    { path: "src/cart.ts", files: [{ path: "a.ts", text: "a();" }] },
  ],
  ["Codestral with its begin", `<s>[SUFFIX]${s}[PREFIX]${p}`, "codestral"],
  ["Continue for Code Llama", `<PRE> ${p} <SUF>${s} <MID>`, "codellama"],
  ["Code Llama suffix first", `<PRE> <SUF>${s} <MID> ${p}`, "codellama"],
  ["twinny for Code Llama: a line feed and a space too many", `<PRE> \n${p} <SUF> ${s} <MID>`, "codellama"],
  [
    "twinny for CodeGemma, with StarCoder's tokens",
    `<fim_prefix>\n${p}<fim_suffix>${s}<fim_middle>`,
    "starcoder2",
    { prefix: `\n${p}` },
  ],
  ["DeepSeek", `<｜fim▁begin｜>${p}<｜fim▁hole｜>${s}<｜fim▁end｜>`, "deepseek-coder"],
  ["DeepSeek with its begin", `<｜begin▁of▁sentence｜><｜fim▁begin｜>${p}<｜fim▁hole｜>${s}<｜fim▁end｜>`, "deepseek-coder"],
  ["DeepSeek with bars that are no tokens", `<|fim_begin|>${p}<|fim_hole|>${s}<|fim_end|>`, "deepseek-coder"],
  [
    "Cody for DeepSeek",
    `<repo_name>shop\n#a.ts\na();\n\n#src/cart.ts\n<｜fim▁begin｜>${p}<｜fim▁hole｜>${s}<｜fim▁end｜>`,
    "deepseek-coder",
    { path: "src/cart.ts", files: [{ path: "a.ts", text: "a();" }] },
  ],
  ["Continue for Seed-Coder, the wrong way round", `<[fim-prefix]>${p}<[fim-suffix]>${s}<[fim-middle]>`, "seed-coder"],
  ["Seed-Coder", `<[fim-suffix]>${s}<[fim-prefix]>${p}<[fim-middle]>`, "seed-coder"],
  ["GLM", `<|code_prefix|>${p}<|code_suffix|>${s}<|code_middle|>`, "glm-4.5"],
  [
    "Continue for CodeGeeX",
    `<|user|>\n###REFERENCE:\n###PATH:a.ts\na();\n\n###PATH:src/cart.ts\n###LANGUAGE:TypeScript\n###MODE:BLOCK\n<|code_suffix|>${s}<|code_prefix|>${p}<|code_middle|><|assistant|>\n`,
    "glm-4.5",
    { path: "src/cart.ts", language: "typescript", files: [{ path: "a.ts", text: "a();" }] },
  ],
  [
    "Continue's comments",
    `<|fim_prefix|>// Path: lib/a.ts\n// a();\n// \n// b();\n// Path: Untitled.txt\n// pasted\n// src/cart.ts\n${p}<|fim_suffix|>${s}<|fim_middle|>`,
    "qwen2.5-coder",
    {
      path: "src/cart.ts",
      files: [
        { path: "lib/a.ts", text: "a();\n\nb();" },
        { path: "Untitled.txt", text: "pasted" },
      ],
    },
  ],
  [
    "Continue's comment alone",
    `<|fim_prefix|>\n# src/cart.py\n${p}<|fim_suffix|>${s}<|fim_middle|>`,
    "qwen2.5-coder",
    { path: "src/cart.py" },
  ],
  [
    "a file that begins with its own name",
    `<|fim_prefix|>// src/cart.ts\n${p}<|fim_suffix|>${s}<|fim_middle|>`,
    "qwen2.5-coder",
    { prefix: `// src/cart.ts\n${p}` },
  ],
  ["the built-in model", `<|fim_suffix|>${s}<|fim_prefix|>${p}`, "slipstream-builtin"],
])("a prompt is taken apart: %s", (_, prompt, family, more = {}) => {
  expect(takeApart(prompt)).toEqual({ family, prefix: p, suffix: s, path: "", language: "", files: [], ...more });
});

test.each([
  [
    "edit prediction, whose middle token stands twice",
    "<|fim_prefix|>\na<|fim_middle|>current\nb<|fim_suffix|>\nc<|fim_middle|>updated\n",
  ],
  ["a token twice", "<fim_prefix>x = '<fim_suffix>'<fim_suffix>y<fim_middle>"],
  ["a side missing", "<fim_prefix>x<fim_middle>"],
  ["the middle before a side", "<|fim_prefix|>x<|fim_middle|>y<|fim_suffix|>z"],
  ["a chat", "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"],
  ["a turn behind the middle", "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>c<|im_end|>\n<|im_start|>user\n"],
  ["tokens of two families", "<fim_prefix>a<|fim_suffix|>b<fim_middle>"],
  ["tokens without end", "<fim_prefix>".repeat(1_000)],
])("what cannot be read for sure is left as it is: %s", (_, prompt) => {
  expect(takeApart(prompt)).toBe("unknown");
});

test.each([
  ["code", "function f() {\n  return "],
  ["nothing", ""],
  ["markup", "<s>old</s> <think>"],
  ["lists", "[MASK] [INST]"],
])("a prompt that spells no tokens is none: %s", (_, prompt) => {
  expect(takeApart(prompt)).toBeUndefined();
});

test("whatever we render, for any family and in any of its forms, is taken apart to what it was made of", () => {
  const random = seeded(11);
  const pieces = ["a", " b", "\n", "(", "  ", "\r\n", "漢", "<div>", "// x\n", "😀", " ", "\t"];
  const some = (most: number) => Array.from({ length: below(random, most) }, () => pieces[below(random, pieces.length)]).join("");
  for (const { name, tokens, file, forms } of families) {
    for (const [i, form] of formsOf({
      ...(families.find((family) => family.name === name) as (typeof families)[number]),
    }).entries()) {
      for (let round = 0; round < 40; round++) {
        const repository = forms[i]?.repository !== undefined && file !== undefined && round % 2 === 1;
        const files = repository
          ? [
              { path: "lib/x.ts", text: `x${some(5)}y` },
              { path: "y.ts", text: "y" },
            ]
          : [];
        const [before, suffix] = [`P${some(12)}`, `S${some(12)}`];
        const spelling = { family: tokens, model: tokens };
        const rendered = render(form, spelling, {
          files,
          path: "src/a.ts",
          language: "go",
          repository: "r",
          head: [before],
          tail: "",
          suffix,
        });
        const taken = takeApart(flat(rendered).text);
        const at = `${name} ${form.order} ${JSON.stringify({ before, suffix, files })}`;
        expect(taken, at).toMatchObject({ prefix: before, suffix, files });
        if (repository && name !== "codegemma") expect(taken, at).toMatchObject({ path: "src/a.ts" });
      }
    }
  }
});

test("a user's special tokens come out of the text form as they went in", () => {
  const [{ tokens }, [form]] = [
    families.find(({ name }) => name === "starcoder2") as (typeof families)[number],
    formsOf(families.find(({ name }) => name === "starcoder2") as (typeof families)[number]),
  ];
  if (!form) throw new Error("no form");
  const filling = { files: [], path: "", language: "", repository: "", head: ["a <fim_suffix> b"], tail: "", suffix: "<|im_end|>" };
  const taken = takeApart(flat(render(form, { family: tokens, model: tokens }, filling)).text);
  if (!taken || taken === "unknown") throw new Error("not taken apart");
  expect([restored(taken.prefix), restored(taken.suffix)]).toEqual(["a <fim_suffix> b", "<|im_end|>"]);
});
