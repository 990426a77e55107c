// Mode External with the real HPA of kube-controller-manager on a real control plane: it reads the operator's own figures by the API for
// external metrics, writes the pool's scale, and pods come and go by its number; who else writes it is named. Nodes pretend to run pods,
// routers and workers are spoken for.
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MemoryBus } from "../../lib/bus/memory.ts";
import type { Kube } from "../../operator/kube/kube.ts";
import { createOperatorMetrics } from "../../operator/metrics.ts";
import { kinds } from "../../operator/objects.ts";
import type { Operator } from "../../operator/wire.ts";
import type { Loose } from "../support/cluster-objects.ts";
import { ControlPlane, controlPlane } from "../support/control-plane.ts";
import { ExternalMetrics } from "../support/external-metrics.ts";
import { hearingOperator } from "../support/hearing-operator.ts";
import { installed, send } from "../support/install.ts";
import { Kubelet } from "../support/kubelet.ts";
import { crowdSlots, SpokenCrowd } from "../support/spoken-crowd.ts";
import { until } from "../support/until.ts";
import { WatchedPods } from "../support/watched-pods.ts";

const metric = "slipstream_operator_in_system";

const scaled: Loose = {
  ...{ apiVersion: "slipstream.dev/v1alpha1", kind: "WorkerPool", metadata: { name: "scaled", namespace: "code" } },
  spec: {
    ...{ tier: "Inline", engine: { type: "Simulated", profile: "l40s-7b-eagle3", slots: crowdSlots }, drain: { timeout: "10s" } },
    scaling: { mode: "External", minReplicas: 1, maxReplicas: 6 },
    replicas: 1,
    podTemplate: { resources: { cpu: "250m", memory: "256Mi" }, annotations: { "test/cold-start-ms": "1000" } },
  },
};

/** As a person writes it: so many triggers in system for each worker; what an HPA waits for by default is shorter here. */
const autoscaler: Loose = {
  ...{ apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", metadata: { name: "scaled", namespace: "code" } },
  spec: {
    scaleTargetRef: { apiVersion: "slipstream.dev/v1alpha1", kind: "WorkerPool", name: "scaled" },
    ...{ minReplicas: 1, maxReplicas: 5 },
    metrics: [
      {
        type: "External",
        external: {
          metric: { name: metric, selector: { matchLabels: { pool: "scaled" } } },
          target: { type: "AverageValue", averageValue: String(crowdSlots) },
        },
      },
    ],
    behavior: { scaleDown: { stabilizationWindowSeconds: 10 } },
  },
};

describe.skipIf(controlPlane.path === undefined)("on a real control plane", () => {
  const bus = new MemoryBus({ shared: true });
  const registry = new Registry();
  let plane: ControlPlane;
  let kube: Kube;
  let kubelet: Kubelet;
  let operator: Operator;
  let pods: WatchedPods;
  let metrics: ExternalMetrics;

  const serving = () => pods.serving("scaled").length;
  const get = async (): Promise<Loose> => kube.cluster.get(kinds.WorkerPool, "code", "scaled");
  const active = async () => (await get()).status.conditions.find(({ type }: Loose) => type === "ScalingActive");

  /** As a scraper finds it in what the operator exports. */
  async function exported(name: string, pool: string): Promise<number | undefined> {
    const line = (await registry.metrics())
      .split("\n")
      .find((each) => each.startsWith(`${name}{`) && each.includes(`pool="${pool}"`));
    return line === undefined ? undefined : Number(line.split(" ").at(-1));
  }

  beforeAll(async () => {
    plane = await ControlPlane.start();
    kube = plane.kube();
    await installed(kube, ["code"]);
    await plane.controllers();
    await plane.scheduler();
    await Kubelet.node(kube, "cpu-1", {});
    kubelet = new Kubelet(kube);
    metrics = await ExternalMetrics.start(exported);
    const [service, registered] = metrics.objects as [Loose, Loose];
    expect((await send(kube, "POST", service)).message).toBe("");
    expect((await send(kube, "POST", registered, "", "/apis/apiregistration.k8s.io/v1/apiservices")).message).toBe("");
    pods = new WatchedPods({ namespace: "code", underWay: 4 }, { kube, bus });
    const operatorMetrics = createOperatorMetrics(registry);
    operator = hearingOperator({ name: "operator", leaseMs: 60_000 }, { target: plane.target(), bus, metrics: operatorMetrics });
    void operator.run();
    expect((await send(kube, "POST", scaled)).message).toBe("");
  }, 180_000);
  afterAll(async () => {
    pods?.close();
    await operator?.close();
    await metrics?.[Symbol.asyncDispose]();
    await kubelet?.close();
    await kube?.close();
    await plane?.[Symbol.asyncDispose]();
  });

  test("an HPA owns the number by the operator's figures: workers come for a burst and leave after it, and nobody is cut off", async () => {
    const crowd = new SpokenCrowd(bus, "scaled", 50, serving);
    try {
      await until("one serves", () => serving() === 1, 60_000);
      await until("the apiserver serves the metric", async () => (await exportedByApi()) !== undefined, 60_000);
      const path = "/apis/autoscaling/v2/namespaces/code/horizontalpodautoscalers";
      expect((await send(kube, "POST", autoscaler, "", path)).message).toBe("");
      crowd.rps = 220;
      await until("the HPA asks for more, and they serve", () => serving() >= 4, 120_000);
      await until("what waited is gone", () => crowd.queued === 0, 60_000);
      const grown = await get();
      expect(grown.spec.replicas).toBeGreaterThanOrEqual(4);
      expect(grown.status.scaling).toMatchObject({ reason: "External", desired: grown.spec.replicas });
      expect(await active()).toMatchObject({ status: "True", reason: "External" });
      crowd.rps = 20;
      await until("it asks for fewer, and they have left", () => pods.seen.length === 1 && serving() === 1, 180_000);
      expect(pods.workers.asked.filter((line) => line.endsWith("leaves")).length).toBeGreaterThanOrEqual(3);
      expect(pods.cutOff).toEqual([]);
      expect(await active()).toMatchObject({ status: "True", reason: "External" });
      expect((await get()).status.scaling.writers.map(({ name }: Loose) => name)).toEqual(["kube-controller-manager"]);
    } finally {
      crowd.close();
    }
  }, 400_000);

  test("a second writer of the number is named beside the HPA; in mode Slipstream the HPA itself is the one who should not", async () => {
    const crowd = new SpokenCrowd(bus, "scaled", 20, serving);
    try {
      const path = "/apis/slipstream.dev/v1alpha1/namespaces/code/workerpools/scaled/scale";
      const scale = { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "scaled", namespace: "code" } };
      const wrote = await send(kube, "PATCH", { ...scale, spec: { replicas: 3 } }, "?fieldManager=impatient", path);
      expect(wrote.message).toBe("");
      await until("the conflict is told", async () => (await active()).reason === "ReplicasConflict", 30_000);
      const told = await active();
      expect(told.status).toBe("False");
      expect(told.message).toContain('"impatient"');
      expect(told.message).toContain('"kube-controller-manager"');
      await send(kube, "PATCH", { ...scaled, spec: { scaling: { mode: "Slipstream" } } });
      await until(
        "who writes what is not followed is named",
        async () => /mode Slipstream does not follow/.test((await active()).message),
        30_000,
      );
      expect(await active()).toMatchObject({ status: "False", reason: "ReplicasConflict" });
    } finally {
      crowd.close();
    }
  }, 200_000);

  /** By the way that the HPA takes. */
  async function exportedByApi(): Promise<number | undefined> {
    const list = { apiVersion: "external.metrics.k8s.io/v1beta1", kind: "ExternalMetricValueList", metadata: { name: metric } };
    const path = `/apis/${list.apiVersion}/namespaces/code/${metric}?labelSelector=pool%3Dscaled`;
    const { stream, status } = await kube.connection.ask({ method: "GET", path, headers: {} }, AbortSignal.timeout(5_000));
    let text = "";
    for await (const part of stream) text += part;
    return status === 200 ? Number(JSON.parse(text).items[0]?.value) : undefined;
  }
});
