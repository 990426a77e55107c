// monitoring: the metric tables in, what an operator's Prometheus and Grafana read out: one file of rules, a dashboard each, and the
// reference page of alerts. Generated, so that no query names what no process measures.
import { stringify } from "yaml";
import { table } from "../proto-reference.ts";
import { alerts, ruleFile } from "./alerts.ts";
import { boards } from "./dashboards.ts";
import { grafanaBoard } from "./grafana.ts";

/** Where the chart looks for them. */
export const folder = "charts/slipstream/files";

export function monitoringFiles(): Readonly<Record<string, string>> {
  const made = boards.map((board) => [
    `${folder}/dashboards/slipstream-${board.slug}.json`,
    `${JSON.stringify(grafanaBoard(board), null, 2)}\n`,
  ]);
  return {
    ...Object.fromEntries(made),
    [`${folder}/prometheus-rules.yaml`]: `# Generated from \`tools/monitoring\` by \`npm run generate\`; do not edit.\n${stringify(ruleFile(), { lineWidth: 0 })}`,
    "docs/reference/alerts.md": alertsPage(),
  };
}

const urgency = { page: "at once", ticket: "in the morning" } as const;

function alertsPage(): string {
  const rows = alerts.map(({ name, for: lasts, severity, summary }) => [
    `[\`${name}\`](../operations/runbooks/${name}.md)`,
    lasts === "0m" ? "at once" : lasts,
    urgency[severity],
    summary.replace(/\{\{ *\$labels\.(\w+) *\}\}/g, "*$1*").replace(/\{\{ *\$value[^}]*\}\}/g, "…"),
  ]);
  return [
    "# Alerts",
    "Generated from `tools/monitoring/alerts.ts` by `npm run generate`; do not edit.",
    `The rules are in [\`${folder}/prometheus-rules.yaml\`](../../${folder}/prometheus-rules.yaml), as Prometheus reads them (\`rule_files\`); the dashboards for Grafana beside them. \`severity\` is a label: \`page\` where people type and get nothing, \`ticket\` for what can wait until the morning. Each has a page that says what to look at.`,
    `${table(["alert", "after", "look at it", "says"], rows)}\n`,
  ].join("\n\n");
}
