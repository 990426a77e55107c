// family: how a family of models wants an infilling prompt, as data. Forms are written as their makers print them: special
// tokens by their text, holes in braces. A new family is a file in families/ and a row in families.ts.

/** The tokens that mark the parts of an infilling prompt, as the tokeniser spells them; "": the family has none. */
export interface FimTexts {
  readonly prefix: string;
  readonly suffix: string;
  readonly middle: string;
  readonly fileSeparator: string;
  readonly repository: string;
}

/** Which of the two sides comes first. Suffix first, the suffix stays in the KV while the person types. */
export type Order = "suffix_first" | "prefix_first";

/** What a form leaves open. `files` is other code, each in the family's `file` form; `comment` opens a comment of the language. */
export const holes = ["prefix", "suffix", "files", "path", "language", "repository", "comment", "text"] as const;
export type Hole = (typeof holes)[number];

export interface Family {
  /** As a worker's Welcome names it. */
  readonly name: string;
  /** As people name it, with the models it holds for. */
  readonly title: string;
  readonly tokens: FimTexts;
  /** Opens every sequence, where the tokeniser puts one there of itself; text engines add it without being asked. */
  readonly begin?: string;
  /** Other texts that its tokeniser takes for one special token. */
  readonly specials: readonly string[];
  /** Special tokens that end a middle. */
  readonly ends: readonly string[];
  /** Plain text that ends a middle. */
  readonly stop: readonly string[];
  /** Infilling of one file, and beside other files. The first order is the one we use; others were trained too. */
  readonly forms: readonly {
    readonly order: Order;
    readonly single: string;
    /** Absent: other code stands before the prefix, headed by a comment with its path. */
    readonly repository?: string;
  }[];
  /** One other file, where the family has a form for it. */
  readonly file?: string;
  /** What training covered, where it matters: tokens of prompt it hardly saw more than; other files' code. */
  readonly trained?: { readonly promptTokensMax?: number; readonly context?: boolean };
  /** Recognised by: words of a model's name in lower case, the longest wins; marks in its chat template. */
  readonly names: readonly string[];
  readonly template?: readonly string[];
  /** Its tokens alone do not tell it: others with the same tokens were trained otherwise. */
  readonly onlyByName?: true;
  /** Other spellings that clients send for the same parts: they are understood, never sent. */
  readonly misspelt?: readonly Pick<FimTexts, "prefix" | "suffix" | "middle">[];
  /** Where the forms can be read. */
  readonly sources: readonly string[];
  /** What a reader should know: what is not certain, what others get wrong. */
  readonly notes?: string;
}
