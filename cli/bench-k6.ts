// bench-k6: `slipstream bench k6`: load tests by the real k6.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { benchK6 } from "../bench/k6/k6.ts";
import { drawn, told } from "../bench/k6/report.ts";
import { scenarioNames, scenarios } from "../bench/k6/scenarios.ts";
import { neededProgram } from "../bench/programs.ts";
import { Records } from "../bench/records/records.ts";
import { isLoopback } from "../lib/address.ts";
import { address as addressSetting } from "../lib/config.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { openTrace } from "../sim/trace/read.ts";
import type { Command } from "./command.ts";
import { interruption, milliseconds, number, oneOf, options, refuseWords, whole } from "./options.ts";

const help = `Usage: slipstream bench k6 --scenario NAME [OPTIONS]      (npm run loadtest -- NAME [OPTIONS] brings k6 as well)

Runs a load test of loadtest/ with the real k6: people type through sessions over gRPC, each on its own stream; open loop, with times
from when each trigger was due. Starts what it needs on loopback, draws a page, and ends as k6 ends: 99 when a limit is
crossed. docs/operations/load-lab.md says what each scenario shows and why its limits are what they are.

Scenarios:
${scenarioNames.map((name) => `  ${name.padEnd(10)} ${scenarios[name]}`).join("\n")}

Options:
  --scenario NAME    which
  --target WHAT      up (router and built-in model), workers (a router and simulated workers), or HOST:PORT of a router's gRPC port
                     (default workers)
  --http HOST:PORT   its HTTP port, for tiers (default none)
  --no-http          leave HTTP out
  --token KEY        an API key, for a router that asks
  --k6 PATH          the program (default: what "npm run tools -- k6" brought, else k6 of the PATH)
  --trace FILE       type this trace; may be given again (default: this package's sources)
  --duration TIME    of the load; --rate N sessions a second; --session TIME that each types (default: the scenario's)
  --first-text MS    limit of a key's first text, p95; --unanswered SHARE of triggers without anything in time;
                     --late MS, how late the generator itself may be, p99
  --workers N        of the target "workers" (default 4); --slots N of each (default 4)
  --agreement SHARE  share of lines that simulated workers know (default 0.3)
  --stall            stop the first worker's process after a quarter of the run, as one that hangs
  --no-failover      wait for a worker that stalls: no second try, no silence noticed, nobody left alone
  --seed N           (default 1)
  --out FOLDER       for the page and the JSON (default reports)
  --records FILE     a line of JSON for each trigger, and histograms beside it
  --json             the report as one JSON object instead of text

Examples:
  slipstream bench k6 --scenario steady --target up --rate 0.2
  slipstream bench k6 --scenario burst --records reports/burst.ndjson
  slipstream bench k6 --scenario steady --stall --no-failover        (fails, as it must)
`;

export const benchK6Command: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    json: { type: "boolean", default: false },
    scenario: { type: "string" },
    target: { type: "string", default: "workers" },
    http: { type: "string" },
    "no-http": { type: "boolean", default: false },
    token: { type: "string", default: io.env["SLIPSTREAM_TOKEN"] ?? "" },
    k6: { type: "string" },
    trace: { type: "string", multiple: true, default: [] },
    duration: { type: "string" },
    rate: { type: "string" },
    session: { type: "string" },
    "first-text": { type: "string" },
    unanswered: { type: "string" },
    late: { type: "string" },
    workers: { type: "string", default: "4" },
    slots: { type: "string", default: "4" },
    agreement: { type: "string", default: "0.3" },
    stall: { type: "boolean", default: false },
    "no-failover": { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    out: { type: "string", default: "reports" },
    records: { type: "string" },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  refuseWords(positionals);
  if (values.scenario === undefined) throw refused("scenario", `is needed: ${scenarioNames.join(", ")}`);
  const { target } = values;
  if (target !== "up" && target !== "workers") {
    if (!addressSetting.safeParse(target).success) throw refused("target", `"${target}" is neither up, workers nor HOST:PORT`);
    if (values.stall || values["no-failover"]) throw refused("stall", "and --no-failover are for the target workers");
    if (values.token !== "" && !isLoopback(target)) throw refused("token", `would travel to ${target} in the clear`);
  }
  const seconds = (option: string, text: string | undefined) =>
    text === undefined ? undefined : milliseconds(option, text, 86_400_000) / 1_000;
  const given = <T>(name: string, value: T | undefined) => (value === undefined ? {} : { [name]: value });
  // Before anything is started: a trace that is none is a mistake of the flag.
  for (const path of values.trace) await openTrace(path);
  const made = {
    ...{ scenario: oneOf("scenario", values.scenario, scenarioNames), target, traces: values.trace, token: values.token },
    http: values.http ?? "",
    ...given("seconds", seconds("duration", values.duration)),
    ...given("rate", values.rate === undefined ? undefined : number("rate", values.rate, 0.02, 1_000)),
    ...given("session", seconds("session", values.session)),
    limits: {
      ...given(
        "FIRST_TEXT_MS",
        values["first-text"] === undefined ? undefined : String(number("first-text", values["first-text"], 1, 60_000)),
      ),
      // A processor takes longer than the deadline for the first prompt of a large file.
      ...(target === "up" ? { UNANSWERED: "0.05" } : {}),
      ...given("UNANSWERED", values.unanswered === undefined ? undefined : String(number("unanswered", values.unanswered, 0, 1))),
      ...given("LATE_MS", values.late === undefined ? undefined : String(number("late", values.late, 1, 60_000))),
    } as Record<string, string>,
    workers: whole("workers", values.workers, 1, 64),
    slots: whole("slots", values.slots, 1, 256),
    agreement: number("agreement", values.agreement, 0, 1),
    seed: whole("seed", values.seed, 0, 1e6),
    ...{ stall: values.stall, failover: !values["no-failover"], withHttp: !values["no-http"] },
    k6: values.k6 ?? neededProgram("k6", io.env, "k6"),
  };
  const records = new Records(values.records);
  const { exit, report } = await benchK6(made, { say: io.complain, signal: interruption(io), records }).finally(() =>
    records.close(),
  );
  mkdirSync(values.out, { recursive: true });
  const path = join(values.out, `k6-${made.scenario}`);
  writeFileSync(`${path}.json`, `${JSON.stringify(report)}\n`);
  writeFileSync(`${path}.html`, drawn(report));
  io.out(values.json ? `${JSON.stringify(report)}\n` : told(report));
  io.complain(`${path}.html and ${path}.json${values.records === undefined ? "" : `, ${values.records}`}`);
  return exit;
};

const refused = (option: string, problem: string) =>
  new SlipstreamError("invalid_request", `--${option} ${problem}`, { field: option });
