// table: a report's slices in, lines for a terminal out.
import { type CurvePoint, leastConfidence } from "./confidence.ts";
import type { Playground } from "./playing.ts";
import type { Figures, Slice } from "./report.ts";
import type { Interval } from "./statistics.ts";

const percent = (value: number) => (Number.isNaN(value) ? "–" : (100 * value).toFixed(1));
const range = ({ value, low, high }: Interval) => `${percent(value)} (${percent(low)}–${percent(high)})`;
const signed = ({ value, low, high }: Interval) => {
  const plus = (number: number) => `${number >= 0 ? "+" : "−"}${percent(Math.abs(number))}`;
  return `${plus(value)} (${plus(low)} to ${plus(high)})`;
};

const columns: readonly (readonly [string, number, (figures: Figures) => string])[] = [
  ["spans", 6, ({ spans }) => String(spans)],
  ["exact first line %", 21, ({ exact }) => range(exact)],
  ["edit similarity %", 21, ({ similarity }) => range(similarity)],
  ["parses %", 10, ({ parses }) => percent(parses.value)],
  ["stops %", 9, ({ stops }) => percent(stops.value)],
  ["over %", 8, ({ over }) => percent(over.value)],
  ["repeats %", 11, ({ duplicate }) => percent(duplicate.value)],
  ["empty %", 9, ({ empty }) => percent(empty.value)],
  ["ms p50/p95", 13, ({ total_ms: { p50, p95 } }) => `${p50.toFixed(0)}/${p95.toFixed(0)}`],
];

export function tableOf(slices: readonly Slice[]): string {
  const head = `${"slice".padEnd(24)}${"system".padEnd(10)}${columns.map(([name, width]) => name.padStart(width)).join("")}\n`;
  const body = slices.flatMap(({ slice, systems, differences }) => [
    ...Object.entries(systems).map(
      ([system, figures], i) =>
        `${(i === 0 ? slice : "").padEnd(24)}${system.padEnd(10)}${columns.map(([, width, cell]) => cell(figures).padStart(width)).join("")}\n`,
    ),
    ...(slice.includes("/")
      ? []
      : differences.map(
          ({ against, exact, similarity }) =>
            `${"".padEnd(24)}better than ${against.padEnd(9)} exact ${signed(exact)}, similarity ${signed(similarity)} points\n`,
        )),
  ]);
  return `${head}${body.join("")}`;
}

export function playgroundTable({ systems, situations }: Playground): string {
  const names = Object.keys(systems);
  const head = `${"".padEnd(24)}${names.map((name) => name.padStart(12)).join("")}\n`;
  const count = (what: "parses" | "in_scope" | "accepted", label: string) =>
    `${label.padEnd(24)}${names.map((name) => `${systems[name]?.[what] ?? 0}/${systems[name]?.situations ?? 0}`.padStart(12)).join("")}\n`;
  const each = situations.map(
    ({ id, marks }) => `${id.padEnd(24)}${names.map((name) => (marks[name] ?? "").padStart(12)).join("")}\n`,
  );
  return `${head}${each.join("")}${count("parses", "parses")}${count("in_scope", "only names in scope")}${count("accepted", "an accepted answer")}
p parses, s only names in scope, A an accepted answer\n`;
}

export function confidenceTable(curve: readonly CurvePoint[]): string {
  if (curve.length === 0) return "";
  const rows = curve.map(
    ({ min, shown, precision, recall, similarity_shown: above, similarity_held: below }) =>
      `${min.toFixed(2).padStart(10)}${percent(shown).padStart(9)}${range(precision).padStart(24)}${range(recall).padStart(24)}${percent(above).padStart(18)}${percent(below).padStart(17)}\n`,
  );
  return `confidence  shown %   right of those shown %  shown of those right %  similarity shown  similarity held\n${rows.join("")}\n${leastConfidence(curve)} is the highest that still shows 95 % of the texts that are right (SLIPSTREAM_ROUTER_CONFIDENCE_MIN)\n`;
}
