// parser: a language and a text in, its syntax tree out (tree-sitter). The grammars are a development dependency of some
// megabytes: an installation without them says so when an evaluation is asked for. Trees are freed by their reader.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Language as Grammar, Node, Parser as Tree } from "@vscode/tree-sitter-wasm";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Language } from "./span.ts";

export type SyntaxNode = Node;

const grammarFiles: Readonly<Record<Language, string>> = {
  typescript: "tree-sitter-typescript.wasm",
  javascript: "tree-sitter-javascript.wasm",
  python: "tree-sitter-python.wasm",
  go: "tree-sitter-go.wasm",
};
const packageName = "@vscode/tree-sitter-wasm";

export class Parsers {
  readonly #parsers: ReadonlyMap<Language, Tree>;

  private constructor(parsers: ReadonlyMap<Language, Tree>) {
    this.#parsers = parsers;
  }

  static async open(): Promise<Parsers> {
    const { library, folder } = load();
    await library.Parser.init({ locateFile: (file: string) => join(folder, file) });
    const parsers = new Map<Language, Tree>();
    for (const [language, file] of Object.entries(grammarFiles) as [Language, string][]) {
      const grammar: Grammar = await library.Language.load(join(folder, file));
      const parser = new library.Parser();
      parser.setLanguage(grammar);
      parsers.set(language, parser);
    }
    return new Parsers(parsers);
  }

  /** Does the whole text follow the grammar? */
  parses(language: Language, text: string): boolean {
    return this.read(language, text, (root) => !root.hasError);
  }

  /** Gives the tree's root to `look`; no node may be kept. Offsets are UTF-16 units. */
  read<T>(language: Language, text: string, look: (root: SyntaxNode) => T): T {
    const tree = this.#parsers.get(language)?.parse(text);
    if (!tree) throw new SlipstreamError("internal", `tree-sitter read nothing of a ${language} text`);
    try {
      return look(tree.rootNode);
    } finally {
      tree.delete();
    }
  }

  close(): void {
    for (const parser of this.#parsers.values()) parser.delete();
  }
}

function load(): { library: typeof import("@vscode/tree-sitter-wasm"); folder: string } {
  const require = createRequire(import.meta.url);
  try {
    return { library: require(packageName), folder: dirname(require.resolve(packageName)) };
  } catch (cause) {
    throw new SlipstreamError(
      "unavailable",
      `an evaluation parses code, and ${packageName} is not installed here: run it in a checkout after npm ci`,
      { cause },
    );
  }
}
