// query: names of the processes' own metric tables in, PromQL out. A metric or a label that is in no table does not compile; the
// tests read the finished text once more.
import { operatorMetricTable } from "../../operator/metrics.ts";
import { routerMetricTable } from "../../router/metrics.ts";
import { workerMetricTable } from "../../workers/metrics.ts";

export const metricTables = { router: routerMetricTable, worker: workerMetricTable, operator: operatorMetricTable } as const;
type Tables = typeof metricTables;
type Process = keyof Tables;
type LabelOf<P extends Process, K extends keyof Tables[P]> = Tables[P][K] extends { labels: readonly (infer L extends string)[] }
  ? L
  : never;

/** By label: a value, or "a|b" for several. Every query keeps to the namespace and the jobs that a dashboard has chosen. */
type Where<P extends Process, K extends keyof Tables[P]> = Partial<Record<LabelOf<P, K>, string>>;

export interface Series {
  readonly name: string;
  readonly matchers: string;
}

function series<P extends Process>(process: P) {
  return <K extends keyof Tables[P] & string>(key: K, where: Where<P, K> = {}): Series => ({
    name: `slipstream_${process}_${key}`,
    matchers: Object.entries(where as Record<string, string>)
      .map(([label, value]) => (value.includes("|") ? `${label}=~"${value}"` : `${label}="${value}"`))
      .join(","),
  });
}
export const router = series("router");
export const worker = series("worker");
export const operator = series("operator");

/** What a query looks at besides a metric's own labels: "" in rules, a dashboard's variables there. */
export interface Scope {
  readonly matchers: string;
  readonly window: string;
}
export const ruleScope = (window: string): Scope => ({ matchers: "", window });
export const boardScope: Scope = { matchers: 'namespace=~"$namespace"', window: "$__rate_interval" };

const braces = (...matchers: readonly string[]) => {
  const all = matchers.filter((each) => each !== "").join(",");
  return all === "" ? "" : `{${all}}`;
};
const by = (labels: readonly string[]) => (labels.length === 0 ? "" : ` by (${labels.join(", ")})`);

export class Query {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** The values themselves, added up. */
  sum({ name, matchers }: Series, ...labels: readonly string[]): string {
    return `sum${by(labels)} (${name}${braces(matchers, this.#scope.matchers)})`;
  }

  max({ name, matchers }: Series, ...labels: readonly string[]): string {
    return `max${by(labels)} (${name}${braces(matchers, this.#scope.matchers)})`;
  }

  avg({ name, matchers }: Series, ...labels: readonly string[]): string {
    return `avg${by(labels)} (${name}${braces(matchers, this.#scope.matchers)})`;
  }

  /** A second, added up. */
  rate({ name, matchers }: Series, ...labels: readonly string[]): string {
    return `sum${by(labels)} (rate(${name}${braces(matchers, this.#scope.matchers)}[${this.#scope.window}]))`;
  }

  increase({ name, matchers }: Series, ...labels: readonly string[]): string {
    return `sum${by(labels)} (increase(${name}${braces(matchers, this.#scope.matchers)}[${this.#scope.window}]))`;
  }

  /** Of a histogram. */
  quantile(q: number, { name, matchers }: Series, ...labels: readonly string[]): string {
    const buckets = `rate(${name}_bucket${braces(matchers, this.#scope.matchers)}[${this.#scope.window}])`;
    return `histogram_quantile(${q}, sum${by(["le", ...labels])} (${buckets}))`;
  }

  /** Observations of a histogram a second. */
  count({ name, matchers }: Series, ...labels: readonly string[]): string {
    return this.rate({ name: `${name}_count`, matchers }, ...labels);
  }
}

/** Nothing where there is nothing to divide by. */
export const share = (part: string, whole: string) => `${part} / (${whole} > 0)`;
