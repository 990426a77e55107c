// take-apart: a raw prompt, as clients render it for a model they believe they talk to, in; the text before and after the cursor
// and the other code it holds out, whichever family's tokens it spells and in whatever order. "unknown" where it spells such
// tokens but cannot be read for sure: that one is left as it is. Undefined: it spells none. Pure, one look at the text.
import { families } from "./families.ts";
import type { FimTexts } from "./family.ts";
import { escaped, specialsOf } from "./form.ts";
import { commentedContext, type OtherFile, precedingFiles, prefixFiles } from "./taken-files.ts";

export interface TakenApart {
  /** Whose tokens it spelt: a family's name. */
  readonly family: string;
  readonly prefix: string;
  readonly suffix: string;
  /** As far as it says; "" where it does not. */
  readonly path: string;
  readonly language: string;
  readonly files: readonly OtherFile[];
}

interface Dialect extends Pick<FimTexts, "prefix" | "suffix" | "middle"> {
  readonly family: string;
}

const parts = ["prefix", "suffix", "middle"] as const;
const dialects: readonly Dialect[] = families.flatMap(({ name, tokens, misspelt = [] }) => [
  { family: name, ...tokens },
  ...misspelt.map((texts) => ({ family: name, ...texts })),
]);

/** Every text that marks a part; SentencePiece's spelling of it is what follows its mark. */
const marks = new RegExp(
  [...new Set(dialects.flatMap((dialect) => parts.map((part) => dialect[part])))]
    .filter((text) => text !== "" && !text.startsWith("▁"))
    .sort((a, b) => b.length - a.length)
    .map(escaped)
    .join("|"),
  "gu",
);
/** Three in any prompt that can be read; more are counted only to see that they are too many. */
const marksMax = 8;

const begins = [...new Set(families.flatMap(({ begin }) => (begin === undefined ? [] : [begin])))];
/** What opens and closes a turn around the parts. */
const opening = /^(?:<\|im_start\|>system\n[\s\S]*?<\|im_end\|>\n)?(?:<\|im_start\|>user\n|<\|user\|>\n)/u;
const closing = /^(?:<\|im_end\|>\n<\|im_start\|>assistant\n|<\|assistant\|>\n?)/u;
const turnTokens = new RegExp(["<|im_start|>", "<|im_end|>", "<|user|>", "<|assistant|>"].map(escaped).join("|"), "u");
/** Any family's: a prompt that spells one and is not read was written for a model, not typed by a person. */
const anySpecial = new RegExp(
  [...new Set(families.flatMap(specialsOf))]
    .filter((text) => /^<\|.+\|>$|^<｜.+｜>$|^<\[.+\]>$/u.test(text))
    .map(escaped)
    .join("|"),
  "u",
);

export function takeApart(prompt: string): TakenApart | "unknown" | undefined {
  const found: { text: string; at: number }[] = [];
  for (const match of prompt.matchAll(marks)) {
    found.push({ text: match[0], at: match.index });
    if (found.length > marksMax) return "unknown";
  }
  if (found.length === 0) return anySpecial.test(prompt) ? "unknown" : undefined;
  const once = (text: string) => found.filter((each) => each.text === text).length === 1;
  const dialect = dialects.find(
    ({ prefix, suffix, middle }) =>
      once(prefix) && once(suffix) && (middle === "" || once(middle)) && found.length === (middle === "" ? 2 : 3),
  );
  if (!dialect) return "unknown";
  const at = (part: (typeof parts)[number]) => found.find(({ text }) => text === dialect[part])?.at ?? prompt.length;
  const [prefixAt, suffixAt, middleAt] = [at("prefix"), at("suffix"), at("middle")];
  if (middleAt < prefixAt || middleAt < suffixAt) return "unknown";
  const after = (part: (typeof parts)[number], end: number) => prompt.slice(at(part) + dialect[part].length, end);
  const [before, suffix] =
    prefixAt < suffixAt
      ? [after("prefix", suffixAt), after("suffix", middleAt)]
      : [after("prefix", middleAt), after("suffix", prefixAt)];
  const tail = after("middle", prompt.length);
  const line = tail.replace(closing, "");
  if (turnTokens.test(line)) return "unknown";
  return assembled(dialect, prompt.slice(0, Math.min(prefixAt, suffixAt)), before, suffix, line);
}

/** What stands before the parts, in them, and behind the middle token. */
function assembled({ family, prefix: mark }: Dialect, head: string, before: string, suffix: string, line: string): TakenApart {
  const begin = begins.find((text) => head.startsWith(text)) ?? "";
  const preceding = precedingFiles(head.slice(begin.length).replace(opening, ""));
  const spaced = mark === "<PRE>" ? unspaced(before, suffix, line) : { before, suffix, line };
  const own = prefixFiles(spaced.before + spaced.line, { family, pathMayLead: preceding.open });
  const comments = commentedContext(own.text);
  return {
    family,
    prefix: comments.text,
    suffix: spaced.suffix,
    path: preceding.path || own.path || comments.path,
    language: preceding.language,
    files: [...preceding.files, ...own.files, ...comments.files],
  };
}

/**
 * Code Llama's text form: `<PRE> p <SUF>s <MID>`. The spaces are the form's, not the code's. twinny sets a line feed before the
 * prefix and a space on both sides of SUF: a space right after SUF is the code's own unless that line feed tells.
 */
function unspaced(before: string, suffix: string, line: string) {
  const twinny = /^ ?\n/u.test(before) && suffix.startsWith(" ");
  return {
    before: before.replace(twinny ? /^ ?\n/u : /^ /u, "").replace(/ $/u, ""),
    suffix: suffix.slice(twinny ? 1 : 0).replace(/ $/u, ""),
    line: line.replace(/^ /u, ""),
  };
}
