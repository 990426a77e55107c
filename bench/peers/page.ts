// page: what was measured in, one HTML file out that needs nothing else: tables, and bars on axes that begin at zero. Follows the
// reader's light or dark. Text is escaped: names come from tables of ours, reasons from programs of others.
import { sentenceOf } from "./headline.ts";
import { peers } from "./peer-table.ts";
import type { CellReport, PeersOptions, PeersReport } from "./peers.ts";
import { checkOf, errorsOf, figuresOfSide, titleOf } from "./report.ts";
import { nameOf } from "./rounds.ts";
import { goalMs } from "./scores.ts";

export function pageOf(report: PeersReport, options: PeersOptions): string {
  const { cells, cost, ablation, missing, programs } = report;
  const { people, workers, slots, seed, rounds, seconds, dilation, gpus } = options;
  const parts = [
    ...cells.map(cellPart),
    ...(ablation
      ? [
          `<section><h2>With one mechanism off</h2><p>${escaped(titleOf(ablation.cell))}: developers a GPU of our router.</p>${bars(
            {
              unit: "developers a GPU",
              bars: Object.entries(ablation.rows).map(([name, { developers_per_gpu: value }]) => ({ name, value, ours: true })),
            },
          )}</section>`,
        ]
      : []),
    ...(cost.size > 0 ? [costPart(cost)] : []),
    `<section><h2>Settings</h2>${table(
      ["peer", "version", "settings"],
      Object.entries(peers).map(([name, { settings }]) => [name, programs[name] ?? "", settings]),
    )}${missing.map(({ name, why }) => `<p>${escaped(`${name}: ${why}`)}</p>`).join("")}</section>`,
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>slipstream bench peers</title><style>${style}</style></head><body><main>
<h1>Routers side by side</h1>
<p>Measured: ${people} typists before ${workers} pretend GPUs of ${slots} slots, the same keys for all, ${rounds} rounds of ${seconds} s that take turns; GPUs and typists go ${dilation} times as slowly as real ones, the same for all (seed ${seed}). Developers a GPU: by virtual time, the largest crowd over ${gpus} GPUs whose triggers have text that is of use within ${goalMs} ms at p95. Profiles of GPUs are estimates; docs/operations/bench-peers.md defines every figure.</p>
${parts.join("\n")}
</main></body></html>
`;
}

function cellPart(of: CellReport): string {
  const rows = of.sides.flatMap((side) => {
    const figures = figuresOfSide(of, side);
    return figures ? [{ side, figures, band: of.developers.get(side), ours: side.name === "slipstream" }] : [];
  });
  const developers = rows.flatMap(({ side, band, ours }) =>
    band ? [{ name: nameOf(side), value: band.developers_per_gpu, ours, low: band.low, high: band.high }] : [],
  );
  const latency = rows.map(({ side, figures, ours }) => ({
    name: nameOf(side),
    value: figures.p95_ms,
    inner: figures.p50_ms,
    ours,
  }));
  const along = rows.map(({ side, figures, ours }) => ({ name: nameOf(side), value: figures.along_per_key, ours }));
  const waste = rows.map(({ side, figures, ours }) => ({ name: nameOf(side), value: 100 * figures.waste_share, ours }));
  const time = of.rounds.size > 0 ? "measured" : "by virtual time";
  return `<section><h2>${escaped(titleOf(of.cell))}</h2>
${of.headlines.map((each) => `<p class="head">${escaped(sentenceOf(each))}</p>`).join("")}${validity(of)}
${developers.length > 0 ? `<h3>Developers a GPU (by virtual time)</h3>${bars({ unit: "developers a GPU", bars: developers })}` : ""}
<h3>Text that is of use, ms from the trigger: p95, and p50 in it (${time})</h3>${bars({ unit: "ms", bars: latency, line: goalMs })}
<h3>Keys typed along text that stood there, of all (${time})</h3>${bars({ unit: "of all keys", bars: along })}
<h3>Tokens computed for nobody, of all (${time})</h3>${bars({ unit: "%", bars: waste })}
${table(
  ["", "p50 ms", "p95 ms", "p99 ms", "fresh/key", "not asked/key", "recomputed/key", "triggers"],
  rows.map(({ side, figures: each }) => [
    ...[nameOf(side), each.p50_ms.toFixed(1), each.p95_ms.toFixed(1), each.p99_ms.toFixed(1), each.fresh_per_key.toFixed(2)],
    ...[(each.unasked_per_key + each.gated_per_key).toFixed(2), each.recomputed_tokens_per_key.toFixed(1), String(each.triggers)],
  ]),
)}${checkPart(of)}</section>`;
}

/** What the machine's other programs spoiled is said where its figures stand. */
function validity({ rounds }: CellReport): string {
  const all = [...rounds.values()].flat();
  const bad = all.filter(({ valid }) => !valid).length;
  if (all.length === 0) return "";
  const most = Math.round(100 * Math.max(...all.map(({ busy }) => busy)));
  return bad === 0
    ? `<p>All ${all.length} rounds are valid: the machine was ${most} % busy at most.</p>`
    : `<p class="bad">${bad} of ${all.length} rounds are not valid, because the machine was too busy (${most} % at most): figures are of the valid ones, where a side has any.</p>`;
}

function checkPart(of: CellReport): string {
  const check = checkOf(of);
  if (check.length === 0) return "";
  return `<p>Virtual time told p95 within ${errorsOf(check)}.</p><details><summary>Virtual time beside what was measured</summary>${table(
    ["", "p50 told", "measured", "p95 told", "measured", "error of p95"],
    check.map((each) => [
      ...[`${each.name} / ${each.editor}`, String(each.predicted_p50_ms), String(each.measured_p50_ms)],
      ...[String(each.predicted_p95_ms), String(each.measured_p95_ms)],
      each.error_p95 === null ? "" : `${(100 * each.error_p95).toFixed(0)} %`,
    ]),
  )}</details>`;
}

function costPart(cost: PeersReport["cost"]): string {
  const of = [...cost].map(([name, each]) => ({ name, ours: name.startsWith("slipstream"), ...each }));
  return `<section><h2>What a router costs</h2><p>Generations of 16 streamed tokens in real time, rounds that take turns; a key is asked where it says so.</p>
<h3>CPU of a generation</h3>${bars({ unit: "ms", bars: of.map((each) => ({ ...each, value: each.cpu_ms_per_generation })) })}
<h3>Added to a generation: p99, and p50 in it</h3>${bars({ unit: "ms", bars: of.map((each) => ({ ...each, value: each.added_p99_ms, inner: each.added_p50_ms })) })}
${table(
  ["", "CPU ms", "added p50 ms", "p99 ms", "RSS MiB", "key asked"],
  of.map((each) => [
    ...[each.name, each.cpu_ms_per_generation.toFixed(2), each.added_p50_ms.toFixed(2), each.added_p99_ms.toFixed(2)],
    ...[each.rss_mib.toFixed(0), each.auth ? "yes" : "no"],
  ]),
)}</section>`;
}

interface Bar {
  readonly name: string;
  readonly value: number;
  readonly ours: boolean;
  /** A part of it that is shown inside. */
  readonly inner?: number;
  readonly low?: number;
  readonly high?: number;
}

const [nameWidth, plotWidth, barHeight] = [240, 560, 22];

/** Bars from zero; a `line` across where a goal is. */
function bars({ unit, bars: all, line }: { unit: string; bars: readonly Bar[]; line?: number }): string {
  const most = Math.max(line ?? 0, ...all.flatMap(({ value, high = 0 }) => [value, high]));
  const step = stepOf(most);
  const top = Math.max(step, Math.ceil(most / step) * step);
  const x = (value: number) => nameWidth + (plotWidth * Math.max(0, value)) / top;
  const height = all.length * barHeight;
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, nth) => nth * step);
  const drawn = all.map((bar, nth) => {
    const y = nth * barHeight;
    const kind = bar.ours ? "ours" : "peer";
    const text = bar.value.toFixed(bar.value < 10 ? 2 : 0);
    const inner =
      bar.inner === undefined
        ? ""
        : `<rect class="inner" x="${nameWidth}" y="${y + 8}" width="${x(bar.inner) - nameWidth}" height="6"/>`;
    const band =
      bar.low === undefined || bar.high === undefined || bar.low === bar.high
        ? ""
        : `<line class="band" x1="${x(bar.low)}" x2="${x(bar.high)}" y1="${y + 11}" y2="${y + 11}"/>`;
    return `<text class="name" x="${nameWidth - 8}" y="${y + 15}">${escaped(bar.name)}</text><rect class="${kind}" x="${nameWidth}" y="${y + 4}" width="${x(bar.value) - nameWidth}" height="14"/>${inner}${band}<text class="value" x="${Math.max(x(bar.value), x(bar.high ?? 0)) + 5}" y="${y + 15}">${text}</text>`;
  });
  const grid = ticks.map(
    (tick) =>
      `<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="0" y2="${height + 4}"/><text class="tick" x="${x(tick)}" y="${height + 18}">${Number(tick.toPrecision(6))}</text>`,
  );
  const goal = line === undefined ? "" : `<line class="goal" x1="${x(line)}" x2="${x(line)}" y1="0" y2="${height + 4}"/>`;
  return `<svg viewBox="0 0 ${nameWidth + plotWidth + 60} ${height + 38}" role="img" aria-label="${escaped(unit)}">${grid.join("")}${goal}${drawn.join("")}<text class="tick" x="${nameWidth + plotWidth / 2}" y="${height + 34}">${escaped(unit)}</text></svg>`;
}

/** 1, 2 or 5 of a power of ten, so that at most ten make the whole. */
function stepOf(most: number): number {
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most / 5));
  return ([1, 2, 5, 10].find((each) => most / (each * power) <= 10) ?? 10) * power;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[], tag: "th" | "td") =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join("")}</tr>`;
  return `<div class="scroll"><table><thead>${row(head, "th")}</thead><tbody>${rows.map((cells) => row(cells, "td")).join("")}</tbody></table></div>`;
}

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const style = `:root{color-scheme:light dark;--ink:#1c2128;--page:#fff;--soft:#d5dae1;--ours:#1f6feb;--peer:#8b949e;--inner:#ffffffb0;--goal:#c4302b}
@media(prefers-color-scheme:dark){:root{--ink:#e3e7ec;--page:#14181d;--soft:#39424d;--ours:#5aa2ff;--peer:#76808c;--inner:#000000a0;--goal:#ff7b72}}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}main{max-width:900px;margin:0 auto;padding:24px}
h1{font-size:26px}h2{font-size:20px;margin-top:40px;border-top:1px solid var(--soft);padding-top:16px}h3{font-size:15px;margin:24px 0 4px}
.head{margin:4px 0;font-weight:600}.bad{color:var(--goal)}svg{width:100%;height:auto;font:12px system-ui,sans-serif}svg text{fill:var(--ink)}.name{text-anchor:end}.value{paint-order:stroke;stroke:var(--page);stroke-width:4px;stroke-linejoin:round}.tick{text-anchor:middle;opacity:.75}
.grid{stroke:var(--soft)}.goal{stroke:var(--goal);stroke-width:2;stroke-dasharray:5 4}.ours{fill:var(--ours)}.peer{fill:var(--peer)}.inner{fill:var(--inner)}.band{stroke:var(--ink);stroke-width:3}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:13px;margin:12px 0}th,td{padding:3px 10px;border-bottom:1px solid var(--soft);text-align:right;vertical-align:top}th:first-child,td:first-child,td:last-child:not(:nth-child(n+4)){text-align:left}`;
