// judge: a figure of this tree and of the one it is held against, seed by seed, in; whether it is worse beyond noise out. Pure.

export interface Bound {
  readonly better: "less" | "more";
  /** Relative: worse by more than this fails, when not even the kind end of the interval is within it. */
  readonly worseMax: number;
  /** Means below it are as good as it. */
  readonly floor: number;
  /** Nothing excuses it: one more is worse. */
  readonly exact?: boolean;
}

export interface Verdict {
  /** Of the means: this tree's over the other's. */
  readonly ratio: number;
  /** Where it lies with 95 % confidence, by the differences seed by seed. */
  readonly low: number;
  readonly high: number;
  readonly worse: boolean;
  /** Better by more than the bound: the expectation can be made anew. */
  readonly better: boolean;
}

/** Student's t for 95 %, by degrees of freedom from 1. */
const students = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26];

export function judge(
  now: readonly number[],
  before: readonly number[],
  { better, worseMax, floor, exact = false }: Bound,
): Verdict {
  const pairs = now.flatMap((value, i) => (before[i] === undefined ? [] : [[value, before[i] as number] as const]));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const [mine, theirs] = [mean(pairs.map(([a]) => a)), mean(pairs.map(([, b]) => b))].map((value) => Math.max(floor, value));
  const base = Math.max(theirs as number, 1e-12);
  const ratio = (mine as number) / base;
  const differences = pairs.map(([a, b]) => a - b);
  const middle = mean(differences);
  const variance = differences.reduce((sum, each) => sum + (each - middle) ** 2, 0) / Math.max(1, pairs.length - 1);
  const half = ((students[pairs.length - 2] ?? 2.2) * Math.sqrt(variance / Math.max(1, pairs.length))) / base;
  const [low, high] = [ratio - half, ratio + half];
  const less = better === "less";
  return {
    ...{ ratio, low, high },
    worse: exact ? (mine as number) > base : less ? low > 1 + worseMax : high < 1 - worseMax,
    better: less ? high < 1 - worseMax : low > 1 + worseMax,
  };
}
