// CodeQwen1.5: StarCoder2's tokens in a Qwen.
import type { Family } from "../family.ts";

export const codeqwen: Family = {
  name: "codeqwen1.5",
  title: "CodeQwen1.5 7B",
  tokens: {
    prefix: "<fim_prefix>",
    suffix: "<fim_suffix>",
    middle: "<fim_middle>",
    fileSeparator: "<file_sep>",
    repository: "<reponame>",
  },
  specials: ["<fim_pad>", "<|im_start|>", "<|im_end|>", "<filename>", "<gh_stars>"],
  ends: ["<|endoftext|>", "<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<fim_pad>", "<file_sep>"],
  stop: [],
  forms: [{ order: "prefix_first", single: "<fim_prefix>{prefix}<fim_suffix>{suffix}<fim_middle>" }],
  names: ["codeqwen"],
  sources: ["github.com/continuedev/continue core/autocomplete/templating/AutocompleteTemplate.ts"],
};
