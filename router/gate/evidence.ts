// evidence: the one table of what speaks for or against a completion being wanted, with its weight in log-odds, and the score
// that the weights make of it. docs/reference/gate.md is generated from it.

interface EvidenceRow {
  /** In log-odds for a value of 1; below 0 speaks against. */
  readonly weight: number;
  /** What its value is. "0 or 1" where it does not say. */
  readonly means: string;
  /** Where the weight comes from; "assumed": nobody published it, to be fitted to outcomes. */
  readonly source: string;
}

const filter2022 = "the contextual filter of Copilot 2022 as published by copilot-explorer";

export const evidenceTable = {
  base: {
    weight: -1,
    means: "Always 1: what is known before anything is looked at.",
    source: "27 % of shown texts are accepted (Ziegler et al. 2022): ln(0.27 / 0.73)",
  },
  inside_word: {
    weight: -3,
    means: "A word stands on both sides of the cursor: the person edits it.",
    source: "assumed",
  },
  empty_document: { weight: -5, means: "Nothing but white space in the document.", source: "assumed" },
  words_right: {
    weight: -0.6,
    means: "Right of the cursor stands more than closing brackets, quotes and separators.",
    source: `assumed; ${filter2022} gives 0.70 for white space alone`,
  },
  closers_right: {
    weight: 0.2,
    means: "Right of the cursor stand closing brackets, quotes or separators alone: a call or a string being filled in.",
    source: "assumed",
  },
  block_opened: {
    weight: 0.6,
    means: "The last line with text ends with what opens a block or a list.",
    source: "assumed",
  },
  statement_ended: {
    weight: -0.5,
    means: "The text before the cursor in its line ends a statement; nothing has begun.",
    source: "assumed",
  },
  line_empty: { weight: -0.1, means: "The cursor's line holds nothing but white space.", source: "assumed" },
  line_long: { weight: -0.3, means: "More than 100 characters stand before the cursor in its line.", source: "assumed" },
  in_comment: { weight: -0.5, means: "The line looks like a comment up to the cursor.", source: "assumed" },
  in_string: { weight: -0.4, means: "The line looks like an open string up to the cursor.", source: "assumed" },
  prose: { weight: -0.5, means: "The language is text for people: plaintext, markdown and the like.", source: "assumed" },
  idle: {
    weight: -0.17,
    means: "ln(1 + seconds since the last edit), at most a minute: the cursor moved, nobody typed.",
    source: `${filter2022}: -0.174`,
  },
  accepted: {
    weight: 1,
    means: "The last text shown in the document was accepted: 1, halved every 10 s; partly: 0.7 of it.",
    source: `${filter2022}: 0.998`,
  },
  rejected: {
    weight: -0.6,
    means: "Texts of the document that were rejected after they stood for 0.5 s, each halved every 5 s; at most 3.",
    source: "assumed",
  },
  pasted: { weight: -1, means: "The last edit pasted.", source: "assumed" },
  undone: { weight: -1.2, means: "The last edit took one back or made it again.", source: "assumed" },
  formatted: { weight: -1.5, means: "The last edit was a formatter's.", source: "assumed" },
  client: {
    weight: 0.7,
    means: "The client's own estimate, as log-odds above the base; below 0.02 and above 0.98 as these.",
    source: "assumed; not 1, because a client looks at much the same",
  },
} as const satisfies Record<string, EvidenceRow>;

export type EvidenceName = keyof typeof evidenceTable;

/** Values of what was found; absent is 0. `base` is always there. */
export type Evidence = Readonly<Partial<Record<Exclude<EvidenceName, "base">, number>>>;

/** Log-odds that a text would be accepted. */
export function logOdds(evidence: Evidence): number {
  let sum: number = evidenceTable.base.weight;
  for (const name of names(evidence)) sum += contribution(evidence, name);
  return sum;
}

export const probability = (odds: number) => 1 / (1 + Math.exp(-odds));
export const oddsOf = (p: number) => Math.log(p / (1 - p));

/** What was found and speaks against, strongest first. */
export function against(evidence: Evidence): EvidenceName[] {
  return names(evidence)
    .filter((name) => contribution(evidence, name) < 0)
    .sort((a, b) => contribution(evidence, a) - contribution(evidence, b));
}

const names = (evidence: Evidence) => Object.keys(evidence) as (keyof Evidence)[];
const contribution = (evidence: Evidence, name: keyof Evidence) => evidenceTable[name].weight * (evidence[name] ?? 0);
