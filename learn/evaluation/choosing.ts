// choosing: a parsed file in, the spans of each kind that a person could have typed there out. A span is code: no comment, no
// import, nothing in a string, and neither so short that chance finds it nor so long that nobody wants it at once.
import type { SyntaxNode } from "./parser.ts";
import type { Language, SpanKind } from "./span.ts";

export interface Candidate {
  readonly kind: SpanKind;
  readonly offset: number;
  readonly length: number;
}

interface Words {
  readonly expression: ReadonlySet<string>;
  readonly statement: ReadonlySet<string>;
  /** Not a place where completions are judged. */
  readonly ignored: ReadonlySet<string>;
}

const scriptWords: Words = {
  expression: new Set([
    "call_expression",
    "binary_expression",
    "member_expression",
    "new_expression",
    "ternary_expression",
    "subscript_expression",
    "unary_expression",
    "await_expression",
    "array",
    "object",
  ]),
  statement: new Set([
    "expression_statement",
    "lexical_declaration",
    "variable_declaration",
    "return_statement",
    "throw_statement",
    "if_statement",
    "for_statement",
    "for_in_statement",
    "while_statement",
    "switch_statement",
    "try_statement",
    "function_declaration",
    "method_definition",
    "public_field_definition",
  ]),
  ignored: new Set(["comment", "string", "template_string", "regex", "import_statement"]),
};

const words: Readonly<Record<Language, Words>> = {
  typescript: scriptWords,
  javascript: scriptWords,
  python: {
    expression: new Set([
      "call",
      "attribute",
      "binary_operator",
      "comparison_operator",
      "boolean_operator",
      "not_operator",
      "subscript",
      "list",
      "dictionary",
      "list_comprehension",
      "conditional_expression",
    ]),
    statement: new Set([
      "expression_statement",
      "return_statement",
      "raise_statement",
      "if_statement",
      "for_statement",
      "while_statement",
      "try_statement",
      "with_statement",
      "function_definition",
    ]),
    ignored: new Set(["comment", "string", "import_statement", "import_from_statement", "future_import_statement"]),
  },
  go: {
    expression: new Set([
      "call_expression",
      "binary_expression",
      "selector_expression",
      "composite_literal",
      "index_expression",
      "unary_expression",
    ]),
    statement: new Set([
      "expression_statement",
      "short_var_declaration",
      "assignment_statement",
      "var_declaration",
      "return_statement",
      "if_statement",
      "for_statement",
      "expression_switch_statement",
      "function_declaration",
      "method_declaration",
      "defer_statement",
    ]),
    ignored: new Set([
      "comment",
      "interpreted_string_literal",
      "raw_string_literal",
      "import_declaration",
      "package_clause",
      "rune_literal",
    ]),
  },
};

const lengths = { min: 4, lineMax: 120, blockMax: 600 };
const blockLines = { min: 2, max: 8 };

export function candidates(root: SyntaxNode, text: string, language: Language): readonly Candidate[] {
  const { expression, statement, ignored } = words[language];
  const found: Candidate[] = [];
  const add = (kind: SpanKind, offset: number, end: number, max: number) => {
    const gold = text.slice(offset, end);
    if (gold.trim().length >= lengths.min && gold.length <= max && /[\p{L}\p{N}]/u.test(gold))
      found.push({ kind, offset, length: end - offset });
  };
  const look = (node: SyntaxNode) => {
    if (ignored.has(node.type)) return;
    const [from, to] = [node.startIndex, node.endIndex];
    const line = lineAround(text, from);
    const behind = text.slice(to, lineAround(text, to).end).replace(lineComment, "").trim();
    const oneLine = to <= line.end;
    if (oneLine && expression.has(node.type) && behind !== "" && behind !== ";") add("expression", from, to, lengths.lineMax);
    if (statement.has(node.type) && startsLine(text, from, line.start) && (behind === "" || behind === ";")) {
      const end = lineAround(text, to).end;
      if (oneLine) add("line", from, end, lengths.lineMax);
      else if (linesOf(text, from, end) <= blockLines.max && linesOf(text, from, end) >= blockLines.min) {
        add("block", from, end, lengths.blockMax);
        // The head stands: its body is wanted.
        add("block", line.end, end, lengths.blockMax);
      }
    }
    if (node.childCount === 0 && !startsLine(text, from, line.start) && from > line.start)
      add("rest", from, line.end, lengths.lineMax);
    for (const child of node.children) if (child) look(child);
  };
  look(root);
  return found.filter(({ offset, length }) => !holdsComment(text.slice(offset, offset + length)));
}

function lineAround(text: string, at: number): { readonly start: number; readonly end: number } {
  const end = text.indexOf("\n", at);
  return { start: text.lastIndexOf("\n", at - 1) + 1, end: end < 0 ? text.length : end };
}

const startsLine = (text: string, at: number, lineStart: number) => text.slice(lineStart, at).trim() === "";
const linesOf = (text: string, from: number, to: number) => text.slice(from, to).split("\n").length;
const lineComment = /(^|\s)(\/\/|#\s).*$/;
const holdsComment = (text: string) => /(^|\s)(\/\/|\/\*|#\s)/.test(text);
