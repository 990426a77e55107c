// spans: places in real code that no model here was trained on: a folder of installed packages in, cursors in their sources
// out. Packages named by the training list are left out whole; the same seed gives the same places of the same installation.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { below, type Random, seeded } from "../lib/random.ts";

export interface Span {
  readonly package: string;
  /** "path:line:column", the path from the folder of packages on. */
  readonly place: string;
  readonly prefix: string;
  readonly suffix: string;
}

interface SpansOptions {
  /** A node_modules folder. */
  readonly folder: string;
  /** Names of packages to leave out. */
  readonly trained: ReadonlySet<string>;
  readonly spans: number;
  readonly seed: number;
  readonly prefixChars: number;
  readonly suffixChars: number;
}

const source = /\.(js|mjs|cjs|ts|mts)$/;
const notSource = /(\.d\.[mc]?ts|\.min\.\w+|_pb\.\w+|_descriptor\.\w+)$/;
const fileBytes = { min: 1_500, max: 80_000 };
const filesPerPackageMax = 200;
/** Bundles and tables are no code that anyone types. */
const lineCharsMax = 200;
/** In a line with this much before and after the cursor there is something to complete. */
const lineCharsMin = 12;
const triesMax = 50;

/** Round after round through the packages, so that big ones do not make up the sample. */
export function heldOutSpans(options: SpansOptions): Span[] {
  const random = seeded(options.seed);
  const packages = shuffled(
    packageNames(options.folder).filter((name) => !options.trained.has(name)),
    random,
  ).map((name) => ({ name, files: shuffled(filesOf(options.folder, name), random) }));
  const spans: Span[] = [];
  for (let round = 0; spans.length < options.spans && packages.some(({ files }) => files.length > round); round++) {
    for (const { name, files } of packages) {
      const file = files[round];
      const span = file && spans.length < options.spans ? spanIn(options, name, file, random) : undefined;
      if (span) spans.push(span);
    }
  }
  return spans;
}

/** First column of models/training-packages.tsv. */
export function trainedPackages(table: string): ReadonlySet<string> {
  return new Set(
    table
      .split("\n")
      .slice(1)
      .map((line) => line.split("\t")[0] ?? "")
      .filter((name) => name !== ""),
  );
}

function spanIn(options: SpansOptions, name: string, file: string, random: Random): Span | undefined {
  const text = readFileSync(join(options.folder, file), "utf8");
  const lines = text.split("\n");
  if (lines.some((line) => line.length > lineCharsMax)) return undefined;
  for (let tries = 0; tries < triesMax; tries++) {
    const row = below(random, lines.length);
    const line = lines[row] ?? "";
    const code = line.trim();
    if (code.length < lineCharsMin || /^(\/\/|\/?\*)/.test(code)) continue;
    // Where a word begins: where people stop and look.
    const starts = [...line.matchAll(/\b\w/g)].map(({ index }) => index).filter((index) => index >= line.length - code.length + 4);
    const column = starts[below(random, Math.max(1, starts.length))];
    if (column === undefined) continue;
    const at = lines.slice(0, row).reduce((sum, one) => sum + one.length + 1, 0) + column;
    return {
      package: name,
      place: `${file}:${row + 1}:${column + 1}`,
      prefix: text.slice(Math.max(0, at - options.prefixChars), at),
      suffix: text.slice(at, at + options.suffixChars).replace(/^[^\n]*/, ""),
    };
  }
  return undefined;
}

function packageNames(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => !name.startsWith("."))
    .flatMap((name) => (name.startsWith("@") ? readdirSync(join(folder, name)).map((inner) => `${name}/${inner}`) : [name]))
    .filter((name) => statSync(join(folder, name)).isDirectory())
    .sort();
}

function filesOf(folder: string, name: string): string[] {
  const found: string[] = [];
  const walk = (path: string) => {
    for (const entry of readdirSync(join(folder, path), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (found.length >= filesPerPackageMax) return;
      const inner = `${path}/${entry.name}`;
      if (entry.isDirectory() && entry.name !== "node_modules") walk(inner);
      if (!entry.isFile() || !source.test(entry.name) || notSource.test(entry.name)) continue;
      const { size } = statSync(join(folder, inner));
      if (size >= fileBytes.min && size <= fileBytes.max) found.push(inner);
    }
  };
  walk(name);
  return found;
}

export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const all = [...items];
  for (let i = all.length - 1; i > 0; i--) {
    const j = below(random, i + 1);
    [all[i], all[j]] = [all[j] as T, all[i] as T];
  }
  return all;
}
