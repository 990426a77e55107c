// speculation-books: what the engine's speculation did since its start in, the worker's metrics out, and why its latest steps
// drafted as they did, where it decides that itself. Counts of an engine that was started again begin at nothing.
import type { Acceptance, DraftWhy, Recommendation, SpeculationReport } from "../generation.ts";
import type { WorkerMetrics } from "../metrics.ts";

export class SpeculationBooks {
  readonly #metrics: WorkerMetrics | undefined;
  #last: SpeculationReport | undefined;

  /** The commonest reason among the steps since the last report that brought any; "" before the first. */
  why: DraftWhy | "" = "";

  constructor(deps: { metrics: WorkerMetrics | undefined }) {
    this.#metrics = deps.metrics;
  }

  book(report: SpeculationReport | undefined, acceptance: Acceptance, recommendation?: Recommendation): void {
    for (const [position, { drafted, accepted }] of acceptance.perPosition.entries())
      this.#metrics?.speculation_accepted_share.set({ position: String(position + 1) }, drafted === 0 ? 0 : accepted / drafted);
    if (recommendation) this.#metrics?.speculation_recommended_tokens.set({}, recommendation.tokens);
    if (report) this.#steps(report);
  }

  #steps(report: SpeculationReport): void {
    const before = total(report) < total(this.#last) ? undefined : this.#last;
    const since = <K extends string>(now: Readonly<Record<K, number>>, then: Readonly<Record<K, number>> | undefined) =>
      (Object.entries(now) as [K, number][]).map(([key, count]) => [key, count - (then?.[key] ?? 0)] as const);
    const whys = since(report.whys, before?.whys);
    const commonest = whys.reduce((one, other) => (other[1] > one[1] ? other : one));
    if (commonest[1] > 0) this.why = commonest[0];
    this.#last = report;
    const metrics = this.#metrics;
    if (!metrics) return;
    for (const [source, count] of since(report.sources, before?.sources)) metrics.speculation_steps_total.inc({ source }, count);
    for (const [why, count] of whys) metrics.speculation_choices_total.inc({ why }, count);
    for (const source of ["lookup", "model"] as const)
      metrics.speculation_open.set({ source }, report.open.includes(source) ? 1 : 0);
    for (const [tokens, ms] of Object.entries(report.costs.verify)) metrics.speculation_verify_seconds.set({ tokens }, ms / 1_000);
    metrics.speculation_draft_seconds.set({}, report.costs.draft / 1_000);
  }
}

function total(report: SpeculationReport | undefined): number {
  return report ? Object.values(report.sources).reduce((sum, count) => sum + count, 0) : 0;
}
