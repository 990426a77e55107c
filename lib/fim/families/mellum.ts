// Mellum 4B: suffix first, and the file's name before both sides.
import type { Family } from "../family.ts";
import { starcoderSpecials } from "./starcoder.ts";

export const mellum: Family = {
  name: "mellum",
  title: "Mellum 4B base and sft",
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
    {
      order: "suffix_first",
      single: "<fim_suffix>{suffix}<fim_prefix>{prefix}<fim_middle>",
      repository: "{files}<filename>{path}\n<fim_suffix>{suffix}<fim_prefix>{prefix}<fim_middle>",
    },
  ],
  file: "<filename>{path}\n{text}\n",
  names: ["mellum"],
  sources: ["huggingface.co/JetBrains/Mellum-4b-base README.md", "arXiv 2510.05788"],
};
