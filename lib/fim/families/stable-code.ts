// Stable Code 3B: StarCoder's tokens on a GPT-NeoX vocabulary.
import type { Family } from "../family.ts";
import { starcoderSpecials } from "./starcoder.ts";

export const stableCode: Family = {
  name: "stable-code",
  title: "Stable Code 3B",
  tokens: {
    prefix: "<fim_prefix>",
    suffix: "<fim_suffix>",
    middle: "<fim_middle>",
    fileSeparator: "<filename>",
    repository: "<reponame>",
  },
  specials: [...starcoderSpecials, "<|padding|>"],
  ends: ["<|endoftext|>", "<fim_prefix>", "<fim_suffix>", "<fim_middle>"],
  stop: ["</fim_middle>", "</code>"],
  forms: [{ order: "prefix_first", single: "<fim_prefix>{prefix}<fim_suffix>{suffix}<fim_middle>" }],
  names: ["stable code", "stablecode"],
  sources: ["github.com/continuedev/continue core/autocomplete/templating/AutocompleteTemplate.ts"],
};
