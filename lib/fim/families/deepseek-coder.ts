// DeepSeek-Coder 1: tokens with full-width bars (U+FF5C) and lower one eighth blocks (U+2581).
import type { Family } from "../family.ts";

export const deepseekSpelling = {
  prefix: "<｜fim▁begin｜>",
  suffix: "<｜fim▁hole｜>",
  middle: "<｜fim▁end｜>",
  fileSeparator: "",
  repository: "",
} as const;

/** ASCII bars, as papers and many clients print them: no token of the model. */
export const deepseekMisspelt = [{ prefix: "<|fim_begin|>", suffix: "<|fim_hole|>", middle: "<|fim_end|>" }] as const;

export const deepseekCoder: Family = {
  name: "deepseek-coder",
  title: "DeepSeek-Coder 1.3B to 33B base",
  tokens: deepseekSpelling,
  begin: "<｜begin▁of▁sentence｜>",
  specials: ["<|EOT|>", "<pad>", "<｜User｜>", "<｜Assistant｜>"],
  ends: ["<｜end▁of▁sentence｜>", "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"],
  stop: [],
  forms: [
    {
      order: "prefix_first",
      single: "<｜fim▁begin｜>{prefix}<｜fim▁hole｜>{suffix}<｜fim▁end｜>",
      repository: "{files}#{path}\n<｜fim▁begin｜>{prefix}<｜fim▁hole｜>{suffix}<｜fim▁end｜>",
    },
  ],
  file: "#{path}\n{text}\n",
  names: ["deepseek coder", "deepseek"],
  misspelt: deepseekMisspelt,
  sources: [
    "github.com/deepseek-ai/DeepSeek-Coder README.md",
    "github.com/sourcegraph/cody vscode/src/completions/model-helpers/deepseek.ts",
  ],
  notes:
    "Continue stops it at `//`, which ends every comment and address; Cody's list joins two stops into one string that never occurs.",
};
