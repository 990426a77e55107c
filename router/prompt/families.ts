// families: which family a served model is of, and how much of a prompt each part gets there. The forms themselves are data
// of lib/fim. A worker names its family; else name and tokens tell; a model of no family gets the form its tokens allow.
import { families, recognise } from "../../lib/fim/families.ts";
import type { Family as FamilyData, Order } from "../../lib/fim/family.ts";
import { type Form, formsOf, type Piece, specialsOf } from "../../lib/fim/form.ts";
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
  /** Special tokens that any model of the family has. */
  readonly trusted: readonly string[];
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

const forms = new Map([...families, genericPrefixFirst, genericSuffixFirst].map((family) => [family, formsOf(family)]));
const formOf = (family: FamilyData, model: ServedModel) =>
  (forms.get(family) ?? []).find((form) => has(model, family, form.single));

export function familyOf(model: ServedModel): Family {
  const { fim, fimFamily, name } = model;
  const known = recognise({ named: fimFamily, names: [name], tokens: fim });
  const generic = fim.middle === "" ? genericSuffixFirst : genericPrefixFirst;
  // A form whose tokens the model does not have is none of its forms, whatever it is called.
  const family = known && formOf(known, model) ? known : generic;
  const form = formOf(family, model) as Form;
  const { promptTokensMax, context = true } = family.trained ?? {};
  const begin = family.begin ?? "";
  const repository = form.repository && has(model, family, [...form.repository, ...form.file]) ? form.repository : undefined;
  return {
    name: family.name,
    order: form.order,
    form: { ...form, repository, file: repository ? form.file : plainFile },
    spelling: { family: family.tokens, model: fim },
    begin: begin !== "" && has(model, family, [{ special: begin }]) ? begin : "",
    trusted: saysNothing(model) ? specialsOf(family) : [...Object.values(fim), ...(model.specials ?? [])],
    contextShare: context ? 0.25 : 0,
    suffixShare: form.order === "suffix_first" ? 0.25 : 0.2,
    ...(promptTokensMax === undefined ? {} : { promptTokensMax }),
    stop: family.stop,
  };
}

const [{ file: plainFile }] = forms.get(genericPrefixFirst) as readonly [Form];

/** An engine that only knows texts names no tokens: what is known of its family must do. */
const saysNothing = ({ fim }: ServedModel) => fim.prefix === "" && fim.suffix === "";

/** Would its workers take every special token among the pieces? */
function has(model: ServedModel, { tokens }: FamilyData, pieces: readonly Piece[]): boolean {
  if (saysNothing(model)) return true;
  const taken = (special: string) =>
    (parts.some((part) => tokens[part] === special && model.fim[part] !== "") ||
      between.some((part) => model.fim[part] === special) ||
      model.specials?.includes(special)) ??
    false;
  return pieces.every((piece) => !("special" in piece) || taken(piece.special));
}
const parts = ["prefix", "suffix", "middle"] as const;
const between = ["fileSeparator", "repository"] as const;
