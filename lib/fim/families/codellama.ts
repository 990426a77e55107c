// Code Llama 7B, 13B, 70B: a SentencePiece vocabulary whose tokens carry the space before them.
import type { Family } from "../family.ts";

export const codellama: Family = {
  name: "codellama",
  title: "Code Llama 7B, 13B, 70B",
  tokens: { prefix: "▁<PRE>", suffix: "▁<SUF>", middle: "▁<MID>", fileSeparator: "", repository: "" },
  begin: "<s>",
  specials: ["<PRE>", "<SUF>", "<MID>", "<EOT>", "<unk>", "<FILL_ME>", "[INST]", "[/INST]"],
  ends: ["▁<EOT>", "</s>"],
  stop: [],
  forms: [
    { order: "suffix_first", single: "▁<PRE>▁<SUF>{suffix}▁<MID> {prefix}" },
    { order: "prefix_first", single: "▁<PRE> {prefix}▁<SUF>{suffix}▁<MID>" },
  ],
  names: ["codellama", "code llama"],
  misspelt: [{ prefix: "<PRE>", suffix: "<SUF>", middle: "<MID>" }],
  sources: ["github.com/meta-llama/codellama llama/generation.py, infilling_prompt_tokens"],
  notes:
    "As text it reads `<PRE> p <SUF>s <MID>`: the spaces before SUF and MID belong to the tokens, the one before the prefix to the text, and none follows SUF. twinny sends one there, and a line feed before the prefix.",
};
