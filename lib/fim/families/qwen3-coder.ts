// Qwen3-Coder: an instruct model that infills inside a turn of its chat.
import type { Family } from "../family.ts";
import { qwenEnds, qwenSpecials, qwenSpelling } from "./qwen2.5-coder.ts";

const asked = "<|im_start|>system\nYou are a code completion assistant.<|im_end|>\n<|im_start|>user\n";
const answered = "<|im_end|>\n<|im_start|>assistant\n";

export const qwen3Coder: Family = {
  name: "qwen3-coder",
  title: "Qwen3-Coder instruct",
  tokens: qwenSpelling,
  specials: [...qwenSpecials, "<tool_response>", "</tool_response>", "<think>", "</think>"],
  ends: qwenEnds,
  stop: [],
  forms: [
    {
      order: "prefix_first",
      single: `${asked}<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>${answered}`,
      repository: `${asked}<|repo_name|>{repository}\n{files}<|file_sep|>{path}\n<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>${answered}`,
    },
  ],
  file: "<|file_sep|>{path}\n{text}\n",
  names: ["qwen3 coder", "qwen 3 coder"],
  template: ["<function="],
  sources: ["github.com/QwenLM/Qwen3-Coder README.md, Fill in the middle"],
  notes:
    "The turn is documented for one file; the repository form in the turn is Qwen2.5-Coder's. llama.cpp's preset sends it raw.",
};
