// report: results in, figures out: for everything, each language, each kind and each pair of them what every system scored,
// with 95 % intervals, and by how much the first system is better than each other on the same spans.
import type { ResultRow } from "./results.ts";
import { groupedMean, type Interval, share } from "./statistics.ts";

const rates = ["exact", "parses", "stops", "over", "duplicate", "empty"] as const;
type Rate = (typeof rates)[number];

export type Figures = Readonly<Record<Rate | "similarity", Interval>> & {
  readonly spans: number;
  readonly total_ms: { readonly p50: number; readonly p95: number };
};

export interface Difference {
  readonly against: string;
  /** Spans that both answered. */
  readonly spans: number;
  readonly exact: Interval;
  readonly similarity: Interval;
}

export interface Slice {
  /** "all", a language, a kind, or "language/kind". */
  readonly slice: string;
  readonly systems: Readonly<Record<string, Figures>>;
  readonly differences: readonly Difference[];
}

export function slicesOf(rows: readonly ResultRow[], systems: readonly string[]): readonly Slice[] {
  const names = (row: ResultRow) => ["all", row.language, ...(row.kind ? [row.kind, `${row.language}/${row.kind}`] : [])];
  const slices = [...new Set(rows.flatMap(names))].sort((a, b) => rank(a) - rank(b));
  return slices.map((slice) => {
    const own = rows.filter((row) => names(row).includes(slice));
    const of = (system: string) => own.filter((row) => row.system === system);
    const [first = "", ...others] = systems;
    return {
      slice,
      systems: Object.fromEntries(systems.map((system) => [system, figuresOf(of(system))])),
      differences: others.map((other) => difference(of(first), of(other), other)),
    };
  });
}

/** All first, languages, kinds, then their pairs; each in the order of the results. */
function rank(slice: string): number {
  if (slice === "all") return 0;
  if (slice.includes("/")) return 3;
  return ["rest", "expression", "line", "block"].includes(slice) ? 2 : 1;
}

function figuresOf(rows: readonly ResultRow[]): Figures {
  const rate = (name: Rate) => share(rows.filter(({ score }) => score[name]).length, rows.length);
  const times = rows.map(({ totalMs }) => totalMs).sort((a, b) => a - b);
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(part * times.length))] ?? Number.NaN;
  return {
    spans: rows.length,
    exact: rate("exact"),
    similarity: groupedMean(rows.map((row) => ({ group: row.package, value: row.score.similarity }))),
    parses: rate("parses"),
    stops: rate("stops"),
    over: rate("over"),
    duplicate: rate("duplicate"),
    empty: rate("empty"),
    total_ms: { p50: at(0.5), p95: at(0.95) },
  };
}

function difference(mine: readonly ResultRow[], theirs: readonly ResultRow[], against: string): Difference {
  const pairs = mine.flatMap((row) => {
    const other = theirs.find(({ span }) => span === row.span);
    return other ? [{ row, other }] : [];
  });
  const paired = (value: (row: ResultRow) => number) =>
    groupedMean(pairs.map(({ row, other }) => ({ group: row.package, value: value(row) - value(other) })));
  return {
    against,
    spans: pairs.length,
    exact: paired(({ score }) => Number(score.exact)),
    similarity: paired(({ score }) => score.similarity),
  };
}
