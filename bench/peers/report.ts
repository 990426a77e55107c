// report: what was measured in, the JSON of `slipstream bench peers --json` and the same as tables for a person out.
import { type Figures, overRounds } from "./fleet.ts";
import { sentenceOf } from "./headline.ts";
import { peers } from "./peer-table.ts";
import type { CellReport, PeersOptions, PeersReport } from "./peers.ts";
import { nameOf, type Round } from "./rounds.ts";
import type { Side } from "./sides.ts";

/** What is measured; what virtual time tells, where nothing was. Of the valid rounds; of all, where none is. */
export function figuresOfSide({ rounds, predicted }: CellReport, side: Side): Figures | undefined {
  const all = rounds.get(side) ?? [];
  const valid = all.filter(({ valid }) => valid);
  if (all.length > 0) return overRounds((valid.length > 0 ? valid : all).map(({ figures }) => figures));
  return predicted.get(side);
}

/** Names and shape are the interface: scripts read them. */
export function jsonOf(report: PeersReport, options: PeersOptions) {
  const { cells, cost, missing, programs, ablation } = report;
  return {
    trace: "sources of installed packages typed again, bursts of 12 keys at 239 ms, pauses of 2 s (sim/trace/parameters.ts)",
    seed: options.seed,
    dilation: options.dilation,
    profiles: cells.map((of) => ({ ...of.cell, time: timeOf(of), rows: of.sides.flatMap((side) => rowOf(of, side)) })),
    cost: [...cost].map(([name, { busy: _, ...of }]) => ({ name, ...of })),
    headlines: cells.map(({ cell, headlines }) => ({ ...cell, rows: headlines })),
    ablation: ablation && { ...ablation.cell, developers_per_gpu: developersOf(ablation.rows) },
    check: cells.flatMap(checkOf),
    machine_busy_max: Math.max(0, ...cells.flatMap(({ rounds }) => [...rounds.values()].flat().map(({ busy }) => busy))),
    settings: Object.fromEntries(Object.entries(peers).map(([name, { settings }]) => [name, settings])),
    versions: programs,
    of_other_versions: report.others,
    missing,
    invalid: cells.flatMap(invalidOf),
  };
}

const timeOf = ({ rounds }: CellReport) => (rounds.size > 0 ? "dilated" : "virtual");
const developersOf = (rows: NonNullable<PeersReport["ablation"]>["rows"]) =>
  Object.fromEntries(Object.entries(rows).map(([name, { developers_per_gpu }]) => [name, developers_per_gpu]));

function rowOf(of: CellReport, side: Side) {
  const figures = figuresOfSide(of, side);
  if (!figures) return [];
  const { p50_ms, p95_ms, p99_ms, fresh_per_key, recomputed_tokens_per_key, waste_share, triggers } = figures;
  const band = of.developers.get(side);
  const row = { ...side, p50_ms, p95_ms, p99_ms, fresh_per_key, recomputed_tokens_per_key, waste_share };
  return [
    {
      ...{ ...row, developers_per_gpu: band?.developers_per_gpu ?? null, triggers },
      ...{ typed_along_per_key: figures.along_per_key, not_asked_per_key: figures.unasked_per_key + figures.gated_per_key },
      ...(band && { developers_per_gpu_band: [band.low, band.high] }),
    },
  ];
}

/** Virtual time beside what was measured, with the same crowd. */
export function checkOf(of: CellReport) {
  return [...of.rounds.keys()].flatMap((side) => {
    const [measured, predicted] = [figuresOfSide(of, side), of.predicted.get(side)];
    if (!measured || !predicted) return [];
    const error = (name: "p50_ms" | "p95_ms" | "fresh_per_key" | "recomputed_tokens_per_key") =>
      measured[name] === 0 ? null : Math.round((predicted[name] / measured[name] - 1) * 1_000) / 1_000;
    return [
      {
        ...{
          ...of.cell,
          ...side,
          predicted_p50_ms: predicted.p50_ms,
          measured_p50_ms: measured.p50_ms,
          error_p50: error("p50_ms"),
        },
        ...{ predicted_p95_ms: predicted.p95_ms, measured_p95_ms: measured.p95_ms, error_p95: error("p95_ms") },
        ...{ error_fresh_per_key: error("fresh_per_key"), error_recomputed: error("recomputed_tokens_per_key") },
      },
    ];
  });
}

/** Of p95, in words: median of the sides and the worst. */
export function errorsOf(check: ReturnType<typeof checkOf>): string {
  const errors = check.map(({ error_p95 }) => Math.abs(error_p95 ?? 0)).sort((a, b) => a - b);
  const percent = (value = 0) => `${(100 * value).toFixed(0)} %`;
  return `${percent(errors[errors.length >> 1])} of what was measured in the median of sides, ${percent(errors.at(-1))} at worst`;
}

const invalidOf = ({ cell, rounds }: CellReport) =>
  [...rounds].flatMap(([side, of]: readonly [Side, readonly Round[]]) =>
    of.flatMap(({ valid, busy }, nth) => (valid ? [] : [{ ...cell, ...side, round: nth + 1, machine_busy: busy }])),
  );

const columns: readonly (readonly [string, (figures: Figures) => string])[] = [
  ["p50 ms", ({ p50_ms }) => p50_ms.toFixed(0)],
  ["p95", ({ p95_ms }) => p95_ms.toFixed(0)],
  ["p99", ({ p99_ms }) => p99_ms.toFixed(0)],
  ["fresh/key", ({ fresh_per_key }) => fresh_per_key.toFixed(2)],
  ["typed along/key", ({ along_per_key }) => along_per_key.toFixed(2)],
  ["not asked/key", ({ unasked_per_key, gated_per_key }) => (unasked_per_key + gated_per_key).toFixed(2)],
  ["recomputed/key", ({ recomputed_tokens_per_key }) => recomputed_tokens_per_key.toFixed(0)],
  ["waste %", ({ waste_share }) => (100 * waste_share).toFixed(0)],
  ["triggers", ({ triggers }) => String(triggers)],
];

export function tableOf(report: PeersReport, options: PeersOptions): string {
  const { cells, missing, programs, cost, ablation } = report;
  const settings = Object.entries(peers).map(([name, { settings }]) => [name, programs[name] ?? "", settings]);
  return [
    `${options.people} typists before ${options.workers} workers of ${options.slots} slots, seed ${options.seed}; measured: ${options.rounds} rounds of ${options.seconds} s, in which time goes ${options.dilation} times as slowly for all\n`,
    ...cells.map(cellTable),
    ...(ablation
      ? [`Developers a GPU with one thing off, ${titleOf(ablation.cell)}\n\n${grid(ablationRows(ablation.rows))}\n`]
      : []),
    ...(cost.size > 0 ? [`A generation of 16 streamed tokens\n\n${grid(costRows(cost))}\n`] : []),
    `Settings\n\n${grid(settings, [])}\n`,
    ...missing.map(({ name, why }) => `${name}: ${why}\n`),
  ].join("\n");
}

export const titleOf = ({ profile, end, agreement }: CellReport["cell"]) =>
  `${profile}, ${end} end, the model knows ${Math.round(100 * agreement)} % of lines`;

function cellTable(of: CellReport): string {
  const rows = of.sides.flatMap((side) => {
    const figures = figuresOfSide(of, side);
    if (!figures) return [];
    const all = of.rounds.get(side) ?? [];
    const bad = all.filter(({ valid }) => !valid).length;
    const band = of.developers.get(side);
    const developers = band ? `${band.developers_per_gpu}${band.high > band.low ? ` (${band.low}–${band.high})` : ""}` : "";
    const marked = bad > 0 ? ` (${bad} of ${all.length} rounds not valid)` : "";
    return [[`${nameOf(side)}${marked}`, developers, ...columns.map(([, show]) => show(figures))]];
  });
  const check = checkOf(of);
  return [
    `${titleOf(of.cell)} (${timeOf(of)} time)\n`,
    `${grid([["", "developers/GPU", ...columns.map(([name]) => name)], ...rows])}\n`,
    ...of.headlines.map((each) => `${sentenceOf(each)}\n`),
    ...(check.length > 0 ? [`virtual time told p95 within ${errorsOf(check)}\n`] : []),
  ].join("\n");
}

const ablationRows = (rows: NonNullable<PeersReport["ablation"]>["rows"]) => [
  ["", "developers/GPU", "typed along/key"],
  ...Object.entries(rows).map(([name, { developers_per_gpu: of, figures }]) => [
    name,
    String(of),
    figures ? figures.along_per_key.toFixed(2) : "",
  ]),
];

const costRows = (cost: PeersReport["cost"]) => [
  ["", "CPU ms", "added p50 ms", "p99", "RSS MiB", "key asked"],
  ...[...cost].map(([name, of]) => [
    ...[name, of.cpu_ms_per_generation.toFixed(2), of.added_p50_ms.toFixed(2), of.added_p99_ms.toFixed(2)],
    ...[of.rss_mib.toFixed(0), of.auth ? "yes" : "no"],
  ]),
];

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
