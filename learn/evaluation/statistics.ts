// statistics: figures of an evaluation with their 95 % intervals. Shares by Wilson, which is honest at 0 and 1; means and
// differences by a bootstrap over packages, because spans of one package are alike. Seeded: the same results, the same report.
import { below, seeded } from "../../lib/random.ts";

export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const z = 1.959964;
const resamples = 1_000;
const seed = 20_261_123;

/** A share of `count` with its Wilson interval. */
export function share(hits: number, count: number): Interval {
  if (count === 0) return { value: Number.NaN, low: 0, high: 1 };
  const value = hits / count;
  const middle = value + (z * z) / (2 * count);
  const half = z * Math.sqrt((value * (1 - value)) / count + (z * z) / (4 * count * count));
  const scale = 1 + (z * z) / count;
  return {
    value,
    low: Math.min(value, Math.max(0, (middle - half) / scale)),
    high: Math.max(value, Math.min(1, (middle + half) / scale)),
  };
}

export interface Grouped {
  readonly group: string;
  readonly value: number;
}

/** A mean with its interval by drawing whole groups anew. */
export function groupedMean(values: readonly Grouped[]): Interval {
  if (values.length === 0) return { value: Number.NaN, low: Number.NaN, high: Number.NaN };
  const sums = new Map<string, { sum: number; count: number }>();
  for (const { group, value } of values) {
    const { sum, count } = sums.get(group) ?? { sum: 0, count: 0 };
    sums.set(group, { sum: sum + value, count: count + 1 });
  }
  const groups = [...sums.values()];
  const random = seeded(seed);
  const means = Array.from({ length: resamples }, () => {
    let [sum, count] = [0, 0];
    for (let i = 0; i < groups.length; i++) {
      const drawn = groups[below(random, groups.length)];
      sum += drawn?.sum ?? 0;
      count += drawn?.count ?? 0;
    }
    return sum / count;
  }).sort((a, b) => a - b);
  const at = (part: number) => means[Math.min(means.length - 1, Math.floor(part * means.length))] ?? Number.NaN;
  const value = values.reduce((sum, one) => sum + one.value, 0) / values.length;
  return { value, low: at(0.025), high: at(0.975) };
}
