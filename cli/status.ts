// status: `slipstream status`: what a running router does now, from its admin port.
import type { Status } from "../router/status.ts";
import { adminJson, noAdminPort } from "./admin.ts";
import type { Command } from "./command.ts";
import { options } from "./options.ts";
import { reachHelp, reachOf, reachOptions } from "./reaching.ts";
import { watch } from "./status-watch.ts";

const help = `Usage: slipstream status [OPTIONS]

Shows a running router: workers, queue, outcomes, first-text latency, KV reuse. The console on the same port draws the same.

Options:
  --address HOST:PORT    the router's admin port (default 127.0.0.1:7413, or SLIPSTREAM_ADMIN_ADDRESS)
  --watch                the last minutes and now, drawn anew each second, until Ctrl-C
  --json                 the same as one JSON object
${reachHelp}

Examples:
  slipstream status
  slipstream status --watch
  slipstream status --json
`;

export const status: Command = async (args, io) => {
  const { values } = options(args, {
    address: { type: "string", default: io.env["SLIPSTREAM_ADMIN_ADDRESS"] ?? "127.0.0.1:7413" },
    ...reachOptions(io.env),
    watch: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  const reach = reachOf(String(values.address), values);
  if (values.watch) return watching(reach, io);
  const found = (await adminJson(reach, "/status")) as Status | undefined;
  if (found?.ready === undefined) throw noAdminPort(reach);
  io.out(values.json ? `${JSON.stringify(found)}\n` : drawn(found));
  return found.ready ? 0 : 69;
};

async function watching(reach: Parameters<typeof watch>[0], io: Parameters<Command>[1]): Promise<number> {
  const over = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) io.on(signal, () => over.abort());
  const terminal = process.stdout.isTTY ?? false;
  /** Asked for each drawing: a terminal may be made wider; a file has no height. */
  const size = () => ({
    columns: process.stdout.columns ?? 100,
    rows: terminal ? process.stdout.rows : Number.POSITIVE_INFINITY,
  });
  await watch(reach, io, { size, terminal, signal: over.signal });
  return 0;
}

function drawn(found: Status): string {
  const lines = [
    `${found.ready ? "ready" : `waiting for ${found.missing.join(", ")}`} · router ${found.router} ${found.version} · up ${found.uptimeS} s · ${found.queued} waiting${found.idleShare > 0 ? `, ${(100 * found.idleShare).toFixed(1)} % of slots idle meanwhile` : ""}`,
    "",
    ...table([
      ["WORKER", "MODEL", "SLOTS", "RUNNING", "PREFILL/S", "STEP MS", "DRAFTS"],
      ...found.workers.map((w) => [w.name, w.models.join(","), w.slots, w.running, w.prefillTokensPerSecond, w.stepMs, drafts(w)]),
    ]),
    "",
    `first text p50 ${found.firstTextMs.p50 ?? "–"} ms, p95 ${found.firstTextMs.p95 ?? "–"} ms · prompt tokens ${found.promptTokens.cached} cached, ${found.promptTokens.recomputed} computed`,
    `outcomes: ${
      Object.entries(found.outcomes)
        .map(([outcome, count]) => `${outcome} ${count}`)
        .join(", ") || "none yet"
    }`,
    ...value(found.value),
    ...policy(found.policy),
    ...found.files.map(({ files, ageS, problem }) => `${files}: ${problem ? `PROBLEM: ${problem}; ` : ""}as read ${ageS} s ago`),
    ...bus(found.bus),
  ];
  return `${lines.join("\n")}\n`;
}

/** "lookup+model 31 % (gain)": drafts from these, so many accepted in the last minute, and why. */
function drafts({ speculation }: Status["workers"][number]): string {
  if (!speculation) return "–";
  const from = speculation.why === "" ? "fixed" : speculation.sources.length === 0 ? "none" : speculation.sources.join("+");
  const share = speculation.acceptance > 0 ? ` ${Math.round(speculation.acceptance * 100)} %` : "";
  return `${from}${share}${speculation.why === "" ? "" : ` (${speculation.why.replaceAll("_", " ")})`}`;
}

/** Where the engines' time went, of the dearest names. */
function value(rows: Status["value"]): string[] {
  if (rows.length === 0) return [];
  const percent = (share: number) => (share === 0 ? "" : `${(100 * share).toFixed(1)} %`);
  return [
    "",
    ...table([
      [
        "ENGINE TIME",
        "S",
        "TOKENS",
        "SHOWN",
        "ACCEPTED",
        "SUPERSEDED",
        "LATE",
        "AHEAD",
        "EMPTY",
        "HEDGED",
        "OTHER",
        "MS/ACCEPTED CHAR",
      ],
      ...rows.map(({ by, of, engineMs, tokens, shares, accepted, acceptedCharacters: characters }) => [
        ...[`${by} ${of}`, engineMs === 0 ? "–" : (engineMs / 1_000).toFixed(1), tokens, percent(shares.shown), percent(accepted)],
        ...[shares.superseded, shares.late, shares.speculative, shares.empty, shares.hedged, shares.other].map(percent),
        characters === 0 || engineMs === 0 ? "–" : (engineMs / characters).toFixed(2),
      ]),
    ]),
    "",
  ];
}

/** Who else is there, or that nobody can be. */
function bus({ connected, routers, outcomesWaiting }: Status["bus"]): string[] {
  const others = routers.length === 0 ? [] : [`other routers: ${routers.map(({ router }) => router).join(", ")}`];
  const waiting = outcomesWaiting === 0 ? "" : `, ${outcomesWaiting} outcomes wait for it`;
  return connected ? others : [`degraded: the bus is away${waiting}`];
}

/** Which version holds, and what is wrong with a newer one. */
function policy({ path, version, problem }: Status["policy"]): string[] {
  if (path === "") return [];
  return [`policy version ${version} of ${path}${problem === undefined ? "" : `, kept because ${problem}`}`];
}

function table(rows: readonly (readonly (string | number)[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((cells) => String(cells[i]).length)));
  return rows.map((cells) =>
    cells
      .map((cell, i) => String(cell).padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
