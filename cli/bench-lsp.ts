// bench-lsp: `slipstream bench lsp`: what a person waits for at the language server.
import { benchLsp, type LspReport, type Spread } from "../bench/lsp/lsp.ts";
import type { Command } from "./command.ts";
import { interruption, milliseconds, options, refuseWords, whole } from "./options.ts";

const help = `Usage: slipstream bench lsp [OPTIONS]

The language server in a process of its own, over its pipes, in a folder of many files made for the run: how long from its start to
the first text, with a router there (the built-in model) and with one that it starts itself; and, before a router's port that notes
arrivals, how long from a key to its Trigger, from a cancel to its Cancel, from a report to its Feedback.

Options:
  --files N      of the folder (default 10000)
  --rounds N     cold starts of each kind (default 5)
  --keys N       (default 300)
  --pause TIME   between two keys (default 30ms)
  --seed N       of the folder (default 1)
  --json         one JSON object instead of a table

Ctrl-C ends a run early and reports what was measured.

Example:
  slipstream bench lsp --files 2000 --rounds 3
`;

export const benchLspCommand: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    files: { type: "string", default: "10000" },
    rounds: { type: "string", default: "5" },
    keys: { type: "string", default: "300" },
    pause: { type: "string", default: "30ms" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  refuseWords(positionals);
  const report = await benchLsp(
    {
      files: whole("files", values.files, 1, 100_000),
      rounds: whole("rounds", values.rounds, 1, 100),
      keys: whole("keys", values.keys, 1, 10_000),
      pauseMs: milliseconds("pause", values.pause, 5_000),
      seed: whole("seed", values.seed, 0, 0xffff_ffff),
    },
    { say: io.complain, signal: interruption(io) },
  );
  io.out(values.json ? `${JSON.stringify(report)}\n` : tableOf(report));
  return 0;
};

function tableOf({ folder, cold_ms, key_to_trigger_ms, key_to_answer_ms, cancel_ms, feedback_ms }: LspReport): string {
  const rows: readonly (readonly [string, Spread])[] = [
    ["start → first text, router there", cold_ms.router_there],
    ["start → first text, router started", cold_ms.router_started],
    ["key → Trigger, while the folder is read", key_to_trigger_ms.while_reading_the_folder],
    ["key → Trigger, after", key_to_trigger_ms.after],
    ["key → answer (the router takes no time)", key_to_answer_ms],
    ["cancel → Cancel at the router", cancel_ms.to_router],
    ["cancel → the request is answered", cancel_ms.answered],
    ["shown → Feedback at the router", feedback_ms.shown],
    ["partly accepted → Feedback", feedback_ms.partial],
    ["accepted → Feedback", feedback_ms.accepted],
  ];
  const cell = (value: number) => value.toFixed(2).padStart(10);
  const lines = rows.map(
    ([name, { count, p50, p95, max }]) => `${name.padEnd(42)}${String(count).padStart(6)}${cell(p50)}${cell(p95)}${cell(max)}\n`,
  );
  return `a folder of ${folder.files} files, ${folder.mib} MiB\n${"ms".padEnd(42)}${"times".padStart(6)}${"p50".padStart(10)}${"p95".padStart(10)}${"max".padStart(10)}\n${lines.join("")}`;
}
