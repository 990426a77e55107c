// DeepSeek-Coder-V2 and its Lite, and the DeepSeek models after it that kept its tokens.
import type { Family } from "../family.ts";
import { deepseekMisspelt, deepseekSpelling } from "./deepseek-coder.ts";

export const deepseekCoderV2: Family = {
  name: "deepseek-coder-v2",
  title: "DeepSeek-Coder-V2, V2-Lite base",
  tokens: deepseekSpelling,
  begin: "<｜begin▁of▁sentence｜>",
  specials: [
    "<|EOT|>",
    "<｜▁pad▁｜>",
    "<｜User｜>",
    "<｜Assistant｜>",
    "<｜tool▁calls▁begin｜>",
    "<｜tool▁calls▁end｜>",
    "<｜tool▁call▁begin｜>",
    "<｜tool▁call▁end｜>",
    "<｜tool▁outputs▁begin｜>",
    "<｜tool▁outputs▁end｜>",
    "<｜tool▁output▁begin｜>",
    "<｜tool▁output▁end｜>",
    "<｜tool▁sep｜>",
  ],
  ends: ["<｜end▁of▁sentence｜>", "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"],
  stop: [],
  forms: [{ order: "prefix_first", single: "<｜fim▁begin｜>{prefix}<｜fim▁hole｜>{suffix}<｜fim▁end｜>" }],
  names: ["deepseek coder v2", "deepseek v2", "deepseek v3"],
  misspelt: deepseekMisspelt,
  sources: ["github.com/deepseek-ai/DeepSeek-Coder-V2 README.md", "arXiv 2406.11931 §3.1"],
  notes:
    "Trained prefix first at a rate of 50 % (Lite); the 236B model was not trained to infill. Its repository form is not published.",
};
