// bench-scale: `slipstream bench scale`: autoscaling policies through days of load in virtual time.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scalePage } from "../bench/scale/page.ts";
import {
  benchScale,
  percent,
  policyNames,
  profileEnds,
  profileNames,
  type ScaleOptions,
  type ScaleReport,
  type Workload,
  workloads,
} from "../bench/scale/scale.ts";
import { verdictOf } from "../bench/scale/verdict.ts";
import type { Command } from "./command.ts";
import { interruption, listOf, number, oneOf, options, refuseWords, whole } from "./options.ts";

const names = Object.keys(workloads) as Workload[];

const help = `Usage: slipstream bench scale [OPTIONS]

Which policy keeps 95 of 100 first lines in time, minute by minute, through days it has not seen, and for how many GPU hours:
the operator's own decision as it ships, and after the published rules of others an HPA, KEDA with its cron scaler, Knative's
KPA, llm-d's WVA and Dynamo's planner, each tuned on training days and frozen; beside who knows all load beforehand. Days
rise for hours or steeply at nine, with flash events and reconnect spikes; workers take 150 or 420 s to start. In virtual
time, by a per-second queueing model whose error against the event simulator is printed. The same seed gives the same
figures on every machine; minutes of processor time. docs/operations/scaling.md defines every figure.

Options:
  --workloads LIST   of ${names.join(", ")} (default all)
  --policies LIST    of ${policyNames.join(", ")} (default all)
  --days N           that are scored, after the training days (default 42)
  --training N       days that peers are tuned on (default 7)
  --peak N           triggers a second at a usual day's peak (default 2000)
  --profile NAME     ${profileNames.join(", ")}
                     (default l40s-3b-eagle3)
  --end END          slow, mid or fast end of the profile's estimates (default mid)
  --slots N          generations that a worker runs at once (default 16)
  --target MS        for the first line at the router (default 88: 100 less 12 for the network)
  --hours N          sampled for the model's error, 0 to 3 (default 2)
  --seed N           (default 1)
  --out DIR          where the page with plots goes (default reports/scale)
  --json             one JSON object instead of tables

Examples:
  slipstream bench scale
  slipstream bench scale --workloads steep-420 --policies slipstream,hpa --hours 0 --json
`;

export const benchScaleCommand: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    workloads: { type: "string", default: names.join(",") },
    policies: { type: "string", default: policyNames.join(",") },
    days: { type: "string", default: "42" },
    training: { type: "string", default: "7" },
    peak: { type: "string", default: "2000" },
    profile: { type: "string", default: "l40s-3b-eagle3" },
    end: { type: "string", default: "mid" },
    slots: { type: "string", default: "16" },
    target: { type: "string", default: "88" },
    hours: { type: "string", default: "2" },
    seed: { type: "string", default: "1" },
    out: { type: "string", default: "reports/scale" },
    json: { type: "boolean", default: false },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  refuseWords(positionals);
  const made: ScaleOptions = {
    workloads: listOf("workloads", values.workloads, names),
    policies: listOf("policies", values.policies, policyNames),
    days: whole("days", values.days, 1, 100),
    trainingDays: whole("training", values.training, 1, 28),
    peakRps: number("peak", values.peak, 10, 20_000),
    profile: oneOf("profile", values.profile, profileNames),
    profileEnd: oneOf("end", values.end, profileEnds),
    slots: whole("slots", values.slots, 1, 64),
    targetMs: whole("target", values.target, 10, 10_000),
    hours: whole("hours", values.hours, 0, 3),
    seed: whole("seed", values.seed, 0, 1e6),
  };
  const report = await benchScale(made, { say: io.complain, signal: interruption(io) });
  mkdirSync(values.out, { recursive: true });
  const page = join(values.out, "scale.html");
  writeFileSync(page, scalePage(report, made));
  io.complain(`plots: ${page}`);
  const { traces: _, ...told } = report;
  io.out(values.json ? `${JSON.stringify(told)}\n` : drawn(report, made));
  return 0;
};

function drawn({ rows, days, model_error: error }: ScaleReport, made: ScaleOptions): string {
  const parts = made.workloads.map((workload) => {
    const lines = rows
      .filter((row) => row.workload === workload)
      .map((row) =>
        [
          ...[row.policy.padEnd(11), percent(row.windows_held_mean).padStart(9), percent(row.windows_held_worst).padStart(9)],
          ...[row.gpu_hours.toFixed(1).padStart(8), row.oracle_ratio.toFixed(3).padStart(9)],
          ...[row.changes_per_day.toFixed(0).padStart(8), row.holds ? "   yes" : "    no", `  ${row.setting}`],
        ].join(" "),
      );
    return `${verdictOf(workload, rows)}\npolicy           held     worst  GPU-h/d  × oracle  changes  holds  setting\n${lines.join("\n")}\n`;
  });
  const model = error
    ? `model error over ${error.windows} sampled minutes: ${error.in_time_points} points of the share in time, p95 ${(100 * error.p95_error_share).toFixed(1)} %\n`
    : "";
  return `${days} unseen days\n${model}\n${parts.join("\n")}`;
}
