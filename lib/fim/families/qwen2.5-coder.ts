// Qwen2.5-Coder, base and instruct: prefix first, with a repository form of its own.
import type { Family } from "../family.ts";

export const qwenSpelling = {
  prefix: "<|fim_prefix|>",
  suffix: "<|fim_suffix|>",
  middle: "<|fim_middle|>",
  fileSeparator: "<|file_sep|>",
  repository: "<|repo_name|>",
} as const;

/** All eight end a middle; leaving out the pad and the separator is how tokens leak into editors. */
export const qwenEnds = [
  "<|endoftext|>",
  "<|im_end|>",
  "<|fim_prefix|>",
  "<|fim_middle|>",
  "<|fim_suffix|>",
  "<|fim_pad|>",
  "<|repo_name|>",
  "<|file_sep|>",
] as const;

export const qwenSpecials = [
  "<|im_start|>",
  "<|object_ref_start|>",
  "<|object_ref_end|>",
  "<|box_start|>",
  "<|box_end|>",
  "<|quad_start|>",
  "<|quad_end|>",
  "<|vision_start|>",
  "<|vision_end|>",
  "<|vision_pad|>",
  "<|image_pad|>",
  "<|video_pad|>",
  "<tool_call>",
  "</tool_call>",
] as const;

export const qwen25Coder: Family = {
  name: "qwen2.5-coder",
  title: "Qwen2.5-Coder 0.5B to 32B",
  tokens: qwenSpelling,
  specials: qwenSpecials,
  ends: qwenEnds,
  stop: [],
  forms: [
    {
      order: "prefix_first",
      single: "<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>",
      repository:
        "<|repo_name|>{repository}\n{files}<|file_sep|>{path}\n<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>",
    },
  ],
  file: "<|file_sep|>{path}\n{text}\n",
  names: ["qwen2.5 coder", "qwen 2.5 coder"],
  sources: [
    "github.com/QwenLM/Qwen3-Coder examples/Qwen2.5-Coder.md",
    "github.com/QwenLM/Qwen3-Coder examples/Qwen2.5-Coder-repolevel-fim.py",
  ],
  notes: "Continue sends StarCoder's tokens to any Qwen that has no `coder` in its name.",
};
