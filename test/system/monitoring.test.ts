// Alerts as Prometheus reads them: promtool takes the file of rules, and series that are as they should be, and as they should not,
// fire what they must and nothing else.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { root, run } from "../../tools/child.ts";
import { alerts } from "../../tools/monitoring/alerts.ts";
import { findTool } from "../../tools/toolbox.ts";

const promtool = findTool("promtool");
const rules = join(root, "charts/slipstream/files/prometheus-rules.yaml");
const folder = mkdtempSync(join(tmpdir(), "slipstream-promtool-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Case {
  readonly name: string;
  /** By series: as promtool writes values, a minute each. */
  readonly series: Readonly<Record<string, string>>;
  readonly fires: readonly string[];
}

const outcomes = (outcome: string) => `slipstream_router_outcomes_total{lane="inline",outcome="${outcome}"}`;
const bucket = (le: string) => `slipstream_router_first_text_seconds_bucket{lane="inline",le="${le}"}`;
const firstText = (within: number, beyond: number) => ({
  [bucket("0.05")]: `0+${within}x120`,
  [bucket("0.1")]: `0+${within}x120`,
  [bucket("0.2")]: `0+${within + beyond}x120`,
  [bucket("+Inf")]: `0+${within + beyond}x120`,
  'slipstream_router_first_text_seconds_count{lane="inline"}': `0+${within + beyond}x120`,
});
const where = 'namespace="code",pod="r-0"';

const cases: readonly Case[] = [
  {
    name: "a fleet that is well",
    series: {
      ...firstText(600, 6),
      [outcomes("generated")]: "0+600x120",
      [outcomes("superseded")]: "0+900x120",
      [outcomes("failed")]: "0+1x120",
      [outcomes("expired")]: "0+5x120",
      'slipstream_router_links{state="ready"}': "3x120",
      'slipstream_router_completion_tokens_total{fate="used"}': "0+9000x120",
      'slipstream_router_completion_tokens_total{fate="wasted"}': "0+300x120",
      'slipstream_router_prompt_tokens_total{kv="cached"}': "0+90000x120",
      'slipstream_router_prompt_tokens_total{kv="recomputed"}': "0+2000x120",
      slipstream_router_bus_connected: "1x120",
      slipstream_router_workers_barred: "0x120",
      'slipstream_operator_ready{kind="WorkerPool",namespace="code",name="small"}': "1x120",
      'slipstream_router_certificate_expiry_seconds{files="tls"}': "9000000x120",
    },
    fires: [],
  },
  { name: "first texts that are late", series: firstText(500, 100), fires: ["SlipstreamFirstTextSlow"] },
  { name: "late first texts of a handful of keys, which say nothing", series: firstText(2, 2), fires: [] },
  {
    name: "triggers that fail, however many are superseded",
    series: { [outcomes("generated")]: "0+600x120", [outcomes("superseded")]: "0+90000x120", [outcomes("failed")]: "0+30x120" },
    fires: ["SlipstreamTriggersFail"],
  },
  {
    name: "triggers that are late, where nobody was ever superseded",
    series: { [outcomes("generated")]: "0+600x120", [outcomes("expired")]: "0+60x120" },
    fires: ["SlipstreamTriggersLate"],
  },
  {
    name: "a router that lost its workers",
    series: { [`slipstream_router_links{state="ready",${where}}`]: "2x60 0x60" },
    fires: ["SlipstreamNoWorker"],
  },
  {
    name: "workers that are left alone",
    series: { slipstream_router_workers_barred: "0x60 1x60" },
    fires: ["SlipstreamWorkersBarred"],
  },
  {
    name: "a queue that overflows",
    series: { 'slipstream_router_queue_refused_total{lane="batch",why="full"}': "0+60x120" },
    fires: ["SlipstreamQueueFull"],
  },
  {
    name: "tokens for nobody",
    series: {
      'slipstream_router_completion_tokens_total{fate="used"}': "0+6000x120",
      'slipstream_router_completion_tokens_total{fate="wasted"}': "0+2000x120",
    },
    fires: ["SlipstreamWaste"],
  },
  {
    name: "prompts that are computed again and again",
    series: {
      'slipstream_router_prompt_tokens_total{kv="cached"}': "0+9000x120",
      'slipstream_router_prompt_tokens_total{kv="recomputed"}': "0+90000x120",
    },
    fires: ["SlipstreamPromptsRecomputed"],
  },
  {
    name: "a bus that went away, and outcomes that were dropped for it",
    series: {
      slipstream_router_bus_connected: "1x60 0x60",
      'slipstream_router_outcome_events_total{fate="dropped"}': "0x90 50x30",
    },
    fires: ["SlipstreamBusAway", "SlipstreamOutcomesDropped"],
  },
  {
    name: "a policy that was refused",
    series: { 'slipstream_router_policy_loads_total{result="refused"}': "0x100 1x20" },
    fires: ["SlipstreamPolicyRefused"],
  },
  {
    name: "files that cannot be used, and a certificate that ends",
    series: {
      [`slipstream_worker_files_stale{files="link tls",${where}}`]: "1x120",
      [`slipstream_worker_certificate_expiry_seconds{files="link tls",${where}}`]: "50000x120",
    },
    fires: ["SlipstreamCertificateEnds", "SlipstreamFilesStale"],
  },
  {
    name: "an engine that fails, and one that does not stop",
    series: {
      [`slipstream_worker_generations_total{lane="inline",end="failed",${where}}`]: "0+60x120",
      [`slipstream_worker_generations_total{lane="inline",end="done",${where}}`]: "0+600x120",
      [`slipstream_worker_abort_seconds_bucket{le="0.1",${where}}`]: "0+50x120",
      [`slipstream_worker_abort_seconds_bucket{le="1",${where}}`]: "0+60x120",
      [`slipstream_worker_abort_seconds_bucket{le="+Inf",${where}}`]: "0+60x120",
    },
    fires: ["SlipstreamAbortsSlow", "SlipstreamEnginesFail"],
  },
  {
    name: "cancels that are not acknowledged",
    series: {
      'slipstream_router_cancel_ack_seconds_bucket{le="0.2"}': "0+50x120",
      'slipstream_router_cancel_ack_seconds_bucket{le="0.5"}': "0+60x120",
      'slipstream_router_cancel_ack_seconds_bucket{le="+Inf"}': "0+60x120",
      slipstream_router_cancel_ack_seconds_count: "0+60x120",
    },
    fires: ["SlipstreamCancelsSlow"],
  },
  {
    name: "a pool that is not ready, and an operator that cannot do anything about it",
    series: {
      'slipstream_operator_ready{kind="WorkerPool",namespace="code",name="small"}': "1x60 0x60",
      'slipstream_operator_reconciles_total{kind="WorkerPool",end="failed"}': "0+9x120",
      'slipstream_operator_reconciles_total{kind="WorkerPool",end="done"}': "0+9x120",
    },
    fires: ["SlipstreamNotReady", "SlipstreamReconcilesFail"],
  },
];

describe.skipIf(!promtool.path)("promtool", () => {
  const tool = promtool.path ?? "";

  test("takes the file of rules", async () => {
    const { code, output } = await run([tool, "check", "rules", rules]);
    expect(output).toMatch(/SUCCESS: \d+ rules found/);
    expect(code).toBe(0);
  });

  test("each alert is tried by a case", () => {
    expect([...new Set(cases.flatMap(({ fires }) => fires))].sort()).toEqual(alerts.map(({ name }) => name).sort());
  });

  test("what fires is what must", { timeout: 60_000 }, async () => {
    const fired = await firing(tool);
    expect(fired).toEqual(Object.fromEntries(cases.map(({ name, fires }) => [name, [...fires].sort()])));
  });

  /** promtool compares whole alerts with their sentences; asked for none of them it lists those that fire. */
  async function firing(program: string): Promise<Record<string, string[]>> {
    const found: Record<string, string[]> = {};
    for (const [i, { name, series }] of cases.entries()) {
      const file = join(folder, `case-${i}.yaml`);
      const input = Object.entries(series).map(([each, values]) => ({ series: each, values }));
      const wanted = alerts.map(({ name: alertname }) => ({ eval_time: "115m", alertname, exp_alerts: [] }));
      const tests = [{ name, interval: "1m", input_series: input, alert_rule_test: wanted }];
      writeFileSync(file, stringify({ rule_files: [rules], evaluation_interval: "1m", tests }));
      const { output } = await run([program, "test", "rules", file]);
      if (!/SUCCESS|FAILED/.test(output)) throw new Error(output);
      const names = [...output.matchAll(/alertname:\s*(\w+), time: 1h55m,\s*exp:\[\s*\],\s*got:\[/g)].map(
        ([, alert = ""]) => alert,
      );
      found[name] = [...new Set(names)].sort();
    }
    return found;
  }
});
