// StarCoder and StarCoderBase: trained on single files with metadata before them, in both orders.
import type { Family } from "../family.ts";

/** Of StarCoder's tokeniser, which several families took over. */
export const starcoderSpecials = [
  "<fim_pad>",
  "<filename>",
  "<gh_stars>",
  "<issue_start>",
  "<issue_comment>",
  "<issue_closed>",
  "<jupyter_start>",
  "<jupyter_text>",
  "<jupyter_code>",
  "<jupyter_output>",
  "<empty_output>",
  "<commit_before>",
  "<commit_msg>",
  "<commit_after>",
  "<reponame>",
] as const;

export const starcoder: Family = {
  name: "starcoder",
  title: "StarCoder, StarCoderBase",
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
  names: ["starcoder", "starchat", "octocoder"],
  sources: ["github.com/gonglinyuan/safim model_utils.py", "github.com/bigcode-project/Megatron-LM megatron/data/gpt_dataset.py"],
  notes: "Suffix first it is BigCode's second variant: the middle token stands before the prefix, which the middle goes on.",
};
