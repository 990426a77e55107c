// Seed-Coder 8B base: suffix first only.
import type { Family } from "../family.ts";

export const seedCoder: Family = {
  name: "seed-coder",
  title: "Seed-Coder 8B base",
  tokens: { prefix: "<[fim-prefix]>", suffix: "<[fim-suffix]>", middle: "<[fim-middle]>", fileSeparator: "", repository: "" },
  specials: ["<[begin▁of▁sentence]>", "<[PAD▁TOKEN]>", "<[SEP▁TOKEN]>"],
  ends: ["<[end▁of▁sentence]>", "<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>"],
  stop: [],
  forms: [{ order: "suffix_first", single: "<[fim-suffix]>{suffix}<[fim-prefix]>{prefix}<[fim-middle]>" }],
  names: ["seed coder", "seedcoder"],
  sources: ["arXiv 2506.03524 §3, fill in the middle"],
  notes: "Continue sends it the prefix first, an order it was never trained for.",
};
