// CodeGemma 2B and 7B.
import type { Family } from "../family.ts";

export const codegemma: Family = {
  name: "codegemma",
  title: "CodeGemma 2B, 7B",
  tokens: {
    prefix: "<|fim_prefix|>",
    suffix: "<|fim_suffix|>",
    middle: "<|fim_middle|>",
    fileSeparator: "<|file_separator|>",
    repository: "",
  },
  begin: "<bos>",
  specials: ["<pad>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>"],
  ends: ["<eos>", "<|file_separator|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"],
  stop: [],
  forms: [
    {
      order: "prefix_first",
      single: "<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>",
      repository: "{files}<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>",
    },
  ],
  file: "{comment} Path: {path}\n{text}\n<|file_separator|>",
  names: ["codegemma"],
  sources: ["ai.google.dev/gemma/docs/codegemma/prompt-structure", "arXiv 2406.11409 §2"],
  notes:
    "Trained in both orders, but only this one is published to the byte; how a file names its path is not, so a comment does. twinny sends StarCoder's tokens.",
};
