// bench-keys: `slipstream bench keys`: what keystrokes cost through a real router with simulated workers.
import { benchKeys, type KeysOptions, parts, peopleMax, profileEnds, profileNames, realParts } from "../bench/keys/keys.ts";
import { jsonOf, tableOf } from "../bench/keys/report.ts";
import { type Ablation, ablations } from "../bench/keys/switches.ts";
import { Records } from "../bench/records/records.ts";
import { readTrace } from "../sim/trace/read.ts";
import type { Command } from "./command.ts";
import { interruption, listOf, milliseconds, number, oneOf, options, refuseWords, whole } from "./options.ts";

const names = Object.keys(ablations) as Ablation[];
const quickAblations: readonly Ablation[] = ["supersede_off", "prefix_first"];

const help = `Usage: slipstream bench keys [OPTIONS]

People type through a real router process to simulated workers, each a process of its own on loopback. Says what was wasted,
what was answered without a generation, what the prompt layout saves and what the router costs; then the same with one
mechanism off at a time. docs/operations/bench-keys.md defines every figure. Takes about a quarter of an hour.

Options:
  --quick            two minutes: shorter runs, two ablations, 1,000 sessions
  --profile NAME     ${profileNames.join(", ")}
                     (default l40s-7b-eagle3)
  --end END          slow, mid or fast end of the profile's estimates (default mid)
  --load SHARE       share of all slots in use that the crowd is sized for (default 0.85)
  --people N         so many type in every run, instead of a crowd that is sized for the load
  --agreement SHARE  share of lines that the model knows (default 0.3)
  --seed N           (default 1)
  --duration TIME    of each measurement (default 30s)
  --workers N        at least 4 (default 4)
  --slots N          generations that a worker runs at once (default 4)
  --parts LIST       besides the run as shipped: ${parts.join(", ")}
                     (default all; "none")
  --ablate LIST      (default all): ${names.join(", ")}
  --sessions N       of the part "sessions" (default 10000)
  --chunk-ms MS      a prompt chunk of the pretend GPU takes about so long (default: as long as reading the weights)
  --virtual          in one process under a clock of its own: the same seed gives the same figures on any machine, however
                     busy; without the parts ${realParts.join(" and ")}, and what the router takes is not counted
  --trace FILE       type this trace instead of this package's sources; may be given again (slipstream trace generate)
  --records FILE     a line of JSON for each trigger that was measured, and histograms beside it
  --cpu-prof DIR     write a profile of each router's CPU there
  --json             one JSON object instead of a table

Examples:
  slipstream bench keys --quick
  slipstream bench keys --profile h100-7b-eagle3 --parts none
  slipstream bench keys --json --seed 7 >keys.json
  slipstream bench keys --virtual --people 40 --parts none --trace day.ndjson --records keys.ndjson
`;

export const benchKeysCommand: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    json: { type: "boolean", default: false },
    virtual: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    profile: { type: "string", default: "l40s-7b-eagle3" },
    end: { type: "string", default: "mid" },
    load: { type: "string", default: "0.85" },
    people: { type: "string" },
    agreement: { type: "string", default: "0.3" },
    seed: { type: "string", default: "1" },
    duration: { type: "string" },
    workers: { type: "string", default: "4" },
    slots: { type: "string", default: "4" },
    parts: { type: "string" },
    ablate: { type: "string" },
    sessions: { type: "string" },
    "chunk-ms": { type: "string" },
    "cpu-prof": { type: "string" },
    trace: { type: "string", multiple: true, default: [] },
    records: { type: "string" },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  refuseWords(positionals);
  const quick = values.quick === true;
  const virtual = values.virtual === true;
  const possible = parts.filter((part) => !virtual || !realParts.includes(part));
  const usual = quick ? possible.filter((part) => part === "ablations" || part === "sessions") : possible;
  const made: KeysOptions = {
    virtual,
    profile: oneOf("profile", values.profile, profileNames),
    profileEnd: oneOf("end", values.end, profileEnds),
    load: number("load", values.load, 0.05, 0.99),
    agreement: number("agreement", values.agreement, 0, 1),
    seed: whole("seed", values.seed, 0, 1e6),
    seconds: milliseconds("duration", values.duration ?? (quick ? "10s" : "30s"), 3_600_000) / 1_000,
    workers: whole("workers", values.workers, 4, 64),
    slots: whole("slots", values.slots, 1, 256),
    parts: values.parts === "none" ? [] : values.parts === undefined ? usual : listOf("parts", values.parts, possible),
    ablations: values.ablate === undefined ? (quick ? quickAblations : names) : listOf("ablate", values.ablate, names),
    sessions: whole("sessions", values.sessions ?? (quick ? "1000" : "10000"), 1, 100_000),
    ...(values.people === undefined ? {} : { people: whole("people", values.people, 1, peopleMax) }),
    ...(values["chunk-ms"] === undefined ? {} : { chunkMs: number("chunk-ms", values["chunk-ms"], 0.1, 1_000) }),
    ...(values["cpu-prof"] === undefined ? {} : { profileCpu: values["cpu-prof"] }),
  };
  const traces = await Promise.all(values.trace.map(readTrace));
  const records = new Records(values.records);
  const report = await benchKeys(
    { ...made, ...(traces.length > 0 && { traces }) },
    { say: io.complain, signal: interruption(io), records },
  ).finally(() => records.close());
  io.out(values.json ? `${JSON.stringify(jsonOf(report, made))}\n` : tableOf(report, made));
  return 0;
};
