// metrics: one typed table a process, built once on one registry. Parts take the slice they need
// (`Pick<RouterMetrics, "outcomes_total">`). Label values come from closed sets; never session, worker address or code text.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** Seconds, dense where an inline completion lives (1 ms to 2 s). */
export const latencyBuckets = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.2, 0.35, 0.5, 1, 2, 5, 10];

interface Row<Kind extends string, Label extends string> {
  readonly kind: Kind;
  readonly help: string;
  readonly labels: readonly Label[];
  readonly buckets?: readonly number[];
}
type Labels<Label extends string> = Readonly<Record<Label, string>>;
export type MetricTable = Readonly<Record<string, Row<"counter" | "gauge" | "histogram", string>>>;

export const counter = <const L extends string = never>(help: string, labels: readonly L[] = []): Row<"counter", L> => ({
  kind: "counter",
  help,
  labels,
});
export const gauge = <const L extends string = never>(help: string, labels: readonly L[] = []): Row<"gauge", L> => ({
  kind: "gauge",
  help,
  labels,
});
export const histogram = <const L extends string = never>(
  help: string,
  labels: readonly L[] = [],
  buckets: readonly number[] = latencyBuckets,
): Row<"histogram", L> => ({ kind: "histogram", help, labels, buckets });

export interface CounterOf<L extends string> {
  inc(labels: Labels<L>, by?: number): void;
}
export interface GaugeOf<L extends string> {
  set(labels: Labels<L>, value: number): void;
}
export interface HistogramOf<L extends string> {
  observe(labels: Labels<L>, value: number): void;
}

/** The metrics of a table: `metrics.outcomes_total.inc({ outcome: "generated" })`. */
export type Metrics<T extends MetricTable> = {
  readonly [K in keyof T]: T[K] extends Row<"counter", infer L>
    ? CounterOf<L>
    : T[K] extends Row<"gauge", infer L>
      ? GaugeOf<L>
      : T[K] extends Row<"histogram", infer L>
        ? HistogramOf<L>
        : never;
};

/** Makes every metric of `table` on `registry` as `slipstream_<process>_<key>`. */
export function createMetrics<const T extends MetricTable>(process: string, table: T, registry = new Registry()): Metrics<T> {
  return createNamed(`slipstream_${process}_`, table, registry);
}

/** With another prefix, or none: for names that are not ours. */
export function createNamed<const T extends MetricTable>(prefix: string, table: T, registry = new Registry()): Metrics<T> {
  const made: Record<string, unknown> = {};
  for (const [key, row] of Object.entries(table)) {
    const config = { name: `${prefix}${key}`, help: row.help, labelNames: [...row.labels], registers: [registry] };
    if (row.kind === "counter") {
      const metric = new Counter(config);
      made[key] = { inc: (labels: Labels<string>, by = 1) => metric.inc(labels, by) } satisfies CounterOf<string>;
    } else if (row.kind === "gauge") {
      const metric = new Gauge(config);
      made[key] = { set: (labels: Labels<string>, value: number) => metric.set(labels, value) } satisfies GaugeOf<string>;
    } else {
      const metric = new Histogram({ ...config, buckets: [...(row.buckets ?? latencyBuckets)] });
      made[key] = {
        observe: (labels: Labels<string>, value: number) => metric.observe(labels, value),
      } satisfies HistogramOf<string>;
    }
  }
  return made as Metrics<T>;
}

/** A registry that also carries Node's own figures (event loop, memory, garbage collection). */
export function processRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

export { Registry } from "prom-client";
