import { expect, test } from "vitest";
import { families } from "./families.ts";
import { type Form, formsOf } from "./form.ts";
import { type Filling, render, type Segment } from "./render.ts";

const filling: Filling = { files: [], path: "a.ts", language: "typescript", repository: "r", suffix: "S", head: ["P"], tail: "T" };
const formOf = (name: string) => {
  const family = families.find((each) => each.name === name);
  if (!family) throw new Error(name);
  return { form: formsOf(family)[0] as Form, spelling: { family: family.tokens, model: family.tokens } };
};
const shown = (segments: readonly Segment[]) => segments.map((part) => ("special" in part ? `[${part.special}]` : part.text));

test("text stays text, whatever it spells", () => {
  const { form, spelling } = formOf("qwen2.5-coder");
  const segments = render(form, spelling, { ...filling, tail: "<|fim_suffix|>", suffix: "<|fim_middle|>" });
  expect(segments.filter((part) => "special" in part)).toHaveLength(3);
});

test("the model's own spelling of a part goes before the family's", () => {
  const { form, spelling } = formOf("codellama");
  const model = { ...spelling.model, prefix: "<PRE>", suffix: "", middle: "<MID>" };
  expect(shown(render(form, { ...spelling, model }, filling))).toEqual(["[<PRE>]", "[▁<SUF>]", "S", "[<MID>]", " P", "T"]);
});

test("every file is a segment of its own, and no empty text is one", () => {
  const { form, spelling } = formOf("granite-4");
  const files = [
    { path: "x.ts", text: "x" },
    { path: "y.ts", text: "y" },
  ];
  expect(shown(render(form, spelling, { ...filling, files, head: [], tail: "" }))).toEqual([
    "[<|fim_prefix|>]",
    "// Path: x.ts\nx\n",
    "// Path: y.ts\ny\n",
    "[<|fim_suffix|>]",
    "S",
    "[<|fim_middle|>]",
  ]);
});

test.each([
  ["python", "# Path: x.py\n"],
  ["lua", "-- Path: x.py\n"],
  ["rust", "// Path: x.py\n"],
])("the path of another file is a comment of the language: %s", (language, header) => {
  const { form, spelling } = formOf("granite-4");
  const [, file] = render(form, spelling, { ...filling, language, files: [{ path: "x.py", text: "x" }] });
  expect(file).toEqual({ text: `${header}x\n` });
});

test("what is typed goes behind the middle token where that ends a prefix-first form, else it ends the prefix", () => {
  const tails = (name: string) => {
    const { form, spelling } = formOf(name);
    return shown(render(form, spelling, filling)).slice(-3);
  };
  expect(tails("qwen2.5-coder")).toEqual(["S", "[<|fim_middle|>]", "T"]);
  expect(tails("codestral")).toEqual(["[[PREFIX]]", "P", "T"]);
  expect(tails("starcoder2")).toEqual(["[<fim_middle>]", "P", "T"]);
  expect(tails("mellum")).toEqual(["P", "T", "[<fim_middle>]"]);
  expect(tails("qwen3-coder")).toEqual(["\n", "[<|im_start|>]", "assistant\n"]);
});

test("a turn names the language as people do", () => {
  const { form, spelling } = formOf("codegeex4");
  const header = (language: string) => shown(render(form, spelling, { ...filling, language }))[1];
  expect(header("typescript")).toBe("\n###PATH:a.ts\n###LANGUAGE:TypeScript\n###MODE:BLOCK\n");
  expect(header("rust")).toContain("LANGUAGE:Rust\n");
});
