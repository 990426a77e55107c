// page: a report in, one HTML page out: who held how much for how many GPU hours in each workload, and a day of it, with its load, the
// workers of ours, of the cheapest peer that holds and of the oracle.
import { pageOf, tableOf } from "../page/page.ts";
import { barsOf, linesOf } from "../page/plot.ts";
import { goal } from "./run.ts";
import { percent, type ScaleOptions, type ScaleReport, type Workload } from "./scale.ts";
import { verdictOf } from "./verdict.ts";

export function scalePage(report: ScaleReport, options: ScaleOptions): string {
  const { model_error: error } = report;
  const { trainingDays, days, seed, profile, profileEnd, targetMs } = options;
  return pageOf("slipstream bench scale", [
    `<p>${days} days that no policy had seen, after ${trainingDays} training days (seed ${seed}); each peer with the cheapest setting that held ${percent(goal.mean)} of one-minute windows, and ${percent(goal.worst)} on the worst day, in training; ours untuned. A window is held when 95 of 100 triggers had a first line within ${targetMs} ms at the router. Workers are ${profile} (${profileEnd} end), by estimate. The oracle knows all load beforehand and may miss as many windows.</p>`,
    error
      ? `<p><small>The per-second queueing model beside the event simulator, ${error.windows} minutes of sampled hours, ${error.triggers} triggers: ${error.in_time_points} points off in the share in time, bias ${error.in_time_bias_points}; the same windows held: ${(100 * error.agreed_share).toFixed(1)} %; p95 ${(100 * error.p95_error_share).toFixed(1)} % off.</small></p>`
      : "",
    ...options.workloads.map((workload) => part(report, workload)),
  ]);
}

function part(report: ScaleReport, workload: Workload): string {
  const rows = report.rows.filter((row) => row.workload === workload);
  const table = tableOf([
    ["policy", "windows held", "worst day", "GPU-h a day", "× oracle", "changes a day", "holds", "setting"],
    ...rows.map((row) => [
      ...[row.policy, percent(row.windows_held_mean), percent(row.windows_held_worst), row.gpu_hours.toFixed(1)],
      ...[row.oracle_ratio.toFixed(3), row.changes_per_day.toFixed(0), row.holds ? "yes" : "no", row.setting],
    ]),
  ]);
  return `<h2>${workload}</h2><p>${verdictOf(workload, report.rows)}</p>${table}
<div class="plots">${barsOf(
    { title: "GPU hours a day.", x: "", y: "GPU-h", caption: "* holds the target; the oracle for comparison." },
    [
      ...rows.map(({ policy, holds, gpu_hours }) => [`${policy}${holds ? "*" : ""}`, gpu_hours] as const),
      oracleBar(report, workload),
    ],
  )}${dayPlot(report, workload)}</div>`;
}

const oracleBar = ({ rows }: ScaleReport, workload: Workload) =>
  ["oracle", rows.find((row) => row.workload === workload)?.oracle_gpu_hours ?? 0] as const;

/** The same hours twice: what comes, and who serves it. */
function dayPlot({ rows, traces }: ScaleReport, workload: Workload): string {
  const peers = rows.filter((row) => row.workload === workload && row.policy !== "slipstream");
  const best = peers.toSorted((a, b) => Number(b.holds) - Number(a.holds) || a.gpu_hours - b.gpu_hours)[0]?.policy;
  const shown = traces.filter((each) => each.workload === workload && ["slipstream", "oracle", best].includes(each.policy));
  const hourly = (values: readonly number[]) => values.map((value, minute) => [minute / 60, value] as const);
  const load = traces.find((each) => each.workload === workload && each.trace.rps.length > 0)?.trace.rps ?? [];
  const drawnLoad = linesOf(
    { title: "Load of that day.", x: "hour", y: "triggers/s", caption: "The mean of each minute; every policy has the same." },
    [{ name: "load", points: hourly(load) }],
  );
  const drawnWorkers = linesOf(
    {
      ...{ title: "Workers that serve, on one of the days.", x: "hour", y: "workers" },
      caption: "The oracle's are what each minute needs.",
    },
    shown.map(({ policy, trace }) => ({ name: policy, points: hourly(trace.workers) })),
  );
  return `${drawnLoad}${drawnWorkers}`;
}
