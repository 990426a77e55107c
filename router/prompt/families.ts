// families: how each model family wants an infilling prompt, as data. A worker names its family; where it names none, the
// tokens of its model file tell which of the generic forms it was trained for.
import type { ServedModel } from "../completion.ts";

export interface Family {
  readonly name: string;
  /** Suffix-first keeps the cached suffix valid while the person types; used wherever the family was trained for it. */
  readonly order: "suffix_first" | "prefix_first";
  /** Share of the prompt's bytes for other code; 0: not trained with any. */
  readonly contextShare: number;
  /** How a chunk of other code is headed, where there is context. */
  readonly header: (path: string, model: ServedModel) => string;
  /** Share of the window for the text after the cursor. */
  readonly suffixShare: number;
  /** Tokens of prompt beyond which the model was hardly trained: more costs time and tells it little. */
  readonly promptTokensMax?: number;
  /** Stops besides the model's own end tokens. */
  readonly stop: readonly string[];
}

const families: readonly Family[] = [
  {
    // `<|fim_suffix|>S<|fim_prefix|>P`, no middle token; nearly all of its training was on 512 tokens and without other
    // files' code (models/README.md), so its context of 2,048 is room, not reach.
    name: "slipstream-builtin",
    order: "suffix_first",
    contextShare: 0,
    header: () => "",
    suffixShare: 0.25,
    promptTokensMax: 512,
    stop: [],
  },
];

/** `PRE p SUF s MID`: what a model with all three tokens is nearly always trained for. */
const genericPrefixFirst: Family = {
  name: "generic-prefix-first",
  order: "prefix_first",
  contextShare: 0.25,
  header: (path) => `// Path: ${path}\n`,
  suffixShare: 0.2,
  stop: [],
};

/** `SUF s PRE p`: a model with no middle token. */
const genericSuffixFirst: Family = {
  ...genericPrefixFirst,
  name: "generic-suffix-first",
  order: "suffix_first",
  suffixShare: 0.25,
};

export function familyOf(model: ServedModel): Family {
  const named = families.find((family) => family.name === model.fimFamily);
  return named ?? (model.fim.middle === "" ? genericSuffixFirst : genericPrefixFirst);
}
