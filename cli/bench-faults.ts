// bench-faults: `slipstream bench faults`: what people see when a worker is killed, frozen or slowed.
import { benchFaults, type FaultReport, faultNames } from "../bench/faults/faults.ts";
import { Records } from "../bench/records/records.ts";
import type { Command } from "./command.ts";
import { interruption, listOf, milliseconds, options, refuseWords, whole } from "./options.ts";

const help = `Usage: slipstream bench faults [OPTIONS]

Sessions ask through a real router process for completions of pretend GPUs, each worker a process of its own on loopback. One
worker is killed (SIGKILL, started again later), then another frozen (SIGSTOP, SIGCONT), then a third made five times as slow.
A failure is a trigger of a session that ended in an error, or whose connection broke, while its deadline was not over;
docs/operations/failures.md says what the router does about it.

Options:
  --faults LIST     ${faultNames.join(", ")} (default all)
  --rate N          triggers a second (default 60)
  --sessions N      (default 40)
  --workers N       at least 2 (default 4)
  --slots N         generations that a worker runs at once (default 8)
  --deadline TIME   of each trigger (default 500ms)
  --phase TIME      before, during and after each fault (default 8s)
  --records FILE  a line of JSON for each trigger, and histograms beside it
  --json            one JSON object instead of a table

Example:
  slipstream bench faults --faults freeze --rate 100
`;

export const benchFaultsCommand: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    faults: { type: "string", default: faultNames.join(",") },
    rate: { type: "string", default: "60" },
    sessions: { type: "string", default: "40" },
    workers: { type: "string", default: "4" },
    slots: { type: "string", default: "8" },
    deadline: { type: "string", default: "500ms" },
    phase: { type: "string", default: "8s" },
    json: { type: "boolean", default: false },
    records: { type: "string" },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  refuseWords(positionals);
  const made = {
    faults: listOf("faults", values.faults, faultNames),
    rate: whole("rate", values.rate, 1, 5_000),
    sessions: whole("sessions", values.sessions, 1, 5_000),
    workers: whole("workers", values.workers, 2, 64),
    slots: whole("slots", values.slots, 1, 256),
    deadlineMs: milliseconds("deadline", values.deadline, 60_000),
    phaseSeconds: milliseconds("phase", values.phase, 600_000) / 1_000,
  };
  const records = new Records(values.records);
  const reports = await benchFaults(made, { say: io.complain, signal: interruption(io), records }).finally(() => records.close());
  io.out(values.json ? `${JSON.stringify({ ...made, reports })}\n` : tableOf(reports));
  return 0;
};

function tableOf(reports: readonly FaultReport[]): string {
  const rows = reports.flatMap(({ fault, phases, hedges, retries, continued, breakers_opened: opened }) =>
    Object.entries(phases).map(
      ([phase, { triggers, failures, expired, p50_ms, p95_ms }], i) =>
        `${(i === 0 ? fault : "").padEnd(8)}${phase.padEnd(8)}${String(triggers).padStart(9)}${String(failures).padStart(9)}${String(expired).padStart(9)}${p50_ms.toFixed(1).padStart(9)}${p95_ms.toFixed(1).padStart(9)}${i === 0 ? `   ${hedges} hedged, ${retries} begun anew, ${continued} gone on with, ${opened} times left alone` : ""}\n`,
    ),
  );
  return `fault   phase    triggers   failed  expired   p50 ms   p95 ms   the router\n${rows.join("")}`;
}
