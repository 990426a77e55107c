// The model that comes with Slipstream.
import type { Family } from "../family.ts";

export const slipstreamBuiltin: Family = {
  name: "slipstream-builtin",
  title: "The built-in model",
  tokens: { prefix: "<|fim_prefix|>", suffix: "<|fim_suffix|>", middle: "", fileSeparator: "", repository: "" },
  specials: ["<|fim_middle|>"],
  ends: ["<|endoftext|>"],
  stop: [],
  forms: [{ order: "suffix_first", single: "<|fim_suffix|>{suffix}<|fim_prefix|>{prefix}" }],
  // Nearly all of its training was on 512 tokens and without other files' code, so its context of 2,048 is room, not reach.
  trained: { promptTokensMax: 512, context: false },
  names: ["slipstream"],
  onlyByName: true,
  sources: ["models/README.md"],
  notes: "No middle token: the vocabulary has one that training never used.",
};
