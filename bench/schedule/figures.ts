// figures: the records of runs in, the figures of a report out.

import type { CrowdRecord } from "../../sim/crowd.ts";
import type { FleetFigures } from "../../sim/fleet-run.ts";
import { percentile } from "../../sim/statistics.ts";

const round = (value: number, digits = 1) => (Number.isFinite(value) ? Math.round(value * 10 ** digits) / 10 ** digits : null);

/** Of the triggers of one lane, or of one tenant in it. */
export function figuresOf(all: readonly CrowdRecord[]) {
  // A newer key is no failing of the fleet; nor is what the gate saw no use in.
  const wanted = all.filter(({ outcome, reason }) => outcome !== "superseded" && outcome !== "cancelled" && reason !== "gated");
  const withText = wanted.filter(({ firstTextMs }) => firstTextMs !== undefined);
  const generated = withText.filter(({ started, outcome }) => started && outcome === "generated");
  const started = wanted.filter((each) => each.started);
  const inTime = started.filter(({ firstTextMs, deadlineMs }) => firstTextMs !== undefined && firstTextMs <= deadlineMs);
  const tooLate = wanted.filter(({ code }) => code === "too_late");
  // The gate's, at once, by how the work looks; who is too late was let through, and no worker can do it in time.
  const brownout = wanted.filter(({ reason }) => reason === "brownout");
  const firstText = (of: readonly CrowdRecord[], share: number) =>
    round(
      percentile(
        of.flatMap(({ firstTextMs }) => firstTextMs ?? []),
        share,
      ),
    );
  return {
    triggers: all.length,
    wanted: wanted.length,
    answered_share: round(withText.length / Math.max(1, wanted.length), 3),
    first_text_ms: { p50: firstText(withText, 0.5), p95: firstText(withText, 0.95) },
    generated_first_text_ms: { p50: firstText(generated, 0.5), p95: firstText(generated, 0.95) },
    started: started.length,
    started_in_time_share: round(inTime.length / Math.max(1, started.length), 3),
    started_total_ms_p95: round(
      percentile(
        started.map(({ totalMs }) => totalMs),
        0.95,
      ),
    ),
    brownout: brownout.length,
    too_late: tooLate.length,
    too_late_after_ms: {
      p50: round(
        percentile(
          tooLate.map(({ totalMs }) => totalMs),
          0.5,
        ),
      ),
      p99: round(
        percentile(
          tooLate.map(({ totalMs }) => totalMs),
          0.99,
        ),
      ),
    },
    ends: ends(all),
  };
}

function ends(all: readonly CrowdRecord[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome, reason, code } of all) {
    const name = code ? `${outcome}: ${code}` : outcome === "gated" && reason ? `gated: ${reason}` : outcome;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).sort(([, a], [, b]) => b - a));
}

/** Of a whole run. */
export function spentOf(run: FleetFigures) {
  const text = run.records.filter(({ firstTextMs }) => firstTextMs !== undefined).length;
  return {
    gpu_share: round(run.gpuShare, 3),
    gpu_ms_per_answer: round(run.gpuMs / Math.max(1, text), 2),
    slots_used_share: round(run.usedShare, 3),
    slots_idle_while_wanted_share: round(run.wantedShare, 4),
    recomputed_tokens_per_answer: round(run.recomputedTokens / Math.max(1, text)),
    completion_tokens: run.completionTokens,
    hedges: run.hedges,
  };
}
