// languages: what a line says about blocks, by what ends them in its language: brackets, words or the indentation. A language
// that is not known here is looked at for all three. Pure.
import { brackets } from "./overlap.ts";

/** Blocks end where the indentation does. */
const byIndentation: ReadonlySet<string> = new Set([
  ...["python", "jupyter", "starlark", "nim", "gdscript", "yaml", "coffeescript", "fsharp", "haskell", "pug", "sass"],
]);
/** Blocks end at a bracket. */
const byBracket: ReadonlySet<string> = new Set([
  ...["typescript", "typescriptreact", "javascript", "javascriptreact", "java", "kotlin", "scala", "groovy", "csharp", "swift"],
  ...["c", "cpp", "objective-c", "cuda-cpp", "go", "rust", "zig", "dart", "php", "css", "scss", "less", "json", "jsonc", "r"],
  ...["perl", "solidity", "proto3", "proto", "terraform", "graphql", "vue", "svelte"],
]);

/** Ends a line that does not end its statement. */
const opener = /(?:[{([:\\]|=>|->|[^=!<>]=|&&|\|\|)\s*$/;
const wordOpener = /(?:\bthen|\bdo(?:\s*\|[^|]*\|)?)\s*$/;
/** Begins a block whose line ends as any other does. */
const wordHead = /^\s*(?:(?:def|class|module|unless|until|case|(?:local\s+)?function)\s+\S|begin\s*$)/;
/** A head whose bracket, or only statement, stands on the next line. */
const bracketHead =
  /^\s*(?:(?:[a-z]+\s+)*(?:class|interface|enum|struct|namespace)\s+[^{;(]*|(?:\}?\s*else\s+)?(?:if|for|foreach|while|switch)\b[^;{]*\)\s*)$/;
const bracketCloser = /^\s*[}\])]/;
const wordCloser = /^\s*(?:[}\])]|end\b|fi\b|done\b|esac\b)/;
/** Goes on with the block above it at the level of its head. */
const continuing = /^\s*(?:\{|(?:else|elif|elsif|elseif|except|finally|catch|rescue|ensure|when)\b)/;
/** Belongs to what stands below it. */
const annotation = /^\s*(?:@[\w.]+(?:\(.*\))?|#\[.*\])\s*$/;

export interface Blocks {
  /** Does what follows this line belong to it? */
  opens(line: string): boolean;
  /** Is this line the end of a block? */
  closes(line: string): boolean;
  /** Does it go on with the block above it, at its head's indentation? */
  continues(line: string): boolean;
  /** Does the next line belong to it, whatever that is? */
  announces(line: string): boolean;
}

export function blocksOf(language: string): Blocks {
  const indented = byIndentation.has(language);
  const bracketed = byBracket.has(language);
  const words = !indented && !bracketed;
  const head = words ? wordHead : bracketed ? bracketHead : undefined;
  return {
    opens: (line) =>
      opener.test(line) ||
      (words && wordOpener.test(line)) ||
      (head?.test(line) === true && !(words && /\bend\b/.test(line))) ||
      brackets(line).opened > 0,
    closes: (line) => (words ? wordCloser : bracketCloser).test(line),
    continues: (line) => continuing.test(line),
    announces: (line) => annotation.test(line),
  };
}
