// recorded-metrics: a process's table of metrics in, metrics that a simulation can read back out: sums of counters, last
// and largest values of gauges, all by labels. One entry a label set; the tables keep those few.
import type { Metrics, MetricTable } from "../lib/metrics.ts";

interface GaugeRecord {
  value: number;
  max: number;
}

export class RecordedMetrics<T extends MetricTable> {
  readonly #counters = new Map<string, number>();
  readonly #gauges = new Map<string, GaugeRecord>();
  readonly metrics: Metrics<T>;

  constructor(table: T) {
    const made = Object.entries(table).map(([name, row]) => {
      if (row.kind === "counter") return [name, { inc: (labels: object, by = 1) => this.#inc(keyOf(name, labels), by) }];
      if (row.kind === "gauge") return [name, { set: (labels: object, value: number) => this.#set(keyOf(name, labels), value) }];
      return [name, { observe: () => {} }];
    });
    this.metrics = Object.fromEntries(made) as Metrics<T>;
  }

  /** Sum of a counter over the label sets that hold these labels. */
  count(name: keyof T & string, labels: Readonly<Record<string, string>> = {}): number {
    let sum = 0;
    for (const [key, value] of this.#counters) if (matches(key, name, labels)) sum += value;
    return sum;
  }

  /** Gauges that are not zero now, as `name{labels} value`. */
  unrest(names: readonly (keyof T & string)[]): string[] {
    return [...this.#gauges]
      .filter(([key, { value }]) => value !== 0 && names.some((name) => matches(key, name, {})))
      .map(([key, { value }]) => `${key} ${value}`);
  }

  /** Largest value a gauge ever had, over its label sets. */
  max(name: keyof T & string): number {
    return Math.max(0, ...[...this.#gauges].filter(([key]) => matches(key, name, {})).map(([, { max }]) => max));
  }

  #inc(key: string, by: number): void {
    this.#counters.set(key, (this.#counters.get(key) ?? 0) + by);
  }

  #set(key: string, value: number): void {
    this.#gauges.set(key, { value, max: Math.max(value, this.#gauges.get(key)?.max ?? 0) });
  }
}

function keyOf(name: string, labels: object): string {
  return `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .sort()
    .join(",")}}`;
}

function matches(key: string, name: string, labels: Readonly<Record<string, string>>): boolean {
  if (!key.startsWith(`${name}{`)) return false;
  const held = key.slice(name.length + 1, -1).split(",");
  return Object.entries(labels).every(([label, value]) => held.includes(`${label}=${value}`));
}
