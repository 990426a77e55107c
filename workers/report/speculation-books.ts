// speculation-books: what the engine's speculation did since its start in, the worker's metrics out. Counts of an engine that was
// started again begin at nothing.
import type { Acceptance, SpeculationReport } from "../generation.ts";
import type { WorkerMetrics } from "../metrics.ts";

export class SpeculationBooks {
  readonly #metrics: WorkerMetrics;
  #last: SpeculationReport | undefined;

  constructor(deps: { metrics: WorkerMetrics }) {
    this.#metrics = deps.metrics;
  }

  book(report: SpeculationReport, acceptance: Acceptance): void {
    const metrics = this.#metrics;
    const again = total(report) < total(this.#last);
    const before = again ? undefined : this.#last;
    for (const [source, count] of Object.entries(report.sources))
      metrics.speculation_steps_total.inc({ source }, count - (before?.sources[source as "none"] ?? 0));
    for (const [why, count] of Object.entries(report.whys))
      metrics.speculation_choices_total.inc({ why }, count - (before?.whys[why as "gain"] ?? 0));
    for (const source of ["lookup", "model"] as const)
      metrics.speculation_open.set({ source }, report.open.includes(source) ? 1 : 0);
    for (const [position, { drafted, accepted }] of acceptance.perPosition.entries())
      metrics.speculation_accepted_share.set({ position: String(position + 1) }, drafted === 0 ? 0 : accepted / drafted);
    for (const [tokens, ms] of Object.entries(report.costs.verify)) metrics.speculation_verify_seconds.set({ tokens }, ms / 1_000);
    metrics.speculation_draft_seconds.set({}, report.costs.draft / 1_000);
    this.#last = report;
  }
}

function total(report: SpeculationReport | undefined): number {
  return report ? Object.values(report.sources).reduce((sum, count) => sum + count, 0) : 0;
}
