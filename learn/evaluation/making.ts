// making: sources and a seed in, the references of a set out: as many spans of each language and kind, spread over packages
// and files. Stratified so that every package of a language is asked, and no file is asked twice for one kind. The same
// sources and seed give the same set on every machine.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { below, fork, type Random, seeded } from "../../lib/random.ts";
import { type Candidate, candidates } from "./choosing.ts";
import type { Parsers } from "./parser.ts";
import { digestOf, type Source, sourceFiles } from "./sources.ts";
import { kinds, type Language, languages, type SpanKind, type SpanReference } from "./span.ts";

export interface MakingOptions {
  readonly seed: number;
  /** Of each language and kind. */
  readonly spansPerCell: Readonly<Record<Language, number>>;
}

interface File {
  readonly path: string;
  readonly text: string;
  readonly candidates: readonly Candidate[];
}

interface Package {
  readonly source: Source;
  readonly files: readonly File[];
}

export function makeSet(
  options: MakingOptions,
  deps: { parsers: Parsers; found: readonly { source: Source; root: string }[]; progress?: (name: string) => void },
): readonly SpanReference[] {
  const random = seeded(options.seed);
  const packages = deps.found.map(({ source, root }): Package => {
    deps.progress?.(source.package);
    return { source, files: shuffled(readFiles(source, root, deps.parsers), fork(random)) };
  });
  return languages.flatMap((language) => {
    const own = packages.filter(({ source, files }) => source.language === language && files.length > 0);
    return kinds.flatMap((kind) => cell(kind, options.spansPerCell[language], own, fork(random)));
  });
}

function readFiles(source: Source, root: string, parsers: Parsers): readonly File[] {
  return sourceFiles(source, root).flatMap((path) => {
    const text = readFileSync(join(root, path), "utf8");
    return parsers.read(source.language, text, (tree) =>
      tree.hasError ? [] : [{ path, text, candidates: candidates(tree, text, source.language) }],
    );
  });
}

/** One kind of one language: package after package gives a span of its next file, until there are enough or none is left. */
function cell(kind: SpanKind, wanted: number, packages: readonly Package[], random: Random): readonly SpanReference[] {
  const chosen: SpanReference[] = [];
  const waiting = packages.map(({ source, files }) => ({ source, files: [...files] }));
  while (chosen.length < wanted && waiting.some(({ files }) => files.length > 0)) {
    for (const { source, files } of waiting) {
      const reference = chosen.length < wanted ? next(kind, source, files, random) : undefined;
      if (reference) chosen.push(reference);
    }
  }
  return chosen;
}

/** Takes files until one has a span of the kind. */
function next(kind: SpanKind, source: Source, files: File[], random: Random): SpanReference | undefined {
  for (let file = files.shift(); file; file = files.shift()) {
    const fitting = file.candidates.filter((candidate) => candidate.kind === kind);
    const candidate = fitting[below(random, Math.max(1, fitting.length))];
    if (candidate) return referenceOf(candidate, source, file);
  }
  return undefined;
}

function referenceOf({ kind, offset, length }: Candidate, source: Source, file: File): SpanReference {
  const { ecosystem, package: name, version, language } = source;
  const place = { language, kind, ecosystem, package: name, version, file: file.path, offset, length };
  const sha256 = digestOf(file.text.slice(offset, offset + length));
  return { id: digestOf(JSON.stringify(place)).slice(0, 12), ...place, sha256 };
}

function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  const all = [...items];
  for (let i = all.length - 1; i > 0; i--) {
    const j = below(random, i + 1);
    [all[i], all[j]] = [all[j] as T, all[i] as T];
  }
  return all;
}
