// tree: the repository's own text files, with what each TypeScript file imports. Read from disk, so that a file not yet
// known to git is held to the rules as well.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Import {
  /** Path from the root for our own files, the bare specifier for packages. */
  readonly to: string;
  readonly own: boolean;
  readonly names: string;
}

export interface TextFile {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
}

export interface SourceFile extends TextFile {
  readonly imports: readonly Import[];
}

/** Fetched, built or generated: not ours to keep in order. */
const skipped = /^(node_modules|\.git|dist(\..*)?|\.tools|coverage|reports|proto\/gen|proto\/third_party|models\/.*\.(gguf|json))$/;
const textual = /(\.(ts|js|mjs|cjs|json|md|proto|ya?ml|sh|py|tsv|tpl|txt|html|css)|Dockerfile|\.npmrc|\.gitignore|\.ci\/run)$/;

function textFiles(folder = ""): TextFile[] {
  const found: TextFile[] = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = posix.join(folder, entry.name);
    if (skipped.test(path) || entry.name === "node_modules") continue;
    if (entry.isDirectory()) found.push(...textFiles(path));
    else if (entry.isFile() && textual.test(path)) found.push({ path, text: readFileSync(join(root, path), "utf8") });
  }
  return found;
}

const statement =
  /^[ \t]*(?:import|export)\b([^;"'`]*?)\bfrom\s*["']([^"']+)["']|^[ \t]*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;

/** A planted file in a test of a rule is made by this too. */
export function source(path: string, text: string): SourceFile {
  const imports = [...text.matchAll(statement)].map((match): Import => {
    const specifier = match[2] ?? match[3] ?? match[4] ?? "";
    const own = specifier.startsWith(".");
    return { to: own ? posix.join(posix.dirname(path), specifier) : specifier, own, names: match[1] ?? "" };
  });
  return { path, text, imports };
}

let all: readonly TextFile[] | undefined;

export function tree(): readonly TextFile[] {
  all ??= textFiles();
  return all;
}

let parsed: readonly SourceFile[] | undefined;

export function sources(): readonly SourceFile[] {
  parsed ??= tree()
    .filter(({ path }) => /\.(ts|js|mjs)$/.test(path))
    .map(({ path, text }) => source(path, text));
  return parsed;
}

export function isTest(path: string): boolean {
  return path.startsWith("test/") || path.endsWith(".test.ts");
}

/** The comment a file opens with, as one line. */
export function opening(text: string): string {
  const lines = text.replace(/^#!.*\n/, "").split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  return lines
    .slice(0, end < 0 ? lines.length : end)
    .map((line) => line.replace(/^\/\/ ?/, ""))
    .join(" ");
}
