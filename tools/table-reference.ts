// table-reference: the product's own tables (errors, metrics, settings) in, their reference pages in Markdown out. Pure.
import type { SettingTable } from "../lib/config.ts";
import { errorTable, grpcCode } from "../lib/errors.ts";
import type { MetricTable } from "../lib/metrics.ts";
import { evidenceTable } from "../router/gate/evidence.ts";
import { nameAt, type SamplingEndpoint, samplingEndpoints, samplingTable } from "../router/ingress/sampling-table.ts";
import { table } from "./proto-reference.ts";

const generated = (from: string) => `Generated from ${from} by \`npm run generate\`; do not edit.`;

export function errorsPage(rows: typeof errorTable = errorTable): string {
  const status = new Map<number, string>(
    Object.entries(grpcCode).map(([name, number]) => [number, name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()]),
  );
  const cells = Object.entries(rows).map(([code, row]) => [
    `\`${code}\``,
    `${status.get(row.grpc)} (${row.grpc})`,
    String(row.http),
    row.retryable ? "yes" : "no",
    String(row.exit),
    row.means,
  ]);
  return [
    "# Errors",
    generated("`lib/errors.ts`"),
    "An error has one of these codes. It reaches a gRPC client as the status, an HTTP client as the HTTP status, and ends a command with the exit status.",
    `${table(["code", "gRPC status", "HTTP", "may be retried", "exit", "meaning"], cells)}\n`,
  ].join("\n\n");
}

export function metricsPage(processes: Readonly<Record<string, MetricTable>>): string {
  const sections = Object.entries(processes).map(([process, metrics]) => {
    const rows = Object.entries(metrics).map(([name, row]) => [
      `\`slipstream_${process}_${name}\``,
      row.kind,
      row.labels.map((label) => `\`${label}\``).join(", "),
      row.help,
    ]);
    return `## ${process}\n\n${table(["metric", "kind", "labels", "meaning"], rows)}`;
  });
  return [
    "# Metrics",
    generated("the processes' metric tables"),
    "Served at `/metrics` of the admin port, in seconds and bytes, beside the figures of Node itself (`process_*`, `nodejs_*`). Labels are of closed sets: never a session, an address or code.",
    ...sections,
    "",
  ]
    .join("\n\n")
    .replace(/\n+$/, "\n");
}

export function configPage(processes: Readonly<Record<string, SettingTable>>): string {
  const sections = Object.entries(processes).map(([process, settings]) => {
    const rows = Object.values(settings).map((row) => [
      `\`${row.env}\``,
      row.fallback === "" ? "empty" : `\`${row.fallback}\``,
      row.help,
    ]);
    return `## ${process}\n\n${table(["variable", "default", "meaning"], rows)}`;
  });
  return [
    "# Settings",
    generated("the processes' setting tables"),
    "Each process reads its settings from the environment once, before it opens a port. It lists every problem at once and ends with 64.",
    "A name that a process does not know is such a problem. With `SLIPSTREAM_UNKNOWN_SETTINGS=ignore` it is a line in the log instead: the operator sets it, so that a router or agent of an earlier release starts with what this one renders.",
    ...sections,
    "",
  ]
    .join("\n\n")
    .replace(/\n+$/, "\n");
}

export function gatePage(
  rows: Readonly<Record<string, { weight: number; means: string; source: string }>> = evidenceTable,
): string {
  const cells = Object.entries(rows).map(([name, row]) => [`\`${name}\``, String(row.weight), row.means, row.source]);
  return [
    "# Gate",
    generated("`router/gate/evidence.ts`"),
    "What speaks for or against a completion being wanted. Each piece of evidence has a value, 0 or 1 where the table does not say otherwise; weights times values add up to log-odds, and these to a probability that a text would be accepted. An AUTO trigger below 0.15 is answered by Nothing with GATED. While triggers wait for workers the threshold rises in line with the wait, to 0.5 when the wait takes half of the trigger's time; who is between is answered with BROWNOUT and a time to ask again. INVOKED triggers always pass. PRELOAD and SPECULATIVE ones, and what the router asks ahead by itself, are for idle workers: they are answered with BROWNOUT while the workers that could serve them had work for people in more than a fifth of late time (the last 5 s count for a half; the mean of the workers, however few of their slots were in use). `detail` of the Nothing names the score, the threshold and what spoke against.",
    `${table(["evidence", "weight", "value", "source of the weight"], cells)}\n`,
  ].join("\n\n");
}

export function samplingPage(): string {
  const cellOf = (name: keyof typeof samplingTable, endpoint: SamplingEndpoint) => {
    const fate = samplingTable[name].fates[endpoint];
    if (fate === "absent") return "—";
    return nameAt(name, endpoint) === name ? fate : `${fate} as \`${nameAt(name, endpoint)}\``;
  };
  const endpoints = Object.keys(samplingEndpoints) as SamplingEndpoint[];
  const rows = (Object.keys(samplingTable) as (keyof typeof samplingTable)[]).map((name) => {
    const { range, left, note } = samplingTable[name];
    return [`\`${name}\``, ...endpoints.map((endpoint) => cellOf(name, endpoint)), range, left, note];
  });
  return [
    "# Sampling",
    generated("`router/ingress/sampling-table.ts`"),
    "What becomes of each sampling parameter at each endpoint: it is honoured, refused with an error that names it, or there is no such field (—). A test asks every endpoint for every row. Values out of range are refused by name, too.",
    `${table(["parameter", ...Object.values(samplingEndpoints), "taken", "left out", ""], rows)}\n`,
  ].join("\n\n");
}
