// families: every family we render for, and which of them a model is. A worker names its family; where it names none, the
// model's name, its chat template and its tokens tell, in this order: a name that contradicts the tokens is not believed.

import { codegeex4 } from "./families/codegeex4.ts";
import { codegemma } from "./families/codegemma.ts";
import { codellama } from "./families/codellama.ts";
import { codeqwen } from "./families/codeqwen.ts";
import { codestral } from "./families/codestral.ts";
import { deepseekCoder } from "./families/deepseek-coder.ts";
import { deepseekCoderV2 } from "./families/deepseek-coder-v2.ts";
import { glm45 } from "./families/glm-4.5.ts";
import { granite4 } from "./families/granite-4.ts";
import { graniteCode } from "./families/granite-code.ts";
import { mellum } from "./families/mellum.ts";
import { qwen25Coder } from "./families/qwen2.5-coder.ts";
import { qwen3Coder } from "./families/qwen3-coder.ts";
import { santacoder } from "./families/santacoder.ts";
import { seedCoder } from "./families/seed-coder.ts";
import { slipstreamBuiltin } from "./families/slipstream-builtin.ts";
import { stableCode } from "./families/stable-code.ts";
import { starcoder } from "./families/starcoder.ts";
import { starcoder2 } from "./families/starcoder2.ts";
import type { Family, FimTexts } from "./family.ts";

/** Of families that share their tokens the first is meant where nothing but tokens is known. */
export const families: readonly Family[] = [
  slipstreamBuiltin,
  starcoder2,
  starcoder,
  santacoder,
  codellama,
  deepseekCoder,
  deepseekCoderV2,
  qwen25Coder,
  qwen3Coder,
  codeqwen,
  codegemma,
  codestral,
  graniteCode,
  granite4,
  seedCoder,
  mellum,
  glm45,
  codegeex4,
  stableCode,
];

export interface Traits {
  /** Family as the worker or the operator names it. */
  readonly named?: string;
  /** What the model is called: by its pool, in its file, its base model. */
  readonly names?: readonly string[];
  readonly chatTemplate?: string;
  readonly tokens?: FimTexts;
}

export function recognise({ named = "", names = [], chatTemplate = "", tokens }: Traits): Family | undefined {
  const byName = families.find((family) => family.name === named);
  if (byName) return byName;
  const possible = families.filter((family) => !tokens || agrees(family, tokens));
  return (
    longest(possible, (family) => matched(family, names)) ??
    longest(possible, ({ template = [] }) =>
      Math.max(0, ...template.map((mark) => (chatTemplate.includes(mark) ? mark.length : 0))),
    ) ??
    (tokens && byTokens(possible, tokens))
  );
}

/** Tokens that the model says it has must be the family's; what it leaves out contradicts nothing. */
function agrees({ tokens: theirs }: Family, tokens: FimTexts): boolean {
  const said = (role: keyof FimTexts) => tokens[role] === "" || bare(tokens[role]) === bare(theirs[role]);
  // What stands between files tells StarCoder2 from StarCoder, whatever a file is called.
  const between = (role: "fileSeparator" | "repository") => theirs[role] === "" || said(role);
  return (
    said("prefix") &&
    said("suffix") &&
    (theirs.middle === "" || said("middle")) &&
    between("fileSeparator") &&
    between("repository")
  );
}

/** SentencePiece files spell a token with and without the mark of the space before it. */
const bare = (token: string) => token.replace(/^[▁ ]/, "");

/** The family whose every token the model says it has; of several the one with the most. */
function byTokens(possible: readonly Family[], tokens: FimTexts): Family | undefined {
  if (tokens.prefix === "" || tokens.suffix === "") return undefined;
  return longest(possible, ({ tokens: theirs, onlyByName }) => {
    const sameMiddle = (theirs.middle === "") === (tokens.middle === "") || theirs.prefix === "[PREFIX]";
    if (onlyByName || !sameMiddle) return 0;
    const files = (["fileSeparator", "repository"] as const).filter((role) => tokens[role] !== "");
    return files.every((role) => tokens[role] === theirs[role]) ? 1 + files.length : 0;
  });
}

/** Characters of the best of the family's names whose every word occurs in one of the model's. */
function matched(family: Family, names: readonly string[]): number {
  const given = names.map((name) => name.toLowerCase());
  const found = family.names.filter((words) => given.some((name) => words.split(" ").every((word) => name.includes(word))));
  return Math.max(0, ...found.map((words) => words.length));
}

/** The one with the highest score above 0; the first of equals. */
function longest(from: readonly Family[], score: (family: Family) => number): Family | undefined {
  let [best, most]: [Family | undefined, number] = [undefined, 0];
  for (const family of from) {
    const its = score(family);
    if (its > most) [best, most] = [family, its];
  }
  return best;
}
