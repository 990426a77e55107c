// A whole control plane: apiserver, etcd, controller-manager and scheduler are real, only the nodes pretend. The on-prem example comes
// up on 8 L40S and 4 H100, is changed, outgrows its GPUs, and is deleted without a trace.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import type { Kube } from "../../operator/kube/kube.ts";
import { type KindName, kinds } from "../../operator/objects.ts";
import type { Operator } from "../../operator/wire.ts";
import { root } from "../../tools/child.ts";
import { findTool } from "../../tools/toolbox.ts";
import type { Loose } from "../support/cluster-objects.ts";
import { ControlPlane, controlPlane } from "../support/control-plane.ts";
import { installed, send } from "../support/install.ts";
import { Kubelet } from "../support/kubelet.ts";
import { operatorOn } from "../support/plane-operator.ts";
import { until } from "../support/until.ts";

const kubectl = findTool("kubectl");
const taint = [{ key: "nvidia.com/gpu", value: "present", effect: "NoSchedule" }];

describe.skipIf(controlPlane.path === undefined || kubectl.path === undefined)("on a whole control plane", () => {
  let plane: ControlPlane;
  let kube: Kube;
  let kubelet: Kubelet;
  let operator: Operator;

  const run = (...words: string[]) =>
    execFileSync(kubectl.path as string, [...words, "--kubeconfig", plane.kubeconfig], { encoding: "utf8" });
  const ready = async (kind: KindName, name: string): Promise<Loose> =>
    (await kube.cluster.get(kinds[kind], "code", name))?.status?.conditions?.find(({ type }: Loose) => type === "Ready");
  const serving = async (pool: string) =>
    (await kube.cluster.list(kinds.Pod, "code", `slipstream.dev/pool=${pool}`)).filter(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined &&
        status?.conditions?.some(({ type, status: holds }: Loose) => type === "Ready" && holds === "True"),
    ).length;

  beforeAll(async () => {
    plane = await ControlPlane.start();
    kube = plane.kube();
    await installed(kube, []);
    await plane.controllers();
    await plane.scheduler();
    await Kubelet.node(kube, "cpu-1", {});
    await Kubelet.node(kube, "l40s-1", { labels: { "nvidia.com/gpu.product": "NVIDIA-L40S" }, gpus: 8, taints: taint });
    await Kubelet.node(kube, "h100-1", { labels: { "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3" }, gpus: 4, taints: taint });
    for (let i = 0; i < 4; i++)
      await send(
        kube,
        "POST",
        {
          apiVersion: "v1",
          kind: "PersistentVolume",
          metadata: { name: `models-${i}` },
          spec: {
            capacity: { storage: "100Gi" },
            accessModes: ["ReadWriteMany"],
            hostPath: { path: "/models" },
            storageClassName: "",
          },
        },
        "",
        "/api/v1/persistentvolumes",
      );
    kubelet = new Kubelet(plane.kube());
    operator = await operatorOn(plane, kube);
  }, 180_000);
  afterAll(async () => {
    await operator?.close();
    await kubelet?.close();
    await kube?.close();
    await plane?.[Symbol.asyncDispose]();
  });

  test("the on-prem example rolls out, and kubectl get says so", async () => {
    run("apply", "--server-side", "-f", join(root, "docs/examples/onprem-l40s-h100.yaml"));
    await until("the service is ready", async () => (await ready("CompletionService", "acme"))?.status === "True", 120_000).catch(
      () => undefined,
    );
    const seen = run("get", "cps,wp,mc", "-n", "code", "-o", "wide");
    expect({ ready: (await ready("CompletionService", "acme"))?.status, seen }).toEqual({ ready: "True", seen });
    process.stdout.write(`${run("get", "wp", "-n", "code")}${run("get", "cps", "-n", "code")}${run("get", "mc", "-n", "code")}`);
    expect([await serving("inline-7b"), await serving("chat-32b")]).toEqual([8, 2]);
    expect(run("get", "wp", "inline-7b", "-n", "code", "--no-headers").split(/\s+/).slice(0, 5)).toEqual([
      "inline-7b",
      "True",
      "Complete",
      "Inline",
      "8/8",
    ]);
  }, 240_000);

  test("a change of the template replaces workers one by one where no GPU is free, and never fewer than seven serve", async () => {
    let fewest = 8;
    let watching = true;
    const watch = (async () => {
      while (watching) {
        fewest = Math.min(fewest, await serving("inline-7b"));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    run("patch", "wp", "inline-7b", "-n", "code", "--type=merge", "-p", '{"spec":{"speculative":{"numTokens":4}}}');
    const done = async () => {
      const pool = await kube.cluster.get(kinds.WorkerPool, "code", "inline-7b");
      return (
        pool?.status.observedGeneration === pool?.metadata.generation &&
        pool?.status.currentRevision === pool?.status.updateRevision &&
        pool?.status.ready === "8/8" &&
        pool?.status.revisions.length === 1
      );
    };
    await until("all are of the new revision", done, 150_000);
    watching = false;
    await watch;
    expect(fewest).toBeGreaterThanOrEqual(7);
  }, 240_000);

  test("more workers than GPUs: Ready says how many, and what the scheduler says", async () => {
    run("patch", "wp", "chat-32b", "-n", "code", "--type=merge", "-p", '{"spec":{"scaling":{"minReplicas":3,"maxReplicas":3}}}');
    await until("it is told", async () => (await ready("WorkerPool", "chat-32b"))?.reason === "Unschedulable", 60_000);
    const { message } = await ready("WorkerPool", "chat-32b");
    process.stdout.write(`${message}\n`);
    expect(message).toMatch(/^2 of 3 workers serve: pod .*Insufficient nvidia.com\/gpu/);
  }, 120_000);

  test("deleting everything leaves nothing of it, and a foreground delete ends", async () => {
    run("delete", "wp", "inline-7b", "-n", "code", "--cascade=foreground", "--timeout=60s");
    run("delete", "cps,wp,mc", "--all", "-n", "code", "--timeout=60s");
    const owned: readonly KindName[] = [
      "Deployment",
      "Pod",
      "Service",
      "ConfigMap",
      "Job",
      "PodDisruptionBudget",
      "NetworkPolicy",
      "HorizontalPodAutoscaler",
      "PersistentVolumeClaim",
    ];
    const left = async () =>
      (await Promise.all(owned.map((kind) => kube.cluster.list(kinds[kind], "code", "app.kubernetes.io/managed-by=slipstream"))))
        .flat()
        .filter(({ kind, metadata }) => !(kind === "PersistentVolumeClaim" && metadata.deletionTimestamp));
    await until(
      "nothing is left",
      async () => (await left()).length === 0 && (await kube.cluster.list(kinds.Secret, "code")).length === 0,
      90_000,
    ).catch(async () => {
      expect((await left()).map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual([]);
    });
  }, 200_000);

  test("the CPU example rolls out as well", async () => {
    run("apply", "--server-side", "-f", join(root, "docs/examples/cpu-dev-pool.yaml"));
    await until("it is ready", async () => (await ready("CompletionService", "dev"))?.status === "True", 90_000);
    const text = readFileSync(join(root, "docs/examples/cpu-dev-pool.yaml"), "utf8");
    expect(parseAllDocuments(text).length).toBe(4);
    process.stdout.write(run("get", "wp,cps", "-n", "code"));
  }, 150_000);
});
