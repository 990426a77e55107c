// Granite 4: a general model that infills.
import type { Family } from "../family.ts";

export const granite4: Family = {
  name: "granite-4",
  title: "Granite 4",
  tokens: { prefix: "<|fim_prefix|>", suffix: "<|fim_suffix|>", middle: "<|fim_middle|>", fileSeparator: "", repository: "" },
  specials: [
    "<|pad|>",
    "<|unk|>",
    "<|filename|>",
    "<|reponame|>",
    "<|start_of_role|>",
    "<|end_of_role|>",
    "<|tool_call|>",
    "<tool_call>",
    "</tool_call>",
    "<tool_response>",
    "</tool_response>",
    "<think>",
    "</think>",
  ],
  ends: ["<|end_of_text|>", "<|fim_pad|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"],
  stop: [],
  forms: [{ order: "prefix_first", single: "<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>" }],
  names: ["granite 4", "granite4", "granite-4"],
  template: ["<|start_of_role|>"],
  sources: ["github.com/continuedev/continue core/autocomplete/templating/AutocompleteTemplate.ts"],
  notes: "Its vocabulary has tokens for files and repositories; how they go with infilling is not published.",
};
