import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster } from "../../tools/cluster/cluster.ts";
import { pretendedGpus, pretendedLabels, pretendedTaint } from "../../tools/cluster/pretended.ts";
import { clusterToolsHere } from "../../tools/cluster/programs.ts";
import { findTool } from "../../tools/toolbox.ts";
import { comes, condition, installService, json, readmeCommands, restarts, teller } from "../support/cluster.ts";
import { digest, type Loose } from "../support/cluster-objects.ts";

const nodes = 40;
const workers = 200;

const gpuClass = {
  ...{ apiVersion: "slipstream.dev/v1alpha1", kind: "GPUClass", metadata: { name: "l40s" } },
  spec: {
    ...{ devicePlugin: "nvidia.com/gpu", nodeSelector: pretendedLabels, memory: "48Gi", total: nodes * pretendedGpus },
    tolerations: [{ ...pretendedTaint, operator: "Equal" }],
  },
};
const wide = {
  ...{ apiVersion: "slipstream.dev/v1alpha1", kind: "WorkerPool", metadata: { name: "wide", namespace: "code" } },
  spec: {
    ...{ tier: "Chat", engine: { type: "VLLM" }, gpu: { classRef: "l40s", count: 1 } },
    model: { image: `models.example/coder@${digest}`, revision: digest, name: "coder" },
    ...{ scaling: { mode: "Fixed", maxReplicas: workers }, replicas: workers, drain: { timeout: "10s" } },
    podTemplate: { resources: { cpu: "1", memory: "8Gi" } },
  },
};

describe.skipIf(!clusterToolsHere() || findTool("kwok").path === undefined)("on one real kubelet beside forty that are not", () => {
  let cluster: Cluster;
  const tell = teller();
  const completes = () => {
    const [line = ""] = readmeCommands().install.filter((each) => each.startsWith("npx slipstream complete"));
    return cluster.shell(line.replace(/^npx slipstream/, `${process.execPath} bin/slipstream.js`)).trim();
  };
  const pods = () => json(cluster, "get", "pods", "-n", "code", "-l", "slipstream.dev/pool=wide").items as Loose[];
  const running = () => pods().filter(({ status }) => status.phase === "Running").length;

  beforeAll(async () => {
    ({ cluster } = await Cluster.up(`breadth-${process.pid}`, { nodes: 1, pretended: nodes, say: tell }));
    installService(cluster);
    tell("the service is ready");
  }, 900_000);
  afterAll(async () => {
    cluster?.shell("rm -f dev.key dev.crt");
    await cluster?.[Symbol.asyncDispose]();
  }, 60_000);

  test("hundreds of workers come and go on machines that have what they ask for, and who completes is served all the while", async () => {
    for (const object of [gpuClass, wide]) cluster.kubectl(["apply", "-f", "-"], JSON.stringify(object));
    await comes("all workers run", running, (n) => n === workers, 300_000);
    tell(`${workers} workers run`);
    expect(completes()).not.toBe("");
    const machines = new Set(pods().map(({ spec }) => spec.nodeName as string));
    expect([...machines].filter((name) => !name.startsWith("pretended-"))).toEqual([]);
    expect(machines.size).toBeGreaterThanOrEqual(workers / pretendedGpus);
    const others = json(cluster, "get", "pods", "-A", "-l", "slipstream.dev/pool!=wide").items as Loose[];
    expect(others.filter(({ spec }) => spec.nodeName?.startsWith("pretended-"))).toEqual([]);
    // Nothing there says that it serves, and so it is not said.
    expect(condition(cluster, "workerpool", "wide")).toMatch(new RegExp(`^False \\w+: 0 of ${workers} workers serve`));
    cluster.kubectl(["scale", "wp", "wide", "-n", "code", "--replicas=20"]);
    await comes(
      "most are gone",
      () => pods().length,
      (n) => n === 20,
      300_000,
    );
    tell("180 have gone");
    expect(completes()).not.toBe("");
    expect(condition(cluster, "cps", "dev")).toMatch(/^True/);
    expect(restarts(cluster)).toEqual([]);
  }, 900_000);
});
