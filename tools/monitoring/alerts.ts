// alerts: when somebody is to be told, as rows: what is looked at, for how long, how urgent it is. Each has a runbook page of its name
// in docs/operations/runbooks. "page": people type and get nothing; "ticket": it can wait for the morning.
import { operator, Query, router, ruleScope, share, worker } from "./query.ts";

export interface Alert {
  readonly name: string;
  readonly expr: string;
  readonly for: string;
  readonly severity: "page" | "ticket";
  /** A sentence with the figure in it. */
  readonly summary: string;
}

/** What an inline completion may take (docs: budgets), as the target of a pool is by default. */
export const targetSeconds = 0.1;
/** So many triggers a second say something about a share. */
const enough = 0.2;

const five = new Query(ruleScope("5m"));
const half = new Query(ruleScope("30m"));
/** Retired by the next key or taken back: nobody waited for them. */
const unwaited = "superseded|cancelled";

const inlineText = router("first_text_seconds", { lane: "inline" });
const waited = `(${five.rate(router("outcomes_total"))} - (${five.rate(router("outcomes_total", { outcome: unwaited }))} or vector(0)))`;

export const alerts: readonly Alert[] = [
  {
    name: "SlipstreamFirstTextSlow",
    expr: `${five.quantile(0.95, inlineText)} > ${targetSeconds} and ${five.count(inlineText)} > ${enough}`,
    ...{ for: "10m", severity: "page" },
    summary: "95 % of inline completions have their first text within {{ $value | humanizeDuration }}, and 0.1 s is the target.",
  },
  {
    name: "SlipstreamTriggersFail",
    expr: `${share(five.rate(router("outcomes_total", { outcome: "failed" })), waited)} > 0.01 and ${waited} > ${enough}`,
    ...{ for: "5m", severity: "page" },
    summary: "{{ $value | humanizePercentage }} of the triggers that were waited for failed.",
  },
  {
    name: "SlipstreamTriggersLate",
    expr: `${share(five.rate(router("outcomes_total", { outcome: "expired" })), waited)} > 0.05 and ${waited} > ${enough}`,
    ...{ for: "10m", severity: "ticket" },
    summary: "{{ $value | humanizePercentage }} of the triggers that were waited for had no text before their deadline.",
  },
  {
    name: "SlipstreamNoWorker",
    expr: `${five.sum(router("links", { state: "ready" }), "namespace", "pod")} == 0`,
    ...{ for: "1m", severity: "page" },
    summary: "A router has no worker: nobody is served by {{ $labels.pod }}.",
  },
  {
    name: "SlipstreamWorkersBarred",
    expr: `${five.max(router("workers_barred"), "namespace")} > 0`,
    ...{ for: "10m", severity: "ticket" },
    summary: "{{ $value }} workers are left alone because their generations end badly.",
  },
  {
    name: "SlipstreamQueueFull",
    expr: `${five.rate(router("queue_refused_total", { why: "full" }), "lane")} > 0`,
    ...{ for: "5m", severity: "page" },
    summary: "Work of lane {{ $labels.lane }} is refused because the queue is full, {{ $value }} a second.",
  },
  {
    name: "SlipstreamWaste",
    expr: `${share(half.rate(router("completion_tokens_total", { fate: "wasted" })), half.rate(router("completion_tokens_total")))} > 0.1 and ${half.rate(router("completion_tokens_total"))} > 10`,
    ...{ for: "30m", severity: "ticket" },
    summary: "{{ $value | humanizePercentage }} of the tokens decoded reached no live trigger.",
  },
  {
    name: "SlipstreamPromptsRecomputed",
    expr: `${share(half.rate(router("prompt_tokens_total", { kv: "recomputed" })), half.rate(router("prompt_tokens_total")))} > 0.5 and ${half.rate(router("prompt_tokens_total"))} > 100`,
    ...{ for: "30m", severity: "ticket" },
    summary: "{{ $value | humanizePercentage }} of the prompt tokens are computed anew: the KV cache is hardly used.",
  },
  {
    name: "SlipstreamCancelsSlow",
    expr: `${five.quantile(0.99, router("cancel_ack_seconds"))} > 0.25 and ${five.count(router("cancel_ack_seconds"))} > ${enough}`,
    ...{ for: "15m", severity: "ticket" },
    summary: "1 % of the cancels took longer than {{ $value | humanizeDuration }} to be acknowledged.",
  },
  {
    name: "SlipstreamBusAway",
    expr: `${five.max(router("bus_connected"), "namespace", "pod")} == 0`,
    ...{ for: "5m", severity: "ticket" },
    summary: "{{ $labels.pod }} has no bus: routers do not hear of each other, and outcomes wait.",
  },
  {
    name: "SlipstreamOutcomesDropped",
    expr: `${half.increase(router("outcome_events_total", { fate: "dropped" }))} > 0`,
    ...{ for: "0m", severity: "ticket" },
    summary: "{{ $value | humanize }} outcomes of the last half hour were dropped before the bus stored them.",
  },
  {
    name: "SlipstreamPolicyRefused",
    expr: `${half.increase(router("policy_loads_total", { result: "refused" }))} > 0`,
    ...{ for: "0m", severity: "ticket" },
    summary: "A policy document was refused; the one before it holds.",
  },
  {
    name: "SlipstreamFilesStale",
    expr: `${five.max(router("files_stale"), "namespace", "pod", "files")} == 1 or ${five.max(worker("files_stale"), "namespace", "pod", "files")} == 1`,
    ...{ for: "5m", severity: "ticket" },
    summary: "{{ $labels.pod }} cannot use what its {{ $labels.files }} files say now.",
  },
  {
    name: "SlipstreamCertificateEnds",
    expr: `min by (namespace, pod, files) (${router("certificate_expiry_seconds").name} or ${worker("certificate_expiry_seconds").name}) - time() < 86400`,
    ...{ for: "10m", severity: "page" },
    summary: "The {{ $labels.files }} certificate of {{ $labels.pod }} ends in {{ $value | humanizeDuration }}.",
  },
  {
    name: "SlipstreamEnginesFail",
    expr: `${share(five.rate(worker("generations_total", { end: "failed" }), "namespace", "pod"), five.rate(worker("generations_total"), "namespace", "pod"))} > 0.05`,
    ...{ for: "5m", severity: "ticket" },
    summary: "{{ $value | humanizePercentage }} of the generations of {{ $labels.pod }} failed.",
  },
  {
    name: "SlipstreamAbortsSlow",
    expr: `${five.quantile(0.99, worker("abort_seconds"), "namespace", "pod")} > 0.25`,
    ...{ for: "15m", severity: "ticket" },
    summary:
      "The engine of {{ $labels.pod }} took longer than {{ $value | humanizeDuration }} to stop, 1 % of the times it was told to.",
  },
  {
    name: "SlipstreamNotReady",
    expr: `${operator("ready").name} == 0`,
    ...{ for: "15m", severity: "ticket" },
    summary: "{{ $labels.kind }} {{ $labels.namespace }}/{{ $labels.name }} is not ready; its conditions say why.",
  },
  {
    name: "SlipstreamReconcilesFail",
    expr: `${share(five.rate(operator("reconciles_total", { end: "failed" }), "kind"), five.rate(operator("reconciles_total"), "kind"))} > 0.2`,
    ...{ for: "15m", severity: "ticket" },
    summary: "{{ $value | humanizePercentage }} of the operator's runs for {{ $labels.kind }} fail.",
  },
];

/** As Prometheus reads a file of rules. */
export function ruleFile(): object {
  const recorded = [
    { record: "slipstream:first_text_seconds:p95", expr: five.quantile(0.95, router("first_text_seconds"), "namespace", "lane") },
    { record: "slipstream:outcomes:rate5m", expr: five.rate(router("outcomes_total"), "namespace", "lane", "outcome") },
    {
      record: "slipstream:kv_reuse:share30m",
      expr: share(
        half.rate(router("prompt_tokens_total", { kv: "cached" }), "namespace"),
        half.rate(router("prompt_tokens_total"), "namespace"),
      ),
    },
    {
      record: "slipstream:waste:share30m",
      expr: share(
        half.rate(router("completion_tokens_total", { fate: "wasted" }), "namespace"),
        half.rate(router("completion_tokens_total"), "namespace"),
      ),
    },
  ];
  const rules = alerts.map(({ name, expr, for: forTime, severity, summary }) => ({
    alert: name,
    expr,
    for: forTime,
    labels: { severity },
    annotations: { summary, runbook: `docs/operations/runbooks/${name}.md` },
  }));
  return {
    groups: [
      { name: "slipstream.recorded", rules: recorded },
      { name: "slipstream.alerts", rules },
    ],
  };
}
