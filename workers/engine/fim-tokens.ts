// fim-tokens: metadata and vocabulary of a model file in; its family, the texts of its fill-in-the-middle tokens and the other
// special tokens that the family's forms hold out. Undefined when it has none.
import { families, recognise } from "../../lib/fim/families.ts";
import { formsOf } from "../../lib/fim/form.ts";
import type { FimTokens } from "../generation.ts";

/** What is asked of a vocabulary: texts of ids, and whether a text is one special token. */
export interface Vocabulary {
  textOf(id: number): string;
  isSpecialToken(text: string): boolean;
}

/** What a file says of itself besides its vocabulary. */
export interface Described {
  /** Its own name, its base model's. */
  readonly names: readonly string[];
  readonly chatTemplate?: string;
}

export interface Found {
  readonly fim: FimTokens;
  /** "" where nothing tells. */
  readonly family: string;
  readonly specials: readonly string[];
}

/** Keys of `tokenizer.ggml` in a GGUF file, newest spelling first. */
const keys = {
  prefix: ["fim_pre_token_id", "prefix_token_id"],
  suffix: ["fim_suf_token_id", "suffix_token_id"],
  middle: ["fim_mid_token_id", "middle_token_id"],
  fileSeparator: ["fim_sep_token_id"],
  repository: ["fim_rep_token_id"],
} as const satisfies Record<keyof FimTokens, readonly string[]>;
const parts = Object.keys(keys) as readonly (keyof FimTokens)[];

/** Spellings of models that are no family of ours, or that a family has and does not use. */
const others: Readonly<Record<keyof FimTokens, readonly string[]>> = {
  prefix: ["<|fim_begin|>", "<|prefix|>", "<PRE>"],
  suffix: ["<|fim_hole|>", "<|suffix|>", "<SUF>"],
  middle: ["<|fim_end|>", "<|middle|>", "<MID>", "[MIDDLE]"],
  fileSeparator: [],
  repository: [],
};

/** For files whose metadata does not name the tokens. */
function spellings(part: keyof FimTokens): string[] {
  return [...families.map(({ tokens }) => tokens[part]), ...others[part]].filter((text) => text !== "");
}

export function findFimTokens(
  metadata: Readonly<Record<string, unknown>>,
  vocabulary: Vocabulary,
  { names, chatTemplate = "" }: Described = { names: [] },
): Found | undefined {
  const declared = parts.some((part) => keys[part].some((key) => typeof metadata[key] === "number"));
  const find = (part: keyof FimTokens): string => {
    // A file that declares its tokens means what it leaves out; only a file that declares none is searched by spelling.
    if (!declared) return spellings(part).find((text) => vocabulary.isSpecialToken(text)) ?? "";
    const id = keys[part].map((key) => metadata[key]).find((value) => typeof value === "number");
    return typeof id === "number" ? vocabulary.textOf(id) : "";
  };
  const fim = Object.fromEntries(parts.map((part) => [part, find(part)])) as unknown as FimTokens;
  if (!fim.prefix || !fim.suffix) return undefined;
  // Converters name few separators: what the vocabulary holds tells families apart, and what the family has of it is one.
  const spelt = (part: "fileSeparator" | "repository") =>
    fim[part] || (spellings(part).find((text) => vocabulary.isSpecialToken(text)) ?? "");
  const seen = { ...fim, fileSeparator: spelt("fileSeparator"), repository: spelt("repository") };
  const family = recognise({ names, chatTemplate, tokens: seen });
  if (!family) return { fim, family: "", specials: [] };
  const { begin = "", ends, tokens } = family;
  const between = (part: "fileSeparator" | "repository") =>
    fim[part] || (tokens[part] !== "" && vocabulary.isSpecialToken(tokens[part]) ? tokens[part] : "");
  const whole = { ...fim, fileSeparator: between("fileSeparator"), repository: between("repository") };
  const inForms = formsOf(family)
    .flatMap(({ single, repository = [], file }) => [...single, ...repository, ...file])
    .flatMap((piece) => ("special" in piece ? [piece.special] : []));
  const known = new Set([...Object.values(whole), ...Object.values(tokens)]);
  const specials = [...new Set([begin, ...inForms, ...ends])].filter(
    (special) => special !== "" && !known.has(special) && vocabulary.isSpecialToken(special),
  );
  return { fim: whole, family: family.name, specials };
}
