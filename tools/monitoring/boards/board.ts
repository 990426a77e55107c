// board: the nouns of a dashboard: rows of plots, the question of each, its queries, its unit.
import type { Query, Series } from "../query.ts";

type Unit = "s" | "short" | "percentunit" | "reqps" | "ops" | "bytes" | "dateTimeFromNow";
export interface Plot {
  readonly title: string;
  /** What it answers, and where to go on. */
  readonly about: string;
  readonly unit: Unit;
  readonly queries: readonly (readonly [legend: string, expr: string])[];
  readonly stacked?: boolean;
  /** A line that is not to be crossed. */
  readonly target?: number;
}
interface Row {
  readonly title: string;
  readonly plots: readonly Plot[];
}
export interface Board {
  readonly slug: string;
  readonly title: string;
  readonly rows: readonly Row[];
}

/** Median, and the two that hurt. */
export const quantiles = (q: Query, series: Series) =>
  [0.5, 0.95, 0.99].map((each) => [`p${each * 100}`, q.quantile(each, series)] as const);
