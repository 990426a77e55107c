// CodeGeeX4: suffix first inside a turn, with labels for paths, language and mode.
import type { Family } from "../family.ts";
import { glmSpecials } from "./glm-4.5.ts";

const file = "###PATH:{path}\n###LANGUAGE:{language}\n###MODE:BLOCK\n";
const sides = "<|code_suffix|>{suffix}<|code_prefix|>{prefix}<|code_middle|><|assistant|>\n";

export const codegeex4: Family = {
  name: "codegeex4",
  title: "CodeGeeX4 9B",
  tokens: { prefix: "<|code_prefix|>", suffix: "<|code_suffix|>", middle: "<|code_middle|>", fileSeparator: "", repository: "" },
  specials: [...glmSpecials, "<|user|>", "<|assistant|>"],
  ends: ["<|endoftext|>", "<|user|>", "<|observation|>", "<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>"],
  stop: [],
  forms: [
    {
      order: "suffix_first",
      single: `<|user|>\n${file}${sides}`,
      repository: `<|user|>\n{files}\n${file}${sides}`,
    },
  ],
  file: "###REFERENCE:\n###PATH:{path}\n{text}\n",
  names: ["codegeex"],
  sources: [
    "github.com/THUDM/CodeGeeX4 guides/Infilling_guideline.md",
    "github.com/continuedev/continue core/autocomplete/templating/AutocompleteTemplate.ts",
  ],
};
