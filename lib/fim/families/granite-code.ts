// Granite Code 3B to 34B: StarCoder's tokens, and its training in both orders.
import type { Family } from "../family.ts";
import { starcoderSpecials } from "./starcoder.ts";

export const graniteCode: Family = {
  name: "granite-code",
  title: "Granite Code 3B to 34B",
  tokens: {
    prefix: "<fim_prefix>",
    suffix: "<fim_suffix>",
    middle: "<fim_middle>",
    fileSeparator: "<filename>",
    repository: "<reponame>",
  },
  specials: starcoderSpecials,
  ends: ["<|endoftext|>", "<filename>", "<fim_prefix>", "<fim_suffix>", "<fim_middle>"],
  stop: [],
  forms: [
    { order: "suffix_first", single: "<fim_prefix><fim_suffix>{suffix}<fim_middle>{prefix}" },
    { order: "prefix_first", single: "<fim_prefix>{prefix}<fim_suffix>{suffix}<fim_middle>" },
  ],
  names: ["granite code"],
  sources: ["arXiv 2405.04324 §3.3", "github.com/ggml-org/llama.cpp src/llama-vocab.cpp"],
};
