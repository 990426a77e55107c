// What is generated, read once more as text: every metric and label in it is one that a process measures, every alert has its runbook.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import type { MetricTable } from "../../lib/metrics.ts";
import { root } from "../child.ts";
import { alerts, ruleFile } from "./alerts.ts";
import { boards } from "./dashboards.ts";
import { grafanaBoard } from "./grafana.ts";
import { folder, monitoringFiles } from "./monitoring.ts";
import { metricTables } from "./query.ts";

/** What Prometheus, the scrape and a histogram's buckets add. */
const added = ["le", "namespace", "pod", "job", "instance"];
const ending = /_(bucket|count|sum)$/;

function rowOf(name: string, tables: Readonly<Record<string, MetricTable>> = metricTables) {
  const [, process = "", key = ""] = /^slipstream_(router|worker|operator)_(\w+)$/.exec(name) ?? [];
  const table = tables[process];
  const row = table?.[key];
  if (row) return row;
  const histogram = table?.[key.replace(ending, "")];
  return histogram?.kind === "histogram" && ending.test(key) ? histogram : undefined;
}

/** Names and labels of a query that no table has, a line each. */
function unknown(expr: string): string[] {
  const used = [...expr.matchAll(/\b(slipstream_\w+)(?:\{([^}]*)\})?/g)];
  const names = used.map(([, name = ""]) => name);
  const labelsOf = new Set([...added, ...names.flatMap((name) => rowOf(name)?.labels ?? [])]);
  const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(", "));
  return [
    ...(names.length === 0 ? [`no metric in ${expr}`] : []),
    ...names.filter((name) => !rowOf(name)).map((name) => `${name} is in no table`),
    ...used.flatMap(([, name = "", matchers = ""]) =>
      [...matchers.matchAll(/(\w+)=~?"/g)]
        .map(([, label = ""]) => label)
        .filter((label) => ![...added, ...(rowOf(name)?.labels ?? [])].includes(label))
        .map((label) => `${name} has no label ${label}`),
    ),
    ...grouped.filter((label) => !labelsOf.has(label)).map((label) => `nothing in the query has a label ${label}`),
  ];
}

const queries = [
  ...boards.flatMap(({ rows }) => rows.flatMap(({ plots }) => plots.flatMap((plot) => plot.queries.map(([, expr]) => expr)))),
  ...(ruleFile() as { groups: { rules: { expr: string }[] }[] }).groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
];

test("every metric and label that is asked for is measured", () => {
  expect(queries.length).toBeGreaterThan(60);
  expect(queries.flatMap(unknown)).toEqual([]);
});

test.each([
  ["a metric of no table", "sum (rate(slipstream_router_outcome_total[5m]))", "slipstream_router_outcome_total is in no table"],
  ["a bucket of what is no histogram", "slipstream_router_queued_bucket", "slipstream_router_queued_bucket is in no table"],
  ["a label that it has not", 'sum (slipstream_router_queued{pool="p"})', "slipstream_router_queued has no label pool"],
  ["a group that nothing has", "sum by (tenant) (slipstream_router_queued)", "nothing in the query has a label tenant"],
])("%s is found", (_, expr, says) => {
  expect(unknown(expr)).toEqual([says]);
});

test("legends and sentences speak of labels that their query keeps", () => {
  const told = [
    ...boards.flatMap(({ rows }) => rows.flatMap(({ plots }) => plots.flatMap(({ queries: all }) => all))),
    ...alerts.map(({ summary, expr }) => [summary, expr] as const),
  ];
  const lost = told.flatMap(([text, expr]) =>
    [...text.matchAll(/\{\{ *(?:\$labels\.)?(\w+) *\}\}/g)]
      .map(([, label = ""]) => label)
      .filter((label) => !new RegExp(`by \\([^)]*\\b${label}\\b`).test(expr) && !/^slipstream_operator_ready/.test(expr))
      .map((label) => `${text}: ${label} is not in ${expr}`),
  );
  expect(lost).toEqual([]);
});

test("every alert has a runbook of its name that says what to look at, and every runbook an alert", () => {
  const pages = readdirSync(join(root, "docs/operations/runbooks")).sort();
  expect(pages).toEqual(alerts.map(({ name }) => `${name}.md`).sort());
  for (const page of pages) {
    const text = readFileSync(join(root, "docs/operations/runbooks", page), "utf8");
    expect(text).toMatch(new RegExp(`^# ${page.replace(".md", "")}\n[\\s\\S]+## Look at\n- [\\s\\S]+## What it may be\n\\| `));
  }
});

test("runbooks name metrics, plots and settings that there are", () => {
  const config = readFileSync(join(root, "docs/reference/config.md"), "utf8");
  const titles = new Set(boards.flatMap(({ rows }) => rows.flatMap(({ plots }) => plots.map(({ title }) => title))));
  for (const { name } of alerts) {
    const text = readFileSync(join(root, "docs/operations/runbooks", `${name}.md`), "utf8");
    expect([name, [...text.matchAll(/`(slipstream_\w+)/g)].filter(([, metric = ""]) => !rowOf(metric)).map(String)]).toEqual([
      name,
      [],
    ]);
    expect([
      name,
      [...text.matchAll(/SLIPSTREAM_(?:ROUTER|WORKER)_[A-Z_]+[A-Z]/g)].filter(([setting]) => !config.includes(setting)).map(String),
    ]).toEqual([name, []]);
    const plots = [...text.matchAll(/(?<!\*)\*([A-Z][^*\n]+)\*(?!\*)/g)].map(([, title = ""]) => title);
    expect([name, plots.filter((title) => !titles.has(title))]).toEqual([name, []]);
  }
});

test("boards are what Grafana takes: ids and places of their own, no plot over another", () => {
  for (const board of boards) {
    const made = grafanaBoard(board) as {
      uid: string;
      panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[];
    };
    expect(made.uid).toMatch(/^[a-z-]{1,40}$/);
    expect(new Set(made.panels.map(({ id }) => id)).size).toBe(made.panels.length);
    const cells = made.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  }
});

test("the files are there as they are generated, and read as what they are", () => {
  for (const [path, text] of Object.entries(monitoringFiles())) {
    expect(existsSync(join(root, path))).toBe(true);
    if (path.endsWith(".json")) expect(JSON.parse(text)).toMatchObject({ schemaVersion: 39 });
    if (path.endsWith(".yaml")) expect(parse(text)).toEqual(JSON.parse(JSON.stringify(ruleFile())));
    if (path.startsWith(folder)) expect(text.length).toBeLessThan(900_000);
  }
});
