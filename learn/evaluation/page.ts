// page: a report in, one HTML page without anything from elsewhere out: each figure with its interval, drawn.
import type { CurvePoint } from "./confidence.ts";
import type { Playground } from "./playing.ts";
import type { Figures, Slice } from "./report.ts";
import type { Interval } from "./statistics.ts";

export interface Report {
  readonly set: string;
  readonly spans: number;
  readonly missing: number;
  readonly complete: boolean;
  /** What each system is. */
  readonly weights: Readonly<Record<string, string>>;
  readonly slices?: readonly Slice[];
  readonly confidence?: readonly CurvePoint[];
  readonly playground?: Playground;
}

const colours = ["#1f6feb", "#8250df", "#9a6700", "#57606a", "#bc4c00"];
const escaped = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");
const percent = (value: number) => (Number.isNaN(value) ? "–" : `${(100 * value).toFixed(1)} %`);

export function pageOf(report: Report): string {
  const systems = Object.keys(report.weights);
  const parts = [
    report.slices ? figures(report.slices, systems) : "",
    report.slices ? differences(report.slices) : "",
    report.confidence && report.confidence.length > 0 ? curve(report.confidence) : "",
    report.playground ? situations(report.playground) : "",
  ];
  const left = report.missing > 0 ? `, ${report.missing} left out because their code is not on this machine` : "";
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Evaluation: ${escaped(report.set)}</title>
<style>${style}</style>
<h1>Evaluation: ${escaped(report.set)}</h1>
<p>${report.spans} spans${left}${report.complete ? "" : "; <b>interrupted, not all were asked</b>"}. Bars are 95 % intervals.</p>
<p>${systems.map((name, i) => `<span class="key"><i style="background:${colours[i]}"></i>${escaped(name)} <small>${escaped(report.weights[name] ?? "")}</small></span>`).join(" ")}</p>
${parts.join("\n")}
</html>
`;
}

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2rem auto;padding:0 1rem;color:#1f2328;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}small{color:#57606a}.key{margin-right:1.2rem;white-space:nowrap}
.key i{display:inline-block;width:.8em;height:.8em;border-radius:50%;margin-right:.4em}.plots{display:flex;flex-wrap:wrap;gap:1rem}
svg text{font:12px system-ui,sans-serif;fill:#1f2328}svg .faint{fill:#57606a}svg line.grid{stroke:#d0d7de}
table{border-collapse:collapse}td,th{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #d0d7de}
td:first-child,th:first-child{text-align:left}.yes{color:#1a7f37}.no{color:#cf222e}`;

/** Of each slice that is no pair, a row; of each system, a dot with its interval. */
function figures(slices: readonly Slice[], systems: readonly string[]): string {
  const whole = slices.filter(({ slice }) => !slice.includes("/"));
  const plot = (title: string, of: (figures: Figures) => Interval) => {
    const most = Math.max(...whole.flatMap((slice) => systems.map((name) => of(slice.systems[name] as Figures).high)));
    // Four steps of the grid that are whole numbers.
    const scale = Math.min(1, Math.ceil(most * 5) / 5);
    return `<div><h2>${title}</h2>${forest(whole, systems, of, scale)}</div>`;
  };
  return `<div class="plots">${plot("Exact first line", ({ exact }) => exact)}${plot("Edit similarity", ({ similarity }) => similarity)}${plot("Parses with the text", ({ parses }) => parses)}${plot("Ends where it should", ({ stops }) => stops)}</div>`;
}

const [labels, width, step] = [96, 380, 11];

function forest(slices: readonly Slice[], systems: readonly string[], of: (figures: Figures) => Interval, scale: number): string {
  const rowHeight = systems.length * step + 12;
  const x = (value: number) => (labels + (Math.min(value, scale) / scale) * width).toFixed(1);
  const height = slices.length * rowHeight + 24;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => part * scale);
  const rows = slices.map(({ slice, systems: figuresOf }, row) => {
    const marks = systems.map((name, i) => {
      const { value, low, high } = of(figuresOf[name] as Figures);
      if (Number.isNaN(value)) return "";
      const y = row * rowHeight + 12 + i * step;
      const title = `<title>${escaped(slice)}, ${escaped(name)}: ${percent(value)} (${percent(low)} to ${percent(high)})</title>`;
      return `<g stroke="${colours[i]}" fill="${colours[i]}">${title}<line x1="${x(low)}" x2="${x(high)}" y1="${y}" y2="${y}" stroke-width="3" stroke-opacity=".45"/><circle cx="${x(value)}" cy="${y}" r="4" stroke="none"/></g>`;
    });
    return `<text x="0" y="${row * rowHeight + rowHeight / 2 + 4}">${escaped(slice)}</text>${marks.join("")}`;
  });
  const lines = grid.map(
    (value) =>
      `<line class="grid" x1="${x(value)}" x2="${x(value)}" y1="2" y2="${height - 20}"/><text class="faint" x="${x(value)}" y="${height - 4}" text-anchor="middle">${Math.round(100 * value)} %</text>`,
  );
  return `<svg width="${labels + width + 24}" height="${height}" role="img">${lines.join("")}${rows.join("")}</svg>`;
}

function differences(slices: readonly Slice[]): string {
  const signed = ({ value, low, high }: Interval) =>
    `<b class="${low > 0 ? "yes" : high < 0 ? "no" : ""}">${(100 * value).toFixed(1)}</b> <small>${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}</small>`;
  const rows = slices
    .filter(({ slice }) => !slice.includes("/"))
    .flatMap(({ slice, differences: all }) =>
      all.map(
        ({ against, exact, similarity }) =>
          `<tr><td>${escaped(slice)}</td><td>${escaped(against)}</td><td>${signed(exact)}</td><td>${signed(similarity)}</td></tr>`,
      ),
    );
  return `<h2>By how much the model is better, in points, on the same spans</h2>
<table><tr><th>slice</th><th>than</th><th>exact first line</th><th>edit similarity</th></tr>${rows.join("")}</table>`;
}

/** What a threshold on confidence would show, and how much of it would be right. */
function curve(points: readonly CurvePoint[]): string {
  const [wide, high, left] = [480, 220, 44];
  const x = (value: number) => (left + value * wide).toFixed(1);
  const y = (value: number) => (10 + (1 - value) * high).toFixed(1);
  const path = (value: (point: CurvePoint) => number, colour: string, name: string) => {
    const known = points.filter((point) => !Number.isNaN(value(point)));
    const drawn = known.map((point) => `${x(point.min)},${y(value(point))}`).join(" ");
    return `<polyline points="${drawn}" fill="none" stroke="${colour}" stroke-width="2"><title>${name}</title></polyline>`;
  };
  const names = ["shown, of all texts", "shown, of those that are right", "right, of those shown"];
  const values = [(p: CurvePoint) => p.shown, (p: CurvePoint) => p.recall.value, (p: CurvePoint) => p.precision.value];
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (value) =>
      `<line class="grid" x1="${left}" x2="${left + wide}" y1="${y(value)}" y2="${y(value)}"/><text class="faint" x="${left - 6}" y="${Number(y(value)) + 4}" text-anchor="end">${100 * value} %</text><text class="faint" x="${x(value)}" y="${high + 28}" text-anchor="middle">${value}</text>`,
  );
  return `<h2>If text below a confidence were not shown</h2>
<p>${names.map((name, i) => `<span class="key"><i style="background:${colours[i]}"></i>${name}</span>`).join(" ")}</p>
<svg width="${left + wide + 20}" height="${high + 36}" role="img">${grid.join("")}${values.map((value, i) => path(value, colours[i] ?? "", names[i] ?? "")).join("")}</svg>`;
}

function situations({ systems, situations: all }: Playground): string {
  const names = Object.keys(systems);
  const cell = (marks: string) =>
    marks.includes("A") ? '<td class="yes">right</td>' : `<td><small>${marks === "ps-" ? "plausible" : "no"}</small></td>`;
  const rows = all.map(
    ({ id, marks }) => `<tr><td>${escaped(id)}</td>${names.map((name) => cell(marks[name] ?? "")).join("")}</tr>`,
  );
  const sum = (label: string, of: (name: string) => number) =>
    `<tr><th>${label}</th>${names.map((name) => `<th>${of(name)} of ${systems[name]?.situations ?? 0}</th>`).join("")}</tr>`;
  return `<h2>Thirty situations</h2><p><small>right: one of the accepted answers · plausible: parses and uses only names in scope</small></p>
<table><tr><th></th>${names.map((name) => `<th>${escaped(name)}</th>`).join("")}</tr>${rows.join("")}
${sum("parses", (name) => systems[name]?.parses ?? 0)}${sum("only names in scope", (name) => systems[name]?.in_scope ?? 0)}${sum("an accepted answer", (name) => systems[name]?.accepted ?? 0)}</table>`;
}
