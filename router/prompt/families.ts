// families: which family a served model is of, and how much of a prompt each part gets there. The forms themselves are data
// of lib/fim. A worker names its family; else name and tokens tell; a model of no family gets the form its tokens allow.
import { families, recognise } from "../../lib/fim/families.ts";
import type { Family as FamilyData, FimTexts, Order } from "../../lib/fim/family.ts";
import { type Form, formsOf } from "../../lib/fim/form.ts";
import type { Spelling } from "../../lib/fim/render.ts";
import type { ServedModel } from "../completion.ts";

export interface Family {
  readonly name: string;
  /** Suffix-first keeps the cached suffix valid while the person types; used wherever the family was trained for it. */
  readonly order: Order;
  readonly form: Form;
  readonly spelling: Spelling;
  /** Special token that opens every sequence; "": none. */
  readonly begin: string;
  /** Share of the prompt's bytes for other code; 0: not trained with any. */
  readonly contextShare: number;
  /** Share of the window for the text after the cursor. */
  readonly suffixShare: number;
  /** Tokens of prompt beyond which the model was hardly trained: more costs time and tells it little. */
  readonly promptTokensMax?: number;
  /** Stops besides the model's own end tokens. */
  readonly stop: readonly string[];
}

/** Stand in for the tokens that the model says it has. */
const own = { prefix: "<prefix>", suffix: "<suffix>", middle: "<middle>", fileSeparator: "", repository: "" };
const unknown = { specials: [], ends: [], stop: [], names: [], sources: [] };

/** `PRE p SUF s MID`: what a model with all three tokens is nearly always trained for. */
const genericPrefixFirst: FamilyData = {
  ...unknown,
  name: "generic-prefix-first",
  title: "a model of no known family with all three tokens",
  tokens: own,
  forms: [{ order: "prefix_first", single: "<prefix>{prefix}<suffix>{suffix}<middle>" }],
};

/** `SUF s PRE p`: a model with no middle token. */
const genericSuffixFirst: FamilyData = {
  ...unknown,
  name: "generic-suffix-first",
  title: "a model of no known family without a middle token",
  tokens: { ...own, middle: "" },
  forms: [{ order: "suffix_first", single: "<suffix>{suffix}<prefix>{prefix}" }],
};

const forms = new Map([...families, genericPrefixFirst, genericSuffixFirst].map((family) => [family, formsOf(family)[0] as Form]));

export function familyOf(model: ServedModel): Family {
  const { fim, fimFamily, name } = model;
  const family =
    recognise({ named: fimFamily, names: [name], tokens: fim }) ?? (fim.middle === "" ? genericSuffixFirst : genericPrefixFirst);
  const form = forms.get(family) as Form;
  const { promptTokensMax, context = true } = family.trained ?? {};
  return {
    name: family.name,
    order: form.order,
    form: separates(family.tokens, fim) ? form : { ...form, repository: undefined, file: plainFile },
    spelling: { family: family.tokens, model: fim },
    begin: family.begin ?? "",
    contextShare: context ? 0.25 : 0,
    suffixShare: form.order === "suffix_first" ? 0.25 : 0.2,
    ...(promptTokensMax === undefined ? {} : { promptTokensMax }),
    stop: family.stop,
  };
}

const plainFile = (forms.get(genericPrefixFirst) as Form).file;

/** A model that says its tokens, but not those between files, was tuned from one that had them: they may mean nothing to it. */
function separates(family: FimTexts, model: FimTexts): boolean {
  if (model.prefix === "") return true;
  return (["fileSeparator", "repository"] as const).every((role) => family[role] === "" || model[role] === family[role]);
}
