// explain: `slipstream explain ID`: what a running router did with a trigger, step by step, from its admin port.
import { SlipstreamError } from "../lib/errors.ts";
import type { Explanation } from "../router/explain/explain.ts";
import { adminJson, noAdminPort } from "./admin.ts";
import type { Command, Io } from "./command.ts";
import { options } from "./options.ts";
import { reachHelp, reachOf, reachOptions } from "./reaching.ts";

const help = `Usage: slipstream explain [ID] [OPTIONS]

Shows what a running router did with a trigger: which rooms it went through, when, for how long, and why. ID is the id of a
trigger or of a completion; "slipstream complete" prints it. Without an ID: the triggers of late, a line each.

Options:
  --last N               so many triggers of late, newest first, 1 to 1000 (default 20)
  --address HOST:PORT    the router's admin port (default 127.0.0.1:7413, or SLIPSTREAM_ADMIN_ADDRESS)
  --json                 the same as one JSON object
${reachHelp}

Examples:
  slipstream explain 4b825dc642cb6eb9
  slipstream explain --last 5
`;

const lastMax = 1_000;

export const explain: Command = async (args, io: Io) => {
  const { values, positionals } = options(args, {
    last: { type: "string", default: "20" },
    address: { type: "string", default: io.env["SLIPSTREAM_ADMIN_ADDRESS"] ?? "127.0.0.1:7413" },
    ...reachOptions(io.env),
    json: { type: "boolean", default: false },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  const [id, extra] = positionals;
  if (extra !== undefined) throw new SlipstreamError("invalid_request", "one id at most is wanted; --help shows examples");
  const last = Number(values.last);
  if (!Number.isInteger(last) || last < 1 || last > lastMax)
    throw new SlipstreamError("invalid_request", `--last: "${values.last}" is not a number from 1 to ${lastMax}`, {
      field: "last",
    });
  const reach = reachOf(String(values.address), values);
  if (id === undefined) {
    const found = (await adminJson(reach, `/explain?last=${last}`)) as { triggers?: Explanation[] } | undefined;
    if (!found?.triggers) throw noAdminPort(reach);
    io.out(values.json ? `${JSON.stringify(found)}\n` : list(found.triggers));
    return 0;
  }
  const found = (await adminJson(reach, `/explain/${encodeURIComponent(id)}`)) as Explanation | undefined;
  if (!found) throw new SlipstreamError("not_found", `no trigger "${id}" among those of late at ${reach.address}`);
  io.out(values.json ? `${JSON.stringify(found)}\n` : drawn(found));
  return 0;
};

const ms = (time: number) => time.toFixed(1);
const some = (parts: readonly (string | null)[]) => parts.filter((part) => part !== null && part !== "").join(" · ");

function drawn(told: Explanation): string {
  const { usage } = told;
  const head = some([`trigger ${told.trigger}`, told.outcome, told.reason === told.outcome ? "" : told.reason]);
  const cost = usage && usage.promptTokens > 0 ? `prompt ${usage.promptTokens} tokens, ${usage.recomputedTokens} computed` : "";
  const lines = [
    `${head} · ${ms(told.total_ms)} ms of ${ms(told.deadline_ms)} ms`,
    some([told.lane, told.kind, told.language, told.stateless ? "stateless" : `session ${told.session}`]),
    some([told.model, told.worker && `worker ${told.worker}`, cost, `${told.text_utf16} characters`]),
    some([told.completion && `completion ${told.completion}`, told.trace && `trace ${told.trace}`]),
    "",
    ...told.steps.map(
      ({ room, at_ms, took_ms, what }) =>
        `${ms(at_ms).padStart(8)} ms ${`+${ms(took_ms)}`.padStart(8)} ms  ${room.padEnd(8)}  ${what}`,
    ),
    ...(told.detail === null ? [] : ["", told.detail]),
  ];
  return `${lines.filter((line, i) => line !== "" || i > 3).join("\n")}\n`;
}

function list(triggers: readonly Explanation[]): string {
  if (triggers.length === 0) return "no trigger yet\n";
  const rows = triggers.map(({ trigger, outcome, reason, total_ms, lane, kind, worker }) =>
    row(trigger, outcome, `${ms(total_ms)} ms`, lane, kind, worker || reason || ""),
  );
  return `${[row("TRIGGER", "OUTCOME", "TOTAL", "LANE", "KIND", "WORKER OR REASON"), ...rows].join("\n")}\n`;
}

function row(trigger: string, outcome: string, total: string, lane: string, kind: string, end: string): string {
  return [trigger.padEnd(24), outcome.padEnd(11), total.padStart(10), lane.padEnd(11), kind.padEnd(11), end].join("  ").trimEnd();
}
