// histogram: measurements in, their quantiles out, in a size that does not grow with them: log-linear buckets (as in HdrHistogram), 128
// to each doubling, so that no quantile is off by more than 0.8 %. For values from 0 to 2^47 in whole units (microseconds, say).

const subBits = 7;
const sub = 1 << subBits;
const valueMax = 2 ** 47;

export class Histogram {
  /** By index; grows to some 5,300 numbers for the largest value. */
  #counts: number[] = [];
  #count = 0;
  #sum = 0;
  #squares = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  get mean(): number {
    return this.#count === 0 ? Number.NaN : this.#sum / this.#count;
  }

  get max(): number {
    return this.#max;
  }

  record(value: number): void {
    const whole = Math.min(valueMax, Math.max(0, Math.round(value)));
    const index = indexOf(whole);
    while (this.#counts.length <= index) this.#counts.push(0);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count += 1;
    this.#sum += whole;
    this.#squares += whole * whole;
    this.#max = Math.max(this.#max, whole);
  }

  /** The largest value of the bucket that holds the quantile, never more than the largest recorded; NaN of nothing. */
  quantile(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.#count));
    let passed = 0;
    for (const [index, count] of this.#counts.entries()) {
      passed += count;
      if (passed >= wanted) return Math.min(this.#max, largestOf(index));
    }
    return Number.NaN;
  }

  /** The percentile table that HdrHistogram's tools write and plot; values divided by `unit`. */
  percentiles(unit: number): string {
    const rows: string[] = [];
    let passed = 0;
    for (const [index, count] of this.#counts.entries()) {
      if (count === 0) continue;
      passed += count;
      const share = passed / this.#count;
      const rest = share < 1 ? (1 / (1 - share)).toFixed(2) : "";
      const value = Math.min(this.#max, largestOf(index)) / unit;
      rows.push(`${value.toFixed(3).padStart(12)} ${share.toFixed(12)} ${String(passed).padStart(10)} ${rest.padStart(14)}\n`);
    }
    const deviation = Math.sqrt(Math.max(0, this.#squares / Math.max(1, this.#count) - (this.mean || 0) ** 2));
    return `       Value     Percentile TotalCount 1/(1-Percentile)\n\n${rows.join("")}#[Mean    = ${fixed(this.mean / unit)}, StdDeviation   = ${fixed(deviation / unit)}]
#[Max     = ${fixed(this.#max / unit)}, Total count    = ${String(this.#count).padStart(12)}]
#[Buckets = ${String(47 - subBits).padStart(12)}, SubBuckets     = ${String(2 * sub).padStart(12)}]
`;
  }
}

const fixed = (value: number) => (Number.isFinite(value) ? value : 0).toFixed(3).padStart(12);

/** Below 256 each value has a bucket of its own; above, each doubling has 128. */
function indexOf(value: number): number {
  if (value < 2 * sub) return value;
  const shift = Math.floor(Math.log2(value)) - subBits;
  return sub * shift + Math.floor(value / 2 ** shift);
}

function largestOf(index: number): number {
  if (index < 2 * sub) return index;
  const shift = Math.floor(index / sub) - 1;
  return (index - sub * shift + 1) * 2 ** shift - 1;
}
