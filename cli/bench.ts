// bench: `slipstream bench NAME`: figures of this machine, with what they mean.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { benchCancel, type Cancelled } from "../bench/cancel.ts";
import { benchDocument, type KeyCost } from "../bench/document.ts";
import { benchEngine, type EngineReport } from "../bench/engine.ts";
import { trainedPackages } from "../bench/spans.ts";
import { benchSpeculation } from "../bench/speculation.ts";
import type { SpeculationReport } from "../bench/speculation-report.ts";
import { systemClock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { silentLog } from "../lib/log.ts";
import { packageRoot } from "../lib/package-root.ts";
import { seeded } from "../lib/random.ts";
import { EmbeddedEngine } from "../workers/engine/embedded/embedded.ts";
import { SimulatedEngine } from "../workers/engine/simulated/simulated.ts";
import type { Command, Io } from "./command.ts";
import { options } from "./options.ts";

const help = `Usage: slipstream bench NAME [OPTIONS]

cancel        from a Cancel to the engine's stop, in prefill and in decode, on the embedded engine and on the
              simulated one (an H100 with a 7B model, by estimate)
keys          what keystrokes cost through a real router with simulated workers, and with one mechanism off at a time;
              it has options of its own: slipstream bench keys --help
fleet         two routers on a real nats-server: how soon a key at one ends the older text at the other, and what it costs
              that NATS is killed; it has options of its own: slipstream bench fleet --help
router        what a router costs a generation and adds to it, with workers that answer at fixed moments
faults        what people see when a worker is killed, frozen or slowed under load
              (both have options of their own: --help)
layout        prompt tokens that a key costs, by the form of the model's family, and with one rule of the prompt's layout off
              at a time; it has options of its own: slipstream bench layout --help
document      what a key costs the router's processor against the length of its document (1 KB, 100 KB, 1 MB)
engine        the embedded engine: prompt and decode rates, what reused KV saves, abort latency
schedule      what a placement costs among 1,000 workers; what leases, hedging and late binding are worth, what overload and
              floods do, in simulated fleets; it has options of its own: slipstream bench schedule --help
speculation   throughput over plain decoding on held-out code: fixed draft lengths, lookups, the controller; as it
              is on this machine, and under an emulated accelerator (real tokens, padded passes)

Options:
  --json        one JSON object instead of a table
  --cancels N   cancel, engine: of each kind (default 200)
  --keys N      document: of each kind (default 1000)
  --rounds N    engine: prompts, cold and warm (default 30)
  --spans N     speculation: places in code (default 120)
  --pace LIST   speculation: emulated target passes in ms (default 3,8,12); "none" for as it is alone
  --paced-only  speculation: leave out the machine as it is
  --tokens N    speculation: tokens of a completion (default 24)
  --seed N      speculation: which places (default 1)
  --model PATH, --draft PATH   another pair than the built-in one

Ctrl-C ends a run early and reports what was measured.

Examples:
  slipstream bench cancel --cancels 1000 --json
  slipstream bench engine
  slipstream bench speculation --spans 200 --pace 8
`;

const benches = { cancel, document, engine, speculation } as const;

const table = {
  cancels: { type: "string", default: "200" },
  keys: { type: "string", default: "1000" },
  rounds: { type: "string", default: "30" },
  spans: { type: "string", default: "120" },
  pace: { type: "string", default: "3,8,12" },
  tokens: { type: "string", default: "24" },
  seed: { type: "string", default: "1" },
  model: { type: "string" },
  draft: { type: "string" },
  "paced-only": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

type Values = Record<keyof typeof table, string | boolean | undefined>;

export const bench: Command = async (args, io) => {
  if (args[0] === "fleet") return (await import("./bench-fleet.ts")).benchFleetCommand(args.slice(1), io);
  if (args[0] === "layout") return (await import("./bench-layout.ts")).benchLayoutCommand(args.slice(1), io);
  if (args[0] === "keys") return (await import("./bench-keys.ts")).benchKeysCommand(args.slice(1), io);
  if (args[0] === "schedule") return (await import("./bench-schedule.ts")).benchScheduleCommand(args.slice(1), io);
  if (args[0] === "faults") return (await import("./bench-faults.ts")).benchFaultsCommand(args.slice(1), io);
  if (args[0] === "router") return (await import("./bench-router.ts")).benchRouterCommand(args.slice(1), io);
  const { values, positionals } = options(args, table);
  if (values.help) {
    io.out(help);
    return 0;
  }
  const [name = ""] = positionals;
  if (positionals.length !== 1 || !Object.hasOwn(benches, name)) {
    const known = [...Object.keys(benches), "faults", "fleet", "keys", "layout", "router", "schedule"].join(", ");
    const one = positionals.length === 1 ? `no bench "${name}"` : "one bench is wanted";
    throw new SlipstreamError("invalid_request", `${one}; there are: ${known}; --help says more`);
  }
  const interrupted = new AbortController();
  io.on("SIGINT", () => interrupted.abort());
  return benches[name as keyof typeof benches](values as Values, io, interrupted.signal);
};

async function cancel(values: Values, io: Io, signal: AbortSignal): Promise<number> {
  const cancels = whole("cancels", values, 1, 100_000);
  const report: Cancelled[] = [];
  const simulated = async () =>
    new SimulatedEngine(
      { profile: "h100-7b-eagle3", profileEnd: "mid", seed: 1, slots: 8 },
      { clock: systemClock, random: seeded(1) },
    );
  for (const start of [() => startEmbedded(values), simulated]) {
    const engine = await start();
    try {
      report.push(...(await benchCancel(engine, { cancels, signal, progress: progressOn(io) })));
    } finally {
      await engine.close();
    }
  }
  io.out(values.json ? `${JSON.stringify({ cancels: report })}\n` : drawnCancels(report));
  return 0;
}

async function document(values: Values, io: Io, signal: AbortSignal): Promise<number> {
  const report = await benchDocument({ keys: whole("keys", values, 1, 1_000_000), signal });
  io.out(values.json ? `${JSON.stringify({ keys: report })}\n` : drawnDocument(report));
  return 0;
}

function drawnDocument(report: readonly KeyCost[]): string {
  const rows = report.map(
    ({ document_bytes, lines, context_tokens: window, hashed, cpu_us_per_key: us }) =>
      `${String(document_bytes).padStart(9)}  ${lines === "one" ? "one long" : "code    "}  ${String(window).padStart(6)}  ${hashed ? "each " : "none "} ${String(us.p50).padStart(8)} ${String(us.p95).padStart(7)}\n`,
  );
  return `    bytes  lines     window  hashes  CPU p50     p95 (µs a key)\n${rows.join("")}`;
}

async function engine(values: Values, io: Io, signal: AbortSignal): Promise<number> {
  const asked = { rounds: whole("rounds", values, 1, 10_000), cancels: whole("cancels", values, 1, 100_000) };
  const started = await startEmbedded(values);
  try {
    const report = await benchEngine(started, { ...asked, signal, progress: progressOn(io) });
    io.out(values.json ? `${JSON.stringify(report)}\n` : drawnEngine(report));
    return 0;
  } finally {
    await started.close();
  }
}

async function speculation(values: Values, io: Io, signal: AbortSignal): Promise<number> {
  const root = packageRoot();
  const report = await benchSpeculation(
    {
      ...pair(values),
      packages: join(root, "node_modules"),
      trained: trainedPackages(readFileSync(join(root, "models", "training-packages.tsv"), "utf8")),
      spans: whole("spans", values, 1, 10_000),
      paces: [...(values["paced-only"] ? [] : [0]), ...paces(String(values.pace))],
      maxTokens: whole("tokens", values, 2, 256),
      seed: whole("seed", values, 0, 0xffff_ffff),
    },
    { log: silentLog, progress: progressOn(io), signal },
  );
  io.out(values.json ? `${JSON.stringify(report)}\n` : drawnSpeculation(report));
  return 0;
}

function pair(values: Values): { modelPath: string; draftPath: string | undefined } {
  const builtIn = (name: string) => join(packageRoot(), "models", name);
  const given = values.model !== undefined;
  return {
    modelPath: given ? String(values.model) : builtIn("slipstream-fim-4m-q8_0.gguf"),
    draftPath: values.draft !== undefined ? String(values.draft) : given ? undefined : builtIn("slipstream-draft-1m-q8_0.gguf"),
  };
}

function startEmbedded(values: Values): Promise<EmbeddedEngine> {
  return EmbeddedEngine.start({ modelPath: pair(values).modelPath }, { clock: systemClock, log: silentLog });
}

function whole(option: keyof typeof table, values: Values, min: number, max: number): number {
  const text = String(values[option]);
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= min && number <= max))
    throw new SlipstreamError("invalid_request", `--${option}: "${text}" is not a number between ${min} and ${max}`, {
      field: option,
    });
  return number;
}

function paces(text: string): number[] {
  if (text === "none") return [];
  const list = text.split(",").map(Number);
  if (list.some((ms) => !(ms > 0 && ms <= 1_000)) || list.length > 8)
    throw new SlipstreamError("invalid_request", `--pace: "${text}" is not a list of at most 8 times in ms, or none`, {
      field: "pace",
    });
  return list;
}

function progressOn(io: Io): (text: string) => void {
  let shown = "";
  return (text) => {
    // A line for each tenth: a log stays readable.
    const [, what = text, at = "0", all = "1"] = /^(.*): (\d+) of (\d+)/.exec(text) ?? [];
    const tenth = `${what} ${Math.floor((Number(at) * 10) / Number(all))}`;
    if (tenth === shown) return;
    shown = tenth;
    io.complain(text);
  };
}

function drawnCancels(report: readonly Cancelled[]): string {
  const rows = report.map(
    ({ engine: name, phase, cancels: counted, stopped_ms: ms }) =>
      `${name.padEnd(11)}${phase.padEnd(9)}${String(counted).padStart(7)}  ${ms.p50.toFixed(2).padStart(17)} ${ms.p99.toFixed(2).padStart(7)} ${ms.max.toFixed(2).padStart(7)}\n`,
  );
  return `engine     phase    cancels  stopped after p50     p99     max (ms)\n${rows.join("")}`;
}

function drawnEngine(report: EngineReport): string {
  const { kv_reuse: kv } = report;
  const side = (name: string, one: EngineReport["kv_reuse"]["cold"]) =>
    `  ${name}   first text p50 ${one.first_text_ms.p50} p95 ${one.first_text_ms.p95} ms, 24 tokens p50 ${one.total_ms.p50} p95 ${one.total_ms.p95} ms, ${one.recomputed_tokens} tokens computed\n`;
  return `${report.engine} engine, ${report.model}
prompt   ${report.prefill_tokens_per_second.p50} tokens/s (p50)
decode   ${report.decode_tokens_per_second.p50} tokens/s (p50)
KV reuse, prompt of ${kv.prompt_tokens} tokens
${side("cold", kv.cold)}${side("warm", kv.warm)}
${drawnCancels(report.abort)}`;
}

function drawnSpeculation(report: SpeculationReport): string {
  const head = ["", "tokens/s plain", ...Object.keys(report.tokens_per_block), "auto of best fixed"];
  const row = (name: string, one: SpeculationReport["raw"]) =>
    one && [
      name,
      String(one.plain_tokens_per_second),
      ...Object.keys(report.tokens_per_block).map((way) => (one.ratios[way] ?? 0).toFixed(2)),
      one.auto_of_best_fixed.toFixed(2),
    ];
  const steady = (name: string, one: SpeculationReport["raw"]) =>
    one && [
      name,
      "",
      ...Object.keys(report.tokens_per_block).map((way) => (one.steady.ratios[way] ?? 0).toFixed(2)),
      one.steady.auto_of_best_fixed.toFixed(2),
    ];
  const rows = [
    head,
    row("as it is", report.raw),
    steady("  by processor time", report.raw),
    ...Object.entries(report.paced).flatMap(([ms, one]) => [row(`paced ${ms} ms*`, one), steady("  by passes", one)]),
    ["accepted", "", ...Object.values(report.acceptance).map((share) => share.toFixed(2)), ""],
    ["tokens a block", "", ...Object.values(report.tokens_per_block).map((count) => count.toFixed(2)), ""],
  ].filter((cells) => cells !== undefined);
  const widths = head.map((_, i) => Math.max(...rows.map((cells) => cells[i]?.length ?? 0)));
  const lines = rows.map((cells) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  "),
  );
  const ties = report.near_ties.map(
    (one) => `  ${one.place} ${one.way} at ${one.pace_ms} ms: gap ${one.top_two_gap}${one.identical ? "" : ", NO TIE"}`,
  );
  return `Throughput over plain decoding, ${report.spans} spans of ${report.packages.length} packages that were not trained on${report.interrupted ? " (interrupted)" : ""}

${lines.join("\n")}

* emulated: real tokens and acceptance, each target pass padded to this time and each draft pass to 12 % of it
"by": what a busy machine does not change; the engine's processor time, and passes counted as if none had been late
identical to plain decoding: ${report.identical} of ${report.spans} spans${ties.length === 0 ? "" : `, near ties (top two within ${report.epsilon_logits} logits) listed:\n${ties.join("\n")}`}
verify of n tokens, ms: ${Object.entries(report.cost_table.verify_ms)
    .map(([n, ms]) => `${n}: ${ms}`)
    .join(", ")}; a draft pass: ${report.cost_table.draft_ms}
packages: ${report.packages.join(", ")}
`;
}
