// bench-fleet: `slipstream bench fleet`: two routers on NATS: what a key at one ends at the other, and NATS killed on the way.
import { benchFleet } from "../bench/fleet/fleet.ts";
import { pageOf } from "../bench/fleet/report.ts";
import { profileNames } from "../bench/keys/keys.ts";
import { neededProgram } from "../bench/programs.ts";
import { Records } from "../bench/records/records.ts";
import type { Command } from "./command.ts";
import { interruption, milliseconds, oneOf, options, refuseWords, whole } from "./options.ts";

const help = `Usage: slipstream bench fleet [OPTIONS]

Two routers, a real nats-server and simulated workers, each a process of its own on loopback. People type, and each key
reaches the other router than the one before it. Says how soon the older text's engine is told to stop, what of that is
the engine's step, and, with nats-server killed and brought back on the way, what failed and whether the stream holds an
outcome for every trigger, once.

Options:
  --nats-server PATH  the program (default: what "npm run tools -- nats-server" brought, else
                      nats-server of the PATH)
  --profile NAME      of the pretend GPUs (default l40s-7b-eagle3)
  --workers N         (default 4)
  --slots N           generations that a worker runs at once (default 8)
  --people N          who type at the same time (default 8)
  --duration TIME     of typing (default 24s)
  --seed N            (default 1)
  --records FILE    a line of JSON for each trigger, and histograms beside it
  --json              one JSON object instead of a page

Examples:
  slipstream bench fleet
  slipstream bench fleet --people 16 --duration 60s --json
`;

export const benchFleetCommand: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    json: { type: "boolean", default: false },
    records: { type: "string" },
    "nats-server": { type: "string" },
    profile: { type: "string", default: "l40s-7b-eagle3" },
    workers: { type: "string", default: "4" },
    slots: { type: "string", default: "8" },
    people: { type: "string", default: "8" },
    duration: { type: "string", default: "24s" },
    seed: { type: "string", default: "1" },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  refuseWords(positionals);
  const made = {
    natsServer: values["nats-server"] ?? neededProgram("nats-server", io.env, "nats-server"),
    profile: oneOf("profile", values.profile, profileNames),
    workers: whole("workers", values.workers, 1, 64),
    slots: whole("slots", values.slots, 1, 256),
    people: whole("people", values.people, 1, 1_000),
    seconds: milliseconds("duration", values.duration, 3_600_000) / 1_000,
    seed: whole("seed", values.seed, 0, 1e6),
  };
  const records = new Records(values.records);
  const report = await benchFleet(made, { say: io.complain, signal: interruption(io), records }).finally(() => records.close());
  io.out(values.json ? `${JSON.stringify(report)}\n` : pageOf(report));
  return report.failed === 0 && report.stream.equal ? 0 : 1;
};
