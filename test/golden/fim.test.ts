// Conformance: what each family gets, byte for byte, for every form and edge case, beside this file; examples that makers
// publish; and prompts that other products get wrong. A golden file that changes is another prompt for a model that was trained
// for this one: look at the difference, then run with `--update`.
import { expect, test } from "vitest";
import { families } from "../../lib/fim/families.ts";
import type { Family, Order } from "../../lib/fim/family.ts";
import { type Form, formsOf, specialsOf } from "../../lib/fim/form.ts";
import { fittingStops } from "../../lib/fim/raw-request.ts";
import { type Filling, render, type Segment } from "../../lib/fim/render.ts";
import { flat, neutralised, restored, spelledIn } from "../../lib/fim/special-text.ts";
import { takeApart } from "../../lib/fim/take-apart.ts";

const plain: Filling = {
  files: [],
  path: "src/cart.ts",
  language: "typescript",
  repository: "shop",
  head: ["export function total(items: Item[]) {\n"],
  tail: "  return items.red",
  suffix: "((sum, item) => sum + item.price, 0);\n}\n",
};
const others = [
  { path: "src/item.ts", text: "export interface Item {\n  price: number;\n}" },
  { path: "docs/größe.md", text: "Prices are in cents." },
];

const cases: Readonly<Record<string, (family: Family) => Filling>> = {
  "one file": () => plain,
  "beside other files": () => ({ ...plain, files: others }),
  "empty suffix": () => ({ ...plain, suffix: "" }),
  "empty prefix": () => ({ ...plain, head: [], tail: "" }),
  "nothing at all": () => ({ ...plain, head: [], tail: "", suffix: "" }),
  "Windows lines": () => ({ ...plain, head: ["if (a) {\r\n"], tail: "\tb", suffix: "\r\n}\r\n" }),
  "cursor inside a word": () => ({ ...plain, head: [], tail: "conso", suffix: "le.log(漢字, '😀');\n" }),
  "a very long line": () => ({ ...plain, head: [`const data = "${"x".repeat(20_000)}`], tail: "y", suffix: `${"z".repeat(20_000)}";\n` }),
  "its own tokens in the text": (family) => {
    const { prefix, suffix, middle } = family.tokens;
    const spelled = [prefix, suffix, middle, ...family.ends, ...family.specials].slice(0, 6).join(" ");
    return {
      ...plain,
      files: [{ path: `${prefix}.ts`, text: `${suffix}${middle}` }],
      path: `${suffix}.ts`,
      head: [`const tokens = "${spelled}";\n`],
      tail: prefix.slice(0, -1),
      suffix: `${middle}${family.ends[0]}\n`,
    };
  },
};

const spellingOf = ({ tokens }: Family) => ({ family: tokens, model: tokens });
const short = (text: string) => text.replace(/(.)\1{99,}/gsu, (run, one) => `${one} × ${run.length} `);
const visible = (text: string) => JSON.stringify(short(text)).replaceAll("\u2060", "\\u2060");

function shown(segments: readonly Segment[]): string {
  const lines = segments.map((part) => ("special" in part ? `special ${visible(part.special)}` : `text    ${visible(part.text)}`));
  return `${lines.join("\n")}\nas text ${visible(flat(segments).text)}`;
}

test.each(families.map((family) => [family.name, family] as const))("%s is asked as it was trained", async (name, family) => {
  const parts = formsOf(family).flatMap((form) =>
    Object.entries(cases).map(([title, filling]) => `=== ${form.order}, ${title}\n${shown(render(form, spellingOf(family), filling(family)))}\n`),
  );
  await expect(parts.join("\n")).toMatchFileSnapshot(`fim/${name}.txt`);
});

test.each(families.map((family) => [family.name, family] as const))("%s: only the form's tokens are special, and only they are spelt", (_, family) => {
  const all = new Set(specialsOf(family));
  for (const form of formsOf(family))
    for (const [title, filling] of Object.entries(cases)) {
      const segments = render(form, spellingOf(family), filling(family));
      const own = segments.flatMap((part) => ("special" in part ? [part.special] : []));
      for (const special of own) expect(all.has(special), `${title}: ${special}`).toBe(true);
      const { text } = flat(segments);
      expect(spelledIn(text), `${form.order}, ${title}`).toEqual(own.flatMap(spelledIn));
      expect(restored(text).length, title).toBeLessThanOrEqual(text.length);
    }
});

const named = (name: string) => families.find((family) => family.name === name) as Family;
const asked = (name: string, filling: Partial<Filling>, order?: Order) => {
  const family = named(name);
  const form = formsOf(family).find((each) => order === undefined || each.order === order) as Form;
  return flat(render(form, spellingOf(family), { ...plain, head: [], tail: "", ...filling })).text;
};

// Each text as its maker prints it.
test.each<[source: string, ours: string, published: string]>([
  [
    "Gemma docs, CodeGemma formatting",
    asked("codegemma", { head: ["import "], suffix: "\nif __name__ == '__main__':\n    sys.exit(0)" }),
    "<|fim_prefix|>import <|fim_suffix|>\nif __name__ == '__main__':\n    sys.exit(0)<|fim_middle|>",
  ],
  [
    "Qwen3-Coder examples, repository level",
    asked("qwen2.5-coder", {
      ...{ repository: "library-system", path: "main.py", head: ["def main():\n    "], suffix: "\nmain()" },
      files: [{ path: "library.py", text: "class Book:\n    pass" }],
    }),
    "<|repo_name|>library-system\n<|file_sep|>library.py\nclass Book:\n    pass\n<|file_sep|>main.py\n<|fim_prefix|>def main():\n    <|fim_suffix|>\nmain()<|fim_middle|>",
  ],
  [
    "StarCoder2 paper §5.1",
    asked(
      "starcoder2",
      { repository: "shop", path: "path1", head: ["code_pre"], suffix: "code_suf", files: [{ path: "path0", text: "code0" }] },
      "prefix_first",
    ),
    "<repo_name>shop<file_sep>path0\ncode0\n<file_sep><fim_prefix>path1\ncode_pre<fim_suffix>code_suf<fim_middle>",
  ],
  ["mistral-common, encode_fim", asked("codestral", { head: ["def f("], suffix: "return a + b" }), "[SUFFIX]return a + b[PREFIX]def f("],
  [
    "Code Llama, infilling_prompt_tokens",
    asked("codellama", { head: ["def f("], suffix: ") -> int:" }, "prefix_first"),
    "<PRE> def f( <SUF>) -> int: <MID>",
  ],
  [
    "Code Llama, suffix first",
    asked("codellama", { head: ["def f("], suffix: ") -> int:" }, "suffix_first"),
    "<PRE> <SUF>) -> int: <MID> def f(",
  ],
  [
    "DeepSeek-Coder README",
    asked("deepseek-coder", { head: ["def quick_sort(arr):\n"], suffix: "\n    return arr" }),
    "<｜fim▁begin｜>def quick_sort(arr):\n<｜fim▁hole｜>\n    return arr<｜fim▁end｜>",
  ],
  [
    "Mellum model card",
    asked("mellum", {
      files: [{ path: "utils.py", text: "def multiply(x, y):\n    return x * y" }],
      ...{ path: "example.py", head: ["def calculate_sum(a, b):\n"], suffix: "\n\nprint(result)" },
    }),
    "<filename>utils.py\ndef multiply(x, y):\n    return x * y\n<filename>example.py\n<fim_suffix>\n\nprint(result)<fim_prefix>def calculate_sum(a, b):\n<fim_middle>",
  ],
  [
    "Seed-Coder paper",
    asked("seed-coder", { head: ["PREFIX"], suffix: "SUFFIX" }),
    "<[fim-suffix]>SUFFIX<[fim-prefix]>PREFIX<[fim-middle]>",
  ],
  [
    "Qwen3-Coder README, in a turn",
    asked("qwen3-coder", { head: ["a"], suffix: "b" }),
    "<|im_start|>system\nYou are a code completion assistant.<|im_end|>\n<|im_start|>user\n<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|><|im_end|>\n<|im_start|>assistant\n",
  ],
  [
    "CodeGeeX4 infilling guideline",
    asked("codegeex4", { path: "main.py", language: "python", head: ["a"], suffix: "b" }),
    "<|user|>\n###PATH:main.py\n###LANGUAGE:Python\n###MODE:BLOCK\n<|code_suffix|>b<|code_prefix|>a<|code_middle|><|assistant|>\n",
  ],
  ["SAFIM, SantaCoder suffix first", asked("santacoder", { head: ["a"], suffix: "b" }), "<fim-prefix><fim-suffix>b<fim-middle>a"],
])("as published: %s", (_, ours, published) => {
  expect(ours).toBe(published);
});

const [before, after] = ["const url = 'http:", "/a';\n"];

// What other products send; whoever serves, the model gets what it was trained for.
test.each<[bug: string, sent: string, serving: string]>([
  ["Continue: Seed-Coder prefix first", `<[fim-prefix]>${before}<[fim-suffix]>${after}<[fim-middle]>`, "seed-coder"],
  ["Continue: StarCoder's tokens for a Qwen", `<fim_prefix>${before}<fim_suffix>${after}<fim_middle>`, "qwen2.5-coder"],
  ["twinny: StarCoder's tokens for CodeGemma", `<fim_prefix>${before}<fim_suffix>${after}<fim_middle>`, "codegemma"],
  ["twinny: a line feed and a space too many for Code Llama", `<PRE> \n${before} <SUF> ${after} <MID>`, "codellama"],
  ["papers and clients: DeepSeek's bars in ASCII", `<|fim_begin|>${before}<|fim_hole|>${after}<|fim_end|>`, "deepseek-coder-v2"],
  ["Mellum asked prefix first", `<fim_prefix>${before}<fim_suffix>${after}<fim_middle>`, "mellum"],
  ["llama.cpp's preset: Qwen3-Coder without its turn", `<|fim_prefix|>${before}<|fim_suffix|>${after}<|fim_middle|>`, "qwen3-coder"],
  ["Codestral asked prefix first", `[PREFIX]${before}[SUFFIX]${after}`, "codestral"],
])("put right: %s", (_, sent, serving) => {
  const taken = takeApart(sent);
  if (!taken || taken === "unknown") throw new Error("not taken apart");
  expect([taken.prefix, taken.suffix]).toEqual([before, after]);
  expect(asked(serving, { tail: taken.prefix, suffix: taken.suffix })).toBe(asked(serving, { tail: before, suffix: after }));
});

test("put right: stops that end comments, that never occur, and those that let tokens leak", () => {
  expect(fittingStops(["<｜fim▁begin｜>", "//"])).toEqual([]);
  expect(fittingStops(["<｜fim▁end｜>, <|eos_token|>"])).toEqual([]);
  expect(named("deepseek-coder").stop).toEqual([]);
  const eight = ["<|endoftext|>", "<|im_end|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"];
  for (const qwen of ["qwen2.5-coder", "qwen3-coder"]) expect([...named(qwen).ends].sort(), qwen).toEqual([...eight].sort());
  expect(neutralised("<|fim_pad|>")).not.toContain("<|fim_pad|>");
});
