// GLM-4.5 and 4.6: general models with tokens for code.
import type { Family } from "../family.ts";

export const glmSpecials = [
  "[MASK]",
  "[gMASK]",
  "[sMASK]",
  "<sop>",
  "<eop>",
  "<|system|>",
  "<|observation|>",
  "<|begin_of_image|>",
  "<|end_of_image|>",
  "<|begin_of_video|>",
  "<|end_of_video|>",
] as const;

export const glm45: Family = {
  name: "glm-4.5",
  title: "GLM-4.5, GLM-4.6",
  tokens: { prefix: "<|code_prefix|>", suffix: "<|code_suffix|>", middle: "<|code_middle|>", fileSeparator: "", repository: "" },
  specials: [
    ...glmSpecials,
    "<|begin_of_audio|>",
    "<|end_of_audio|>",
    "<|begin_of_transcription|>",
    "<|end_of_transcription|>",
    "/nothink",
    "<think>",
    "</think>",
    "<tool_call>",
    "</tool_call>",
    "<arg_key>",
    "</arg_key>",
    "<arg_value>",
    "</arg_value>",
  ],
  ends: ["<|endoftext|>", "<|user|>", "<|assistant|>", "<|observation|>", "<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>"],
  stop: [],
  forms: [{ order: "prefix_first", single: "<|code_prefix|>{prefix}<|code_suffix|>{suffix}<|code_middle|>" }],
  names: ["glm 4", "glm4"],
  template: ["[gMASK]<sop>"],
  sources: ["github.com/zed-industries/zed crates/edit_prediction/src/fim.rs", "github.com/ggml-org/llama.cpp src/llama-vocab.cpp"],
};
