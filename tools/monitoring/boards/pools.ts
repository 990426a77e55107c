// pools: pools of a cluster and the operator that keeps them.
import { targetSeconds } from "../alerts.ts";
import { boardScope, operator, Query } from "../query.ts";
import type { Board } from "./board.ts";

const q = new Query(boardScope);

export const pools: Board = {
  slug: "pools",
  title: "Slipstream · pools",
  rows: [
    {
      title: "Pools",
      plots: [
        {
          title: "Ready",
          about: "0: the conditions of the object say why (kubectl get workerpools; docs/reference/conditions.md).",
          ...{ unit: "short", queries: [["{{kind}} {{name}}", q.max(operator("ready"), "kind", "name")]] },
        },
        {
          title: "Workers",
          about: "By state. Wanted is what the operator decided.",
          ...{ unit: "short", queries: [["{{pool}}, {{state}}", q.max(operator("replicas"), "pool", "state")]] },
        },
        {
          title: "First text p95, as routers report it",
          about: "What scaling goes by.",
          ...{ unit: "s", target: targetSeconds, queries: [["{{pool}}", q.max(operator("first_text_p95_seconds"), "pool")]] },
        },
        {
          title: "Signals from routers and workers",
          about: "None: the operator is deaf, and conditions say MetricsStale.",
          ...{ unit: "ops", queries: [["{{kind}}", q.rate(operator("signals_total"), "kind")]] },
        },
      ],
    },
    {
      title: "The operator",
      plots: [
        {
          title: "Runs of the path",
          about: "A failed one comes again.",
          ...{ unit: "ops", queries: [["{{kind}}, {{end}}", q.rate(operator("reconciles_total"), "kind", "end")]] },
        },
        {
          title: "Time of a run",
          about: "95 %.",
          ...{ unit: "s", queries: [["{{kind}}", q.quantile(0.95, operator("reconcile_seconds"), "kind")]] },
        },
        {
          title: "Objects applied",
          about: "Sent: something would have changed.",
          ...{ unit: "ops", queries: [["{{kind}}, sent {{sent}}", q.rate(operator("applies_total"), "kind", "sent")]] },
        },
        {
          title: "Objects removed, certificates issued",
          about: "Both are seldom.",
          unit: "ops",
          queries: [
            ["removed {{kind}}", q.rate(operator("removals_total"), "kind")],
            ["certificate for {{for}}", q.rate(operator("certificates_issued_total"), "for")],
          ],
        },
      ],
    },
  ],
};
