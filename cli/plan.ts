// plan: `slipstream plan`: how many GPUs so many developers need, with what it is assumed from.
import { join } from "node:path";
import { type ProfileName, profileNames } from "../bench/peers/peers.ts";
import { type Plan, type PlanOptions, planFor } from "../bench/peers/plan.ts";
import type { Command } from "./command.ts";
import { interruption, number, oneOf, options, refuseWords, whole } from "./options.ts";

const help = `Usage: slipstream plan --developers N [OPTIONS]

How many GPUs N developers need, so that text that is of use is there within 100 ms of a key at p95. What one GPU serves is
looked for with the whole router, workers and typists in virtual time, at both ends of the profile's estimates: some minutes
on two cores, kept for the next plan of the same version. docs/operations/bench-peers.md says what is assumed.

Options:
  --developers N     how many there are
  --profile NAME     ${profileNames.join(", ")},
                     or the beginning of one, like l40s-3b (default h100-7b-eagle3)
  --agreement LIST   shares of lines that the model knows (default 0.3; headline figures: 0.15,0.3,0.45)
  --day              plan for the busiest minute of a simulated working day, not for all writing at once; and say by hours
  --spare N          GPUs that may be away (default 1)
  --gpus N           in the search; two take twice the time (default 1)
  --slots N          generations that a GPU runs at once (default 16)
  --seeds N          repeats, for the band (default 2)
  --seed N           (default 1)
  --out DIR          where answers are kept (default reports/plan)
  --json             one JSON object instead of a table

Examples:
  slipstream plan --developers 500 --profile l40s-3b
  slipstream plan --developers 20000 --day --json
`;

export const plan: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    json: { type: "boolean", default: false },
    day: { type: "boolean", default: false },
    developers: { type: "string", default: "" },
    profile: { type: "string", default: "h100-7b-eagle3" },
    agreement: { type: "string", default: "0.3" },
    spare: { type: "string", default: "1" },
    gpus: { type: "string", default: "1" },
    slots: { type: "string", default: "16" },
    seeds: { type: "string", default: "2" },
    seed: { type: "string", default: "1" },
    out: { type: "string", default: "reports/plan" },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  refuseWords(positionals);
  const made: PlanOptions = {
    developers: whole("developers", values.developers, 1, 10_000_000),
    profile: profileOf(values.profile),
    agreements: values.agreement.split(",").map((each) => number("agreement", each, 0, 1)),
    day: values.day,
    spare: whole("spare", values.spare, 0, 1_000),
    gpus: whole("gpus", values.gpus, 1, 64),
    slots: whole("slots", values.slots, 1, 256),
    seeds: whole("seeds", values.seeds, 1, 20),
    seed: whole("seed", values.seed, 0, 1e6),
    ...{ maxTokens: 32, within: 0.1 },
    stateFile: join(values.out, "answers.ndjson"),
  };
  const found = await planFor(made, { say: io.complain, signal: interruption(io) });
  io.out(values.json ? `${JSON.stringify({ ...made, ...found, assumptions: assumptionsOf(made) })}\n` : tableOf(found, made));
  return 0;
};

function profileOf(text: string): ProfileName {
  const found = profileNames.filter((name) => name.startsWith(text));
  return found.length === 1 ? (found[0] as ProfileName) : oneOf("profile", text, profileNames);
}

function assumptionsOf({ profile, slots, gpus, spare, day, seeds, within }: PlanOptions): string[] {
  return [
    `${profile} is an estimate of a GPU and its model, not a measurement (workers/engine/simulated/profiles.ts); slow and fast are the ends of its range`,
    "who writes code types without end: bursts of 12 keys at 239 ms, pauses of 2 s in the median (sim/trace/parameters.ts)",
    day
      ? "how many write at once comes from a simulated day (sim/day.ts, sim/trace/habits.ts); GPUs are for its busiest minute"
      : "all developers write at the same time: the worst minute there can be (--day plans for a working day)",
    "served: of the triggers whose person waited 100 ms or longer, 95 % had a complete line or statement by then; what the gate's evidence holds back is not asked",
    `the router itself takes nothing: it adds a few ms on a machine of its own; ${slots} generations a GPU at once; searched over ${gpus} GPU${gpus === 1 ? "" : "s"}, said of larger fleets in proportion`,
    `a figure is the largest crowd that was served, to ${Math.round(100 * within)} %; its band is over ${seeds} crowd${seeds === 1 ? ", which makes none" : "s of other people"}`,
    `${spare} GPU${spare === 1 ? "" : "s"} more than are needed, so that as many may be away`,
  ];
}

function tableOf({ rows, writing_at_once: writing, day, gpus_by_hour: hours }: Plan, made: PlanOptions): string {
  const lines = rows.map(({ agreement, end, developers_per_gpu: { developers_per_gpu: per, low, high }, gpus }) => {
    const band = high > low ? ` (${low}–${high})` : "";
    const needed = gpus
      ? `${gpus.likely} GPUs${gpus.most > gpus.likely ? `, ${gpus.most} at most` : ""}`
      : "nobody is served in time";
    return `the model knows ${String(Math.round(100 * agreement)).padStart(2)} % of lines, ${end} end:  ${per}${band} developers a GPU  →  ${needed}\n`;
  });
  const shape = day
    ? `a day: ${Math.round(100 * day.mean_share)} % write at once in the mean, ${Math.round(100 * day.peak_share)} % in the busiest minute, ${Math.round(day.keys_per_developer)} keys a developer\n`
    : "";
  const hourly = hours ? `GPUs by the hour (first row): ${hours.join(" ")}\n` : "";
  return `${made.developers} developers, ${writing} at once, on ${made.profile}

${lines.join("")}${shape}${hourly}
Assumed:
${assumptionsOf(made)
  .map((each) => `- ${each}\n`)
  .join("")}`;
}
