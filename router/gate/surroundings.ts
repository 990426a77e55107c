// surroundings: the text around a cursor in, what it says for or against a completion out. Looks at a few hundred characters
// on either side and guesses: a parser would know better, and cost more than the answer is worth. Pure.
import type { Trigger } from "../completion.ts";
import type { Evidence } from "./evidence.ts";

/** Looked at before and after the cursor. */
const beforeUtf16 = 512;
const afterUtf16 = 256;
const lineLongUtf16 = 100;

const wordStart = /^[\p{L}\p{N}\p{M}_$]/u;
const wordEnd = /[\p{L}\p{N}\p{M}_$]$/u;
const closersAlone = /^[\s)\]}>;:,"'`]*$/;
const opensBlock = /(?:[{([:]|=>|->|\b(?:then|do|else|begin))\s*$/;
const endsStatement = /(?:[;}]|\b(?:end|fi|done|pass|break|continue))\s*$/;

const prose: ReadonlySet<string> = new Set(["plaintext", "text", "markdown", "restructuredtext", "asciidoc", "latex", "tex"]);
const hashComments: ReadonlySet<string> = new Set([
  ...["python", "ruby", "shellscript", "perl", "r", "julia", "elixir", "coffeescript", "powershell", "nim", "gdscript"],
  ...["yaml", "toml", "ini", "dockerfile", "makefile", "cmake", "properties", "terraform", "graphql"],
]);
const dashComments: ReadonlySet<string> = new Set(["sql", "lua", "haskell", "elm", "ada", "vhdl"]);
/** There an apostrophe is no quote: a lifetime, a type variable, a quoted form. */
const apostrophes: ReadonlySet<string> = new Set(["rust", "ocaml", "fsharp", "haskell", "clojure", "scheme", "lisp", "verilog"]);

export function surroundings({ text, language }: Pick<Trigger, "text" | "language">): Evidence {
  const before = text.before(beforeUtf16);
  const after = text.after(afterUtf16);
  const line = before.slice(before.lastIndexOf("\n") + 1);
  const right = /^[^\r\n]*/.exec(after)?.[0] ?? "";
  const found: { -readonly [name in keyof Evidence]: number } = {};
  // By code points: a letter of two units is one letter.
  if (wordEnd.test(before) && wordStart.test(right)) found.inside_word = 1;
  else if (right.trim() !== "") found[closersAlone.test(right) ? "closers_right" : "words_right"] = 1;
  // The rest of a long document is not looked through: white space in both windows is as good as empty.
  if (before.trim() === "" && after.trim() === "") found.empty_document = 1;
  if (prose.has(language)) found.prose = 1;
  const inside = prose.has(language) ? undefined : insideOf(line, language);
  if (inside) found[`in_${inside}`] = 1;
  if (line.trim() === "") found.line_empty = 1;
  if (line.length > lineLongUtf16) found.line_long = 1;
  const lastText = before.trimEnd().slice(-lineLongUtf16);
  if (!inside && opensBlock.test(lastText)) found.block_opened = 1;
  else if (!inside && line.trim() !== "" && endsStatement.test(line) && right.trim() === "") found.statement_ended = 1;
  return found;
}

/** Is the end of this line inside a comment or a string, as far as the line itself tells? */
export function insideOf(line: string, language: string): "comment" | "string" | undefined {
  const start = line.trimStart();
  // A line of a block comment as most people write it.
  if (/^(?:\/\*|\*(?:\s|$))/.test(start) && !start.includes("*/") && !hashComments.has(language)) return "comment";
  const mark = hashComments.has(language) ? "#" : dashComments.has(language) ? "--" : "//";
  let quote = "";
  for (let i = 0; i < line.length; i++) {
    const character = line[i] as string;
    if (quote !== "") {
      if (character === "\\") i += 1;
      else if (character === quote) quote = "";
      // What a template string computes is code again, to its bracket.
      else if (quote === "`" && line.startsWith("${", i)) i = endOfComputed(line, i);
      if (i < 0) return undefined;
    } else if (line.startsWith(mark, i)) return "comment";
    else if (character === '"' || character === "`" || (character === "'" && !apostrophes.has(language))) quote = character;
  }
  return quote === "" ? undefined : "string";
}

/** The bracket that ends what begins at `from`, or -1: the line ends in it. */
function endOfComputed(line: string, from: number): number {
  return line.indexOf("}", from);
}
