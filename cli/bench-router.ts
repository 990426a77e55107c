// bench-router: `slipstream bench router`: what a router costs a generation, and what it adds to one.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CpuProfile, flameGraph, hottest } from "../bench/flame.ts";
import { Records } from "../bench/records/records.ts";
import { ways } from "../bench/router/callers.ts";
import { benchRouter, type RouterRow } from "../bench/router/router.ts";
import type { Command } from "./command.ts";
import { interruption, listOf, milliseconds, options, refuseWords, whole } from "./options.ts";

const help = `Usage: slipstream bench router [OPTIONS]

Generations of 16 streamed tokens through a real router process, with API keys and outcomes on, to workers that answer at
fixed moments; client, router and workers are processes of their own on loopback. Every fifth goes straight to a worker's
link as well: what the router adds is the difference of their quantiles. A row is marked where the machine was too full for
it, with who had its cores. docs/performance.md has figures and their history.

Options:
  --rates LIST     generations a second (default 200,500,1000)
  --ways LIST      ${ways.join(", ")}: an editor's session, one answer each; a Generate call, a message a token
                   (default both)
  --duration TIME  of each measurement (default 10s)
  --document N     bytes of the document, or of the question (default 4096)
  --profile DIR    write a profile of the router's CPU and a flame graph (SVG) there
  --records FILE   a line of JSON for each trigger, and histograms beside it
  --json           one JSON object instead of a table

Examples:
  slipstream bench router --rates 500
  slipstream bench router --ways session --rates 500 --profile reports/flame
`;

export const benchRouterCommand: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    rates: { type: "string", default: "200,500,1000" },
    ways: { type: "string", default: ways.join(",") },
    duration: { type: "string", default: "10s" },
    document: { type: "string", default: "4096" },
    profile: { type: "string" },
    json: { type: "boolean", default: false },
    records: { type: "string" },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  refuseWords(positionals);
  const { profile } = values;
  if (profile !== undefined) mkdirSync(profile, { recursive: true });
  const records = new Records(values.records);
  const rows = await benchRouter(
    {
      ways: listOf("ways", values.ways, ways),
      rates: values.rates.split(",").map((rate) => whole("rates", rate, 1, 10_000)),
      seconds: milliseconds("duration", values.duration, 600_000) / 1_000,
      tokens: 16,
      documentBytes: whole("document", values.document, 64, 1 << 20),
      workers: 4,
      ...(profile === undefined ? {} : { profile }),
    },
    { say: io.complain, signal: interruption(io), records },
  ).finally(() => records.close());
  io.out(values.json ? `${JSON.stringify({ tokens: 16, document_bytes: Number(values.document), rows })}\n` : tableOf(rows));
  if (profile !== undefined) io.out(graphs(profile));
  return 0;
};

/** A graph beside each profile of the folder. */
function graphs(folder: string): string {
  const lines: string[] = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".cpuprofile"))) {
    const profile = JSON.parse(readFileSync(join(folder, file), "utf8")) as CpuProfile;
    const path = join(folder, file.replace(/cpuprofile$/, "svg"));
    writeFileSync(path, flameGraph(profile, `slipstream router, ${file}`));
    lines.push(
      `\n${path}\n`,
      ...hottest(profile, 25).map(({ name, share }) => `${(100 * share).toFixed(1).padStart(5)} %  ${name}\n`),
    );
  }
  return lines.join("");
}

function tableOf(rows: readonly RouterRow[]): string {
  const head =
    "way       rate/s   CPU ms each  of a core   added to first p50     p99   to all p50     p99   direct p50     p99  loop p99\n";
  const cell = (value: number, width: number, digits = 2) => value.toFixed(digits).padStart(width);
  return head.concat(
    ...rows.map(
      (row) =>
        `${row.way.padEnd(9)}${String(row.rate).padStart(7)}${cell(row.cpu_ms_per_generation, 14, 3)}${cell(row.cpu_share * 100, 9, 0)} %${cell(row.added_first_ms.p50, 21)}${cell(row.added_first_ms.p99, 8)}${cell(row.added_total_ms.p50, 13)}${cell(row.added_total_ms.p99, 8)}${cell(row.total_ms.direct.p50, 13)}${cell(row.total_ms.direct.p99, 8)}${cell(row.router_loop_delay_ms_p99, 10)}${row.invalid.length > 0 ? "  not valid" : ""}\n`,
    ),
  );
}
