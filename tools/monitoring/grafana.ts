// grafana: a board as rows of plots in, Grafana's own JSON out (its dashboard schema, version 39), ready to be imported or mounted for
// a provisioner. Two plots a row; ids and places follow from the order, so that a change of one plot is a change of its lines alone.
import type { Board, Plot } from "./boards/board.ts";

const width = 12;
const height = 8;
const source = { type: "prometheus", uid: "$source" } as const;

export function grafanaBoard({ slug, title, rows }: Board): object {
  const panels: object[] = [];
  let y = 0;
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: "row",
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: 2 * width, h: 1 },
      panels: [],
    });
    y += 1;
    for (const [i, plot] of row.plots.entries()) {
      panels.push(panel(plot, panels.length + 1, (i % 2) * width, y));
      if (i % 2 === 1 || i === row.plots.length - 1) y += height;
    }
  }
  return {
    uid: `slipstream-${slug}`,
    title,
    tags: ["slipstream"],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: "30s",
    time: { from: "now-1h", to: "now" },
    templating: { list: variables },
    panels,
  };
}

/** Outside a cluster there is no namespace: "All" takes what has none, too. */
const variables = [
  { name: "source", label: "Data source", type: "datasource", query: "prometheus" },
  {
    ...{ name: "namespace", label: "Namespace", type: "query", datasource: source, refresh: 2, sort: 1 },
    ...{ includeAll: true, multi: true, allValue: ".*", current: { text: "All", value: "$__all" } },
    query: { query: 'label_values({__name__=~"slipstream_.+"}, namespace)', refId: "namespace" },
  },
];

function panel({ title, about, unit, queries, stacked = false, target }: Plot, id: number, x: number, y: number): object {
  const thresholds =
    target === undefined
      ? { mode: "absolute", steps: [{ color: "green", value: null }] }
      : {
          mode: "absolute",
          steps: [
            { color: "transparent", value: null },
            { color: "red", value: target },
          ],
        };
  return {
    ...{ id, type: "timeseries", title, description: about, datasource: source, gridPos: { x, y, w: width, h: height } },
    fieldConfig: {
      defaults: {
        ...{ unit, min: 0, thresholds },
        custom: {
          ...{ lineWidth: 1, fillOpacity: stacked ? 40 : 0, showPoints: "never", spanNulls: 60_000 },
          stacking: { mode: stacked ? "normal" : "none", group: "A" },
          thresholdsStyle: { mode: target === undefined ? "off" : "line" },
        },
      },
      overrides: [],
    },
    options: {
      legend: { displayMode: "list", placement: "bottom", showLegend: true },
      tooltip: { mode: "multi", sort: "desc" },
    },
    targets: queries.map(([legendFormat, expr], i) => ({
      ...{ refId: String.fromCharCode(65 + i), datasource: source, expr, legendFormat, range: true },
    })),
  };
}
