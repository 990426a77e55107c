// fim-tokens: metadata and vocabulary of a model file in, the texts of its fill-in-the-middle tokens out; undefined when it has none.
import type { FimTokens } from "../../generation.ts";

/** What is asked of a vocabulary: texts of ids, and whether a text is one special token. */
export interface Vocabulary {
  textOf(id: number): string;
  isSpecialToken(text: string): boolean;
}

/** Keys of `tokenizer.ggml` in a GGUF file, newest spelling first. */
const keys = {
  prefix: ["fim_pre_token_id", "prefix_token_id"],
  suffix: ["fim_suf_token_id", "suffix_token_id"],
  middle: ["fim_mid_token_id", "middle_token_id"],
  fileSeparator: ["fim_sep_token_id"],
  repository: ["fim_rep_token_id"],
} as const satisfies Record<keyof FimTokens, readonly string[]>;

/** Spellings of known families, for files whose metadata does not name the tokens. */
const spellings = {
  prefix: ["<|fim_prefix|>", "<fim_prefix>", "<fim-prefix>", "<｜fim▁begin｜>", "<|fim_begin|>", "▁<PRE>", "<PRE>", "[PREFIX]"],
  suffix: ["<|fim_suffix|>", "<fim_suffix>", "<fim-suffix>", "<｜fim▁hole｜>", "<|fim_hole|>", "▁<SUF>", "<SUF>", "[SUFFIX]"],
  middle: ["<|fim_middle|>", "<fim_middle>", "<fim-middle>", "<｜fim▁end｜>", "<|fim_end|>", "▁<MID>", "<MID>", "[MIDDLE]"],
  fileSeparator: ["<|file_sep|>", "<|file_separator|>", "<file_sep>", "<filename>"],
  repository: ["<|repo_name|>", "<repo_name>", "<reponame>"],
} as const satisfies Record<keyof FimTokens, readonly string[]>;

export function findFimTokens(metadata: Readonly<Record<string, unknown>>, vocabulary: Vocabulary): FimTokens | undefined {
  const declared = Object.values(keys).some((names) => names.some((key) => typeof metadata[key] === "number"));
  const find = (part: keyof FimTokens): string => {
    // A file that declares its tokens means what it leaves out; only a file that declares none is searched by spelling.
    if (!declared) return spellings[part].find((text) => vocabulary.isSpecialToken(text)) ?? "";
    const id = keys[part].map((key) => metadata[key]).find((value) => typeof value === "number");
    return typeof id === "number" ? vocabulary.textOf(id) : "";
  };
  const fim = {
    prefix: find("prefix"),
    suffix: find("suffix"),
    middle: find("middle"),
    fileSeparator: find("fileSeparator"),
    repository: find("repository"),
  };
  return fim.prefix && fim.suffix ? fim : undefined;
}

/** Our own weights say so by name: their layout (suffix first, no middle token) is a family the router knows. */
export function fimFamily(generalName: string | undefined): string {
  return generalName?.startsWith("slipstream-") ? "slipstream-builtin" : "";
}
