// bench-layout: `slipstream bench layout`: prompt tokens that a key costs, by the form of the family and the rules of the layout.
import { join } from "node:path";
import { longSources } from "../bench/keys/sources.ts";
import { benchLayout, forms, type LayoutAblation, type LayoutReport, layoutAblations } from "../bench/layout/layout.ts";
import { systemClock } from "../lib/clock.ts";
import { packageRoot } from "../lib/package-root.ts";
import type { Command } from "./command.ts";
import { interruption, listOf, oneOf, options, refuseWords, whole } from "./options.ts";

const names = Object.keys(layoutAblations) as LayoutAblation[];
const engines = ["pretend", "embedded"] as const;

const help = `Usage: slipstream bench layout [OPTIONS]

Source files of this package are typed again, key by key, in an editor that closes brackets, with four other documents open.
Each key's prompt goes through the router's own rooms to an engine, which says how many of its tokens it had to compute;
then the same with one rule of the layout off at a time. docs/operations/prompts.md says what each figure means.

Options:
  --engine NAME    pretend: blocks of 16 tokens, counted; embedded: the built-in model, as it computed them
                   (default pretend)
  --documents N    documents that are typed in, 1 to 60 (default 12)
  --keys N         keys in each (default 600)
  --forms LIST     ${forms.join(", ")} (default both)
  --off LIST       (default ${names.join(",")};
                   with --engine embedded: as_shipped)
  --seed N         (default 1)
  --model PATH     another model file than the built-in one
  --json           one JSON object instead of a table

Examples:
  slipstream bench layout
  slipstream bench layout --engine embedded --documents 4 --keys 300
`;

export const benchLayoutCommand: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    json: { type: "boolean", default: false },
    engine: { type: "string", default: "pretend" },
    documents: { type: "string", default: "12" },
    keys: { type: "string", default: "600" },
    forms: { type: "string", default: forms.join(",") },
    off: { type: "string" },
    seed: { type: "string", default: "1" },
    model: { type: "string" },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  refuseWords(positionals);
  const engine = oneOf("engine", values.engine, engines);
  const all = longSources();
  const documents = Math.min(all.length, whole("documents", values.documents, 1, 60));
  const off = values.off ?? (engine === "embedded" ? "as_shipped" : names.join(","));
  const report = await benchLayout(
    {
      engine,
      seed: whole("seed", values.seed, 0, 1e6),
      // Spread over the package, not the first folder alone.
      sources: Array.from({ length: documents }, (_, i) => all[Math.floor((i * all.length) / documents)]).filter(
        (source) => source !== undefined,
      ),
      keysPerSource: whole("keys", values.keys, 2, 100_000),
      forms: listOf("forms", values.forms, forms),
      ablations: listOf("off", off, names),
      modelPath: values.model === undefined ? join(packageRoot(), "models/slipstream-fim-13m-q8_0.gguf") : String(values.model),
    },
    { clock: systemClock, say: io.complain, signal: interruption(io) },
  );
  io.out(values.json ? `${JSON.stringify(report)}\n` : tableOf(report));
  return 0;
};

function tableOf({ engine, block_tokens, sources, rows }: LayoutReport): string {
  const head = ["form", "off", "keys", "prompt", "context", "mean", "p50", "p95", "p99", "expected"];
  const cells = rows.map(({ form, off, keys, prompt_tokens, context_bytes, recomputed_tokens, expected_within_a_block_share }) => [
    ...[form, off, String(keys), String(prompt_tokens), `${context_bytes} B`, recomputed_tokens.mean.toFixed(1)],
    ...[recomputed_tokens.p50, recomputed_tokens.p95, recomputed_tokens.p99].map(String),
    `${(100 * expected_within_a_block_share).toFixed(1)} %`,
  ]);
  const widths = head.map((_, i) => Math.max(...[head, ...cells].map((row) => row[i]?.length ?? 0)));
  const lines = [head, ...cells].map((row) =>
    row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  "),
  );
  return `Prompt tokens that a key costs, ${sources} documents typed in, ${engine} engine, blocks of ${block_tokens} tokens
(expected: share of keys whose cost the router knew within a block before it asked)

${lines.join("\n")}
`;
}
