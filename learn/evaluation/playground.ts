// playground: thirty small situations of our own code that a person would try first, each with the answers that count as
// right. They were written before the weights that they judge. A text is judged by rule: it parses, it uses only names that
// are in scope, it is one of the accepted answers.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { packageRoot } from "../../lib/package-root.ts";
import { globals } from "./globals.ts";
import type { Parsers, SyntaxNode } from "./parser.ts";
import { type Hole, languages } from "./span.ts";

const situationsFile = z.object({
  cursor: z.string().length(1),
  situations: z.array(
    z.object({
      id: z.string(),
      language: z.enum(languages),
      path: z.string(),
      code: z.array(z.string()),
      accepted: z.array(z.string()).min(1),
      known: z.array(z.string()),
    }),
  ),
});
export type Situation = z.infer<typeof situationsFile>["situations"][number] & { readonly hole: Hole };

export interface Judgement {
  readonly inScope: boolean;
  readonly accepted: boolean;
}

export function readSituations(): readonly Situation[] {
  const path = join(packageRoot(), "learn", "situations", "situations.json");
  const { cursor, situations } = situationsFile.parse(JSON.parse(readFileSync(path, "utf8")));
  return situations.map((situation) => {
    const [prefix = "", suffix = ""] = `${situation.code.join("\n")}\n`.split(cursor);
    const { id, language, path: file } = situation;
    return { ...situation, hole: { id, language, path: file, prefix, suffix, gold: situation.accepted[0] ?? "" } };
  });
}

export function judge(situation: Situation, text: string, parsers: Parsers): Judgement {
  return {
    inScope: text.trim() !== "" && outOfScope(situation, text, parsers).length === 0,
    accepted: situation.accepted.includes(text.trimEnd()),
  };
}

const names = /identifier$/;
const words = /[\p{L}_$][\p{L}\p{N}_$]*/gu;

/** Names in the text that neither the document, nor the language, nor the text itself declares. */
export function outOfScope({ hole, known, language }: Situation, text: string, parsers: Parsers): readonly string[] {
  const { prefix, suffix } = hole;
  const inDocument = new Set([...(prefix + suffix).matchAll(words)].map(([word]) => word));
  const [from, to] = [prefix.length, prefix.length + text.length];
  const used: string[] = [];
  const declared = new Set<string>();
  parsers.read(language, prefix + text + suffix, (root) => {
    const look = (node: SyntaxNode) => {
      if (node.endIndex <= from || node.startIndex >= to) return;
      if (node.childCount === 0 && names.test(node.type)) {
        const name = node.text.replace(/^#/, "");
        used.push(name);
        if (declares(node)) declared.add(name);
      }
      for (const child of node.children) if (child) look(child);
    };
    look(root);
  });
  const all = [...known, ...globals(language)];
  return used.filter((name) => !inDocument.has(name) && !declared.has(name) && !all.includes(name));
}

/** The name of something that the text makes: a variable, a parameter, a function, a property of a literal. */
function declares(node: SyntaxNode): boolean {
  const parent = node.parent;
  if (!parent) return false;
  const kind = parent.type;
  // Go writes `a, b := …`: the names stand in a list of their own.
  if (kind === "expression_list") return parent.parent?.type === "short_var_declaration" && isField(parent.parent, "left", parent);
  return (
    (/declarat|definition|parameter|assignment|spec$|for_/.test(kind) &&
      (isField(parent, "name", node) || isField(parent, "left", node))) ||
    /^(formal_parameters|parameters|identifiers|required_parameter)$/.test(kind) ||
    (kind === "pair" && isField(parent, "key", node)) ||
    (kind === "arrow_function" && isField(parent, "parameter", node))
  );
}

const isField = (parent: SyntaxNode, field: string, node: SyntaxNode) => parent.childForFieldName(field)?.id === node.id;
