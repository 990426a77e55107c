// report: what was measured in, the JSON of `slipstream bench peers --json` and the same as tables for a person out.
import { type Figures, overRounds } from "./fleet.ts";
import { peers } from "./peer-table.ts";
import type { PeersOptions, PeersReport } from "./peers.ts";
import { nameOf, type Round } from "./rounds.ts";
import type { Side } from "./sides.ts";

/** Of the valid rounds; of all, where none is. */
function rowFigures(rounds: readonly Round[]): Figures {
  const valid = rounds.filter(({ valid }) => valid);
  return overRounds((valid.length > 0 ? valid : rounds).map(({ figures }) => figures));
}

/** Names and shape are the interface: scripts read them. */
export function jsonOf({ cells, missing, programs }: PeersReport, options: PeersOptions) {
  return {
    trace: "sources of installed packages typed again, bursts of 12 keys at 239 ms, pauses of 2 s (sim/trace/parameters.ts)",
    seed: options.seed,
    dilation: options.dilation,
    profiles: cells.map(({ cell, rounds }) => ({ ...cell, rows: [...rounds].map(([side, of]) => rowOf(side, of)) })),
    cost: [],
    settings: Object.fromEntries(Object.entries(peers).map(([name, { settings }]) => [name, settings])),
    versions: programs,
    missing,
    invalid: cells.flatMap(({ cell, rounds }) =>
      [...rounds].flatMap(([side, of]) =>
        of.flatMap(({ valid, busy }, nth) => (valid ? [] : [{ ...cell, ...side, round: nth + 1, machine_busy: busy }])),
      ),
    ),
  };
}

function rowOf({ name, editor }: Side, rounds: readonly Round[]) {
  const { p50_ms, p95_ms, p99_ms, fresh_per_key, recomputed_tokens_per_key, waste_share, triggers } = rowFigures(rounds);
  return {
    ...{ name, editor, p50_ms, p95_ms, p99_ms, fresh_per_key, recomputed_tokens_per_key, waste_share },
    developers_per_gpu: null as number | null,
    triggers,
  };
}

const columns: readonly (readonly [string, (figures: Figures) => string])[] = [
  ["p50 ms", ({ p50_ms }) => p50_ms.toFixed(0)],
  ["p95", ({ p95_ms }) => p95_ms.toFixed(0)],
  ["p99", ({ p99_ms }) => p99_ms.toFixed(0)],
  ["fresh/key", ({ fresh_per_key }) => fresh_per_key.toFixed(2)],
  ["typed along/key", ({ along_per_key }) => along_per_key.toFixed(2)],
  ["not asked/key", ({ unasked_per_key, gated_per_key }) => (unasked_per_key + gated_per_key).toFixed(2)],
  ["recomputed/key", ({ recomputed_tokens_per_key }) => recomputed_tokens_per_key.toFixed(0)],
  ["waste %", ({ waste_share }) => (100 * waste_share).toFixed(0)],
  ["slots used %", ({ load_share }) => (100 * load_share).toFixed(0)],
  ["triggers", ({ triggers }) => String(triggers)],
];

export function tableOf({ cells, missing, programs }: PeersReport, options: PeersOptions): string {
  const parts = cells.map(({ cell, rounds }) => {
    const rows = [...rounds].map(([side, of]) => {
      const bad = of.filter(({ valid }) => !valid).length;
      return [
        `${nameOf(side)}${bad > 0 ? ` (${bad} of ${of.length} rounds not valid)` : ""}`,
        ...columns.map(([, show]) => show(rowFigures(of))),
      ];
    });
    return `${cell.profile}, ${cell.end} end, the model knows ${100 * cell.agreement} % of lines\n\n${grid([["", ...columns.map(([name]) => name)], ...rows])}\n`;
  });
  const settings = Object.entries(peers).map(([name, { settings }]) => [name, programs[name] ?? "", settings]);
  return `${options.people} typists, ${options.workers} workers of ${options.slots} slots, seed ${options.seed}, ${options.rounds} rounds of ${options.seconds} s; time goes ${options.dilation} times as slowly for all

${parts.join("\n")}
Settings
${grid(settings, [])}
${missing.map(({ name, why }) => `${name}: ${why}\n`).join("")}`;
}

function grid(rows: readonly (readonly string[])[], right: readonly number[] | undefined = undefined): string {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  const pads = (i: number) => (right ? right.includes(i) : i > 0);
  return rows
    .map((row) =>
      row
        .map((cell, i) => (pads(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
