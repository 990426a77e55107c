// A thousand pods of a hundred pools on a real apiserver: what the operator's process holds of memory, and how long a run takes.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Kube } from "../../operator/kube/kube.ts";
import { kinds } from "../../operator/objects.ts";
import { cpuPool, type Loose } from "../support/cluster-objects.ts";
import { type Running, start } from "../support/command.ts";
import { ControlPlane, controlPlane } from "../support/control-plane.ts";
import { installed, send } from "../support/install.ts";
import { until } from "../support/until.ts";

describe.skipIf(controlPlane.path === undefined)("a thousand pods", () => {
  let plane: ControlPlane;
  let kube: Kube;
  let operator: Running | undefined;

  beforeAll(async () => {
    plane = await ControlPlane.start();
    kube = plane.kube();
    await installed(kube, ["code"]);
  }, 120_000);
  afterAll(async () => {
    await operator?.end("SIGTERM");
    await kube?.close();
    await plane?.[Symbol.asyncDispose]();
  });

  test("are kept in bounded memory, and every pool is judged by its pods", async () => {
    operator = await start(process.execPath, ["bin/slipstream.js", "operator"], /"leads"/, {
      SLIPSTREAM_OPERATOR_KUBECONFIG: plane.kubeconfig,
      SLIPSTREAM_OPERATOR_NAMESPACE: "slipstream-system",
      SLIPSTREAM_OPERATOR_ADMIN_ADDRESS: "127.0.0.1:0",
      SLIPSTREAM_OPERATOR_CALLS_PER_SECOND: "500",
      SLIPSTREAM_OPERATOR_CALLS_BURST: "500",
    });
    const names = Array.from({ length: 100 }, (_, i) => `dev-${i}`);
    for (const name of names)
      await send(
        kube,
        "POST",
        cpuPool((pool) => {
          pool.metadata.name = name;
          pool.spec.replicas = 10;
        }),
      );
    await until("each has its Deployment", async () => (await kube.cluster.list(kinds.Deployment, "code")).length === 100, 90_000);
    const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
    const conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => ({
      type,
      status: "True",
      lastTransitionTime: now,
    }));
    const pods = async (deployment: Loose) => {
      const { template } = deployment.spec;
      for (let i = 0; i < 10; i++) {
        const pod = {
          apiVersion: "v1",
          kind: "Pod",
          metadata: { name: `${deployment.metadata.name}-${i}`, namespace: "code", labels: template.metadata.labels },
          spec: { ...template.spec, readinessGates: [], priorityClassName: "slipstream-inline" },
        };
        const { status, message } = await send(kube, "POST", pod);
        if (status !== 201) throw new Error(message);
        await send(
          kube,
          "PATCH",
          { ...pod, status: { phase: "Running", conditions } },
          "",
          `/api/v1/namespaces/code/pods/${pod.metadata.name}/status`,
        );
      }
    };
    const deployments = [...(await kube.cluster.list(kinds.Deployment, "code"))];
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let next = deployments.pop(); next; next = deployments.pop()) await pods(next);
      }),
    );
    const served = async () =>
      (await kube.cluster.list(kinds.WorkerPool, "code")).filter(({ status }) => status?.ready === "10/10").length;
    await until("every pool serves", async () => (await served()) === 100, 90_000);
    const port = /"adminPort":(\d+)/.exec(operator.out())?.[1];
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const rss = Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]) / 2 ** 20;
    const buckets = [
      ...text.matchAll(/^slipstream_operator_reconcile_seconds_bucket\{le="([^"]+)",kind="WorkerPool"\} (\d+)/gm),
    ].map(([, le, count]) => [Number(le === "+Inf" ? Number.POSITIVE_INFINITY : le), Number(count)] as const);
    const all = buckets.at(-1)?.[1] ?? 0;
    const p99 = buckets.find(([, count]) => count >= all * 0.99)?.[0];
    process.stdout.write(`1000 pods, 100 pools: RSS ${Math.round(rss)} MiB, ${all} runs, p99 ≤ ${p99} s\n`);
    expect(all).toBeGreaterThan(200);
    expect(rss).toBeLessThan(512);
  }, 280_000);
});
