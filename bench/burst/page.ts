// page: a burst in, one HTML page out: load, workers and first text over the same time, and what each phase came to.
import { pageOf, tableOf } from "../page/page.ts";
import { linesOf, type Series } from "../page/plot.ts";
import type { BurstReport } from "./burst.ts";
import type { PhaseFigures, Point } from "./series.ts";

export function burstPage(report: BurstReport): string {
  const { series, slo_ms: sloMs, people, seed, workers, recovered_s: recovered, first_worker_s: first, failed } = report;
  const line = (name: string, of: (point: Point) => number | null): Series => ({
    name,
    points: series.flatMap((point) => {
      const value = of(point);
      return value === null ? [] : [[point.s, value] as const];
    }),
  });
  const back =
    recovered === null
      ? "p95 did not come back within the SLO while the burst lasted"
      : recovered === 0
        ? "p95 stayed within the SLO"
        : `p95 was within the SLO again, and stayed there for half a minute, ${recovered} s after the burst began`;
  return pageOf(`slipstream bench burst: pool ${report.pool}`, [
    `<p>${people[0]} people type, then ${people[1]}, then ${people[0]} again (seed ${seed}). Workers that serve: ${workers.before} before, ${workers.most} at most, ${workers.after} at the end; the first more served ${first === null ? "never" : `after ${first} s`}; ${back}. ${failed} triggers failed.</p>`,
    `<div class="plots">${linesOf(
      {
        title: "Load.",
        x: "s",
        y: "triggers/s, people",
        caption: "Triggers of the ten seconds before each moment, as people asked.",
      },
      [line("triggers a second", ({ triggers_per_s: rps }) => rps), line("people", (point) => point.people)],
    )}${linesOf(
      { title: "Workers.", x: "s", y: "workers", caption: "Pods as the cluster's API has them; wanted as the pool's status says." },
      [
        line("wanted", ({ wanted }) => wanted),
        line("pods", ({ pods }) => pods),
        line("ready", ({ ready }) => ready),
        line("leaving", ({ leaving }) => leaving),
      ],
    )}${linesOf(
      {
        ...{ title: "First text at p95.", x: "s", y: "ms", limits: [{ name: `SLO ${sloMs} ms`, at: sloMs }] },
        caption: "As people saw it, of the ten seconds before each moment; what was late counts with its whole deadline.",
      },
      [line("p95", ({ p95_ms: ms }) => ms)],
    )}${linesOf(
      {
        ...{ title: "Late.", x: "s", y: "%" },
        caption: "Of what was asked in the ten seconds before: the deadline passed without text, or was foreseen to.",
      },
      [line("late", ({ late_share: share }) => 100 * share)],
    )}</div>`,
    tableOf([
      ["phase", "triggers", "a second", "with text", "p50 ms", "p95 ms", "late", "failed", "windows held"],
      ...(["before", "burst", "after"] as const).map((name) => [name, ...row(report.phases[name])]),
    ]),
    tableOf([
      ["prompts of a session that", "prompts", "there already"],
      ["stayed at its worker", report.reuse.stayed.prompts, share(report.reuse.stayed.reused_share)],
      ["came to another worker", report.reuse.moved.prompts, share(report.reuse.moved.reused_share)],
    ]),
    ...(report.failures.length === 0 ? [] : ["<h2>What failed</h2>", tableOf(waysOf(report))]),
    "<h2>What the operator decided</h2>",
    tableOf([["s", "from", "to", "reason"], ...report.decisions.map(({ s, from, to, reason }) => [s, from, to, reason])]),
  ]);
}

const waysOf = ({ failures }: BurstReport): (string | number)[][] => [
  ["outcome", "what the router said", "triggers", "first, s", "last, s"],
  ...failures.map(({ outcome, detail, triggers, first_s, last_s }) => [outcome, detail, triggers, first_s, last_s]),
];

export const row = (of: PhaseFigures): (string | number)[] => [
  ...[of.triggers, of.triggers_per_s.toFixed(1), of.answered, ms(of.p50_ms), ms(of.p95_ms), of.late, of.failed],
  of.windows_held_share === null ? "" : `${Math.round(100 * of.windows_held_share)} %`,
];

const share = (value: number | null) => (value === null ? "" : `${(100 * value).toFixed(1)} %`);
const ms = (value: number | null) => (value === null ? "" : value.toFixed(0));
