// trace-inspect: a trace file in, what is in it out: as text, as JSON, and drawn.
import { writeFileSync } from "node:fs";
import { pageOf, tableOf } from "../bench/page/page.ts";
import { barsOf, linesOf } from "../bench/page/plot.ts";
import { figuresOf, type TraceFigures } from "../sim/trace/figures.ts";
import { openTrace } from "../sim/trace/read.ts";
import type { Io } from "./command.ts";

export async function inspect(
  path: string,
  { html, json }: { html?: string | undefined; json?: boolean },
  io: Io,
): Promise<number> {
  const figures = await figuresOf(await openTrace(path));
  if (html !== undefined) {
    writeFileSync(html, drawn(path, figures));
    io.complain(`${html}: drawn`);
  }
  io.out(json ? `${JSON.stringify(figures)}\n` : told(figures));
  return 0;
}

const counted = (table: Readonly<Record<string, number>>) =>
  Object.entries(table)
    .map(([name, count]) => `${name.replaceAll("_", " ")} ${count}`)
    .join(", ") || "none";

function told(figures: TraceFigures): string {
  const { documents, events, seconds, source, seed } = figures;
  const files = documents.map(
    ({ path, language, package: part, utf16, events: in_it }) =>
      `document  ${path} (${language || "plain text"}${part ? `, of ${part}` : ""}), ${utf16} UTF-16 units at the start, ${in_it} events\n`,
  );
  return `${files.join("")}source    ${source}${seed === undefined ? "" : `, seed ${seed}`}
events    ${events} in ${seconds.toFixed(1)} s (${(events / Math.max(seconds, 1e-3)).toFixed(2)} a second; ${figures.keys_per_second_typing} keys a second while typing)
triggers  ${counted(figures.triggers)}
edits     ${counted(figures.edits)}
marks     ${counted(figures.marks)}
moves     ${figures.cursor_moves} of the cursor, ${figures.file_switches} to another file
inserted  ${figures.inserted_utf16} UTF-16 units, deleted ${figures.deleted_utf16}
`;
}

function drawn(path: string, figures: TraceFigures): string {
  const { per_minute: perMinute, interval_ms: intervals, documents } = figures;
  const bounds = intervals.map(([bound, count], i): [string, number] => [
    bound === Number.POSITIVE_INFINITY ? `> ${intervals[i - 1]?.[0] ?? 0}` : `≤ ${bound}`,
    count,
  ]);
  return pageOf(`Trace ${path}`, [
    `<pre>${told(figures)
      .replace(/^document.*\n/gm, "")
      .replace(/&/g, "&amp;")
      .replace(/</g, "&lt;")}</pre>`,
    '<div class="plots">',
    linesOf({ title: "Events", x: "minutes", y: "a minute" }, [
      { name: "events", points: perMinute.map((count, minute): [number, number] => [minute, count]) },
    ]),
    barsOf({ title: "Between keys", x: "ms", y: "keys", caption: "Buckets widen to the right." }, bounds),
    "</div>",
    "<h2>Documents</h2>",
    tableOf([
      ["path", "language", "package", "UTF-16 at the start", "events"],
      ...documents.map(({ path, language, package: part, utf16, events }) => [path, language, part ?? "", utf16, events]),
    ]),
  ]);
}
