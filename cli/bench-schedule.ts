// bench-schedule: `slipstream bench schedule`: what a placement costs, and what scheduling is worth in simulated fleets.

import { Records } from "../bench/records/records.ts";
import {
  benchSchedule,
  parts,
  profileEnds,
  profileNames,
  type ScheduleBenchOptions,
  type ScheduleReport,
} from "../bench/schedule/schedule.ts";
import { type Ablation, ablations } from "../bench/schedule/switches.ts";
import type { Command } from "./command.ts";
import { interruption, listOf, milliseconds, number, oneOf, options, refuseWords, whole } from "./options.ts";

const names = Object.keys(ablations) as Ablation[];

const help = `Usage: slipstream bench schedule [OPTIONS]

decision   microseconds to place one generation in a fleet of many workers, with all that goes with it
ablation   at each load, the same simulated crowd with one part off: leases, hedging, late binding; and with a fleet-wide
           prefix map, which the router does not have
overload   three times the people that fill every slot: what is started is in time, the rest is refused early, by kind
flood      what one tenant's flood does to another's answers
shared     short sessions whose prompts begin with a long text that others begin with too: brought to few workers on
           purpose, left to chance, and with a fleet-wide prefix map

All but the first run under a fake clock: the same seed gives the same figures on every machine.
docs/operations/queueing.md defines them.

Options:
  --parts LIST       of ${parts.join(", ")} (default all)
  --ablate LIST      of ${names.join(", ")} (default all)
  --loads LIST       shares of all slots in use (default 0.6,0.85,0.95)
  --people LIST      crowds of these sizes, one a load, instead of crowds that are sized for it by trying
  --fleet N          decision: workers (default 1000)
  --decisions N      decision: of each kind (default 20000)
  --workers N, --slots N   of a simulated fleet (default 6 and 4)
  --profile NAME     ${profileNames.join(", ")}
                     (default l40s-7b-eagle3)
  --end END          slow, mid or fast end of the profile's estimates (default mid)
  --duration TIME    of each run, in the simulated clock (default 20s)
  --seed N           (default 1)
  --records FILE   a line of JSON for each trigger, and histograms beside it
  --json             one JSON object and no other form: the default is the same, laid out

Examples:
  slipstream bench schedule --parts decision
  slipstream bench schedule --parts ablation --loads 0.85 --json
`;

export const benchScheduleCommand: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    parts: { type: "string", default: parts.join(",") },
    ablate: { type: "string", default: names.join(",") },
    loads: { type: "string", default: "0.6,0.85,0.95" },
    people: { type: "string" },
    fleet: { type: "string", default: "1000" },
    decisions: { type: "string", default: "20000" },
    workers: { type: "string", default: "6" },
    slots: { type: "string", default: "4" },
    profile: { type: "string", default: "l40s-7b-eagle3" },
    end: { type: "string", default: "mid" },
    duration: { type: "string", default: "20s" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    records: { type: "string" },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  refuseWords(positionals);
  const made: ScheduleBenchOptions = {
    parts: listOf("parts", values.parts, parts),
    ablations: [...new Set<Ablation>(["as_shipped", ...listOf("ablate", values.ablate, names)])],
    loads: values.loads.split(",").map((load) => number("loads", load, 0.05, 0.99)),
    ...(values.people === undefined ? {} : { people: values.people.split(",").map((each) => whole("people", each, 1, 2_000)) }),
    fleet: whole("fleet", values.fleet, 1, 10_000),
    decisions: whole("decisions", values.decisions, 200, 10_000_000),
    workers: whole("workers", values.workers, 1, 64),
    slots: whole("slots", values.slots, 1, 64),
    profile: oneOf("profile", values.profile, profileNames),
    profileEnd: oneOf("end", values.end, profileEnds),
    seconds: milliseconds("duration", values.duration, 600_000) / 1_000,
    seed: whole("seed", values.seed, 0, 1e6),
  };
  const records = new Records(values.records);
  const report = await benchSchedule(made, { say: io.complain, signal: interruption(io), records }).finally(() => records.close());
  io.out(values.json ? `${JSON.stringify(report)}\n` : drawn(report));
  return 0;
};

function drawn({ decision = [], ...rest }: ScheduleReport): string {
  const rows = decision.map(
    ({ case: name, workers, us }) =>
      `${name.padEnd(12)} ${String(workers).padStart(6)} workers   p50 ${us.p50.toFixed(1)} µs   p99 ${us.p99.toFixed(1)} µs\n`,
  );
  return rows.join("") + (Object.keys(rest).length > 0 ? `${JSON.stringify(rest, undefined, 2)}\n` : "");
}
