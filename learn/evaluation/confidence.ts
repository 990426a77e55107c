// confidence: results in, a curve out: for each threshold on the confidence of a text, how much would still be shown, how much
// of that is right, and how much of what is right would still be shown. What the router's default is chosen from.
import type { ResultRow } from "./results.ts";
import { type Interval, share } from "./statistics.ts";

export interface CurvePoint {
  readonly min: number;
  /** Of the texts, those at or above the threshold. */
  readonly shown: number;
  /** Of those shown, whose first line is right. */
  readonly precision: Interval;
  /** Of those whose first line is right, those shown. */
  readonly recall: Interval;
  /** Mean edit similarity of those shown, and of those held back. */
  readonly similarity_shown: number;
  readonly similarity_held: number;
}

const steps = 20;

export function curveOf(rows: readonly ResultRow[], system: string): readonly CurvePoint[] {
  const texts = rows.filter((row) => row.system === system && row.confidence !== undefined && !row.score.empty);
  if (texts.length === 0) return [];
  const right = texts.filter(({ score }) => score.exact);
  const mean = (of: readonly ResultRow[]) => of.reduce((sum, { score }) => sum + score.similarity, 0) / of.length;
  return Array.from({ length: steps }, (_, i) => i / steps).map((min) => {
    const above = (row: ResultRow) => (row.confidence ?? 0) >= min;
    const shown = texts.filter(above);
    const rightShown = right.filter(above).length;
    return {
      min,
      shown: shown.length / texts.length,
      precision: share(rightShown, shown.length),
      recall: share(rightShown, right.length),
      similarity_shown: mean(shown),
      similarity_held: mean(texts.filter((row) => !above(row))),
    };
  });
}

/** The highest threshold of the curve that still shows `recallMin` of the texts that are right; 0 where even the lowest loses more. */
export function leastConfidence(curve: readonly CurvePoint[], recallMin = 0.95): number {
  return curve.filter(({ recall }) => recall.value >= recallMin).at(-1)?.min ?? 0;
}
