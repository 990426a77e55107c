// bench-tables: what the benches of bench.ts found, laid out for a person. Reports in, text out.
import type { Cancelled } from "../bench/cancel.ts";
import type { KeyCost } from "../bench/document.ts";
import type { EngineReport } from "../bench/engine.ts";
import type { SpeculationReport } from "../bench/speculation-report.ts";

export function drawnDocument(report: readonly KeyCost[]): string {
  const rows = report.map(
    ({ document_bytes, lines, context_tokens: window, hashed, cpu_us_per_key: us }) =>
      `${String(document_bytes).padStart(9)}  ${lines === "one" ? "one long" : "code    "}  ${String(window).padStart(6)}  ${hashed ? "each " : "none "} ${String(us.p50).padStart(8)} ${String(us.p95).padStart(7)}\n`,
  );
  return `    bytes  lines     window  hashes  CPU p50     p95 (µs a key)\n${rows.join("")}`;
}

export function drawnCancels(report: readonly Cancelled[]): string {
  const rows = report.map(
    ({ engine: name, phase, cancels: counted, stopped_ms: ms }) =>
      `${name.padEnd(11)}${phase.padEnd(9)}${String(counted).padStart(7)}  ${ms.p50.toFixed(2).padStart(17)} ${ms.p99.toFixed(2).padStart(7)} ${ms.max.toFixed(2).padStart(7)}\n`,
  );
  return `engine     phase    cancels  stopped after p50     p99     max (ms)\n${rows.join("")}`;
}

export function drawnEngine(report: EngineReport): string {
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

export function drawnSpeculation(report: SpeculationReport): string {
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
