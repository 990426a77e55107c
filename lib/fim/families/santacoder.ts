// SantaCoder: the first of BigCode's models, with hyphens in its tokens.
import type { Family } from "../family.ts";

export const santacoder: Family = {
  name: "santacoder",
  title: "SantaCoder",
  tokens: { prefix: "<fim-prefix>", suffix: "<fim-suffix>", middle: "<fim-middle>", fileSeparator: "", repository: "" },
  specials: ["<fim-pad>"],
  ends: ["<|endoftext|>"],
  stop: [],
  forms: [
    { order: "suffix_first", single: "<fim-prefix><fim-suffix>{suffix}<fim-middle>{prefix}" },
    { order: "prefix_first", single: "<fim-prefix>{prefix}<fim-suffix>{suffix}<fim-middle>" },
  ],
  names: ["santacoder"],
  sources: ["github.com/gonglinyuan/safim model_utils.py", "github.com/bigcode-project/Megatron-LM megatron/data/gpt_dataset.py"],
};
