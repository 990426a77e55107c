// Deciding and acting together on a real control plane, its nodes kwok's: a burst makes pods come, which serve some seconds later, and the
// pool shrinks again, each worker in two phases; a revision takes the place of another where every GPU is in use. The operator is killed
// during each. Routers and workers are spoken for: a crowd whose queue follows from who serves.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MemoryBus } from "../../lib/bus/memory.ts";
import type { Kube } from "../../operator/kube/kube.ts";
import { kinds } from "../../operator/objects.ts";
import type { Operator } from "../../operator/wire.ts";
import { digest, gpuClass, type Loose, pool } from "../support/cluster-objects.ts";
import { ControlPlane, controlPlane, kwok } from "../support/control-plane.ts";
import { hearingOperator } from "../support/hearing-operator.ts";
import { installed, send } from "../support/install.ts";
import { crowdSlots, SpokenCrowd } from "../support/spoken-crowd.ts";
import { until } from "../support/until.ts";
import { WatchedPods } from "../support/watched-pods.ts";

const targetMs = 88;

const elastic: Loose = {
  ...{ apiVersion: "slipstream.dev/v1alpha1", kind: "WorkerPool", metadata: { name: "elastic", namespace: "code" } },
  spec: {
    ...{ tier: "Inline", engine: { type: "Simulated", profile: "l40s-7b-eagle3", slots: crowdSlots } },
    scaling: { mode: "Slipstream", minReplicas: 2, maxReplicas: 9, scaleDown: { hold: "2s", step: 9 } },
    podTemplate: { resources: { cpu: "250m", memory: "256Mi" }, annotations: { "slipstream.dev/test-cold-start": "4s" } },
    drain: { timeout: "10s" },
  },
};

const full = pool((made) => {
  made.metadata.name = "full";
  Object.assign(made.spec, {
    ...{ model: { image: `models.example/coder@${digest}`, revision: digest }, speculative: { method: "NGram", numTokens: 3 } },
    ...{ replicas: 4, scaling: { mode: "Fixed", maxReplicas: 4 }, rollout: { strategy: "Auto" }, drain: { timeout: "10s" } },
    podTemplate: { annotations: { "slipstream.dev/test-cold-start": "2s" } },
  });
});

describe.skipIf(controlPlane.path === undefined || kwok.path === undefined)("on a real control plane", () => {
  const bus = new MemoryBus({ shared: true });
  let plane: ControlPlane;
  let kube: Kube;
  let token: string;
  let operator: Operator;
  let pods: WatchedPods;

  const serving = (name: string) => pods.serving(name);
  const get = async (name: string): Promise<Loose> => kube.cluster.get(kinds.WorkerPool, "code", name);

  function operate(name: string): Operator {
    const made = hearingOperator({ name, leaseMs: 10_000 }, { target: plane.target(token), bus });
    // Who loses its lease on a busy machine ends, and is started anew, as by its Deployment.
    void made.run().catch(() => {
      if (made === operator) operator = operate(`${name}'`);
    });
    return made;
  }
  /** The operator dies, and another takes its place when the lease is over. */
  async function killed(name: string): Promise<void> {
    const before = operator;
    operator = operate(name);
    await before.kill();
    await until("another leads", () => operator.leading, 30_000);
  }

  beforeAll(async () => {
    plane = await ControlPlane.start();
    kube = plane.kube();
    await installed(kube, ["code"]);
    await plane.controllers();
    await plane.scheduler();
    await plane.pretend();
    const node = (name: string, labels: object, gpus: object) => {
      const capacity = { cpu: "64", memory: "512Gi", pods: "110", "ephemeral-storage": "500Gi", ...gpus };
      const metadata = { name, labels: { "kubernetes.io/hostname": name, ...labels } };
      return { apiVersion: "v1", kind: "Node", metadata, spec: {}, status: { capacity, allocatable: capacity } };
    };
    await send(kube, "POST", node("cpu-1", {}, {}));
    await send(kube, "POST", node("gpu-1", { "nvidia.com/gpu.product": "NVIDIA-L40S" }, { "nvidia.com/gpu": "4" }));
    const path = "/api/v1/namespaces/slipstream-system/serviceaccounts/slipstream-operator/token";
    const asked = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 3_600 } };
    token = (await send(kube, "POST", asked, "", path)).body.status.token;
    pods = new WatchedPods({ namespace: "code", underWay: 8 }, { kube, bus });
    operator = operate("operator-0");
    for (const object of [gpuClass((made) => (made.spec.total = 4)), elastic, full])
      expect((await send(kube, "POST", object)).message).toBe("");
  }, 180_000);
  afterAll(async () => {
    pods?.close();
    await operator?.close();
    await kube?.close();
    await plane?.[Symbol.asyncDispose]();
  });

  test("a burst makes workers come, the pool shrinks again without cutting anybody off, and two operators die meanwhile", async () => {
    const crowd = new SpokenCrowd(bus, "elastic", 60, () => serving("elastic").length);
    try {
      await until("two serve", () => serving("elastic").length === 2, 60_000);
      await until("it is calm", () => crowd.p95Ms < targetMs, 30_000);
      crowd.rps = 420;
      await until("it is felt", () => crowd.p95Ms > targetMs, 15_000);
      await until("more are wanted", async () => (await get("elastic")).status.scaling.desired > 2, 20_000);
      await killed("operator-1");
      await until("people are served in time again", () => crowd.p95Ms < targetMs && serving("elastic").length >= 6, 60_000);
      const most = (await get("elastic")).status.scaling.desired;
      crowd.rps = 60;
      crowd.silent = true;
      const stale = async () => (await get("elastic")).status.conditions.find(({ type }: Loose) => type === "ScalingActive");
      await until("it is said that nobody reports", async () => (await stale()).reason === "MetricsStale", 20_000);
      expect([(await stale()).status, (await get("elastic")).status.scaling.desired]).toEqual(["False", most]);
      crowd.silent = false;
      await until(
        "some leave",
        () => pods.workers.asked.some((line) => line.startsWith("elastic") && line.endsWith("leaves")),
        150_000,
      );
      await killed("operator-2");
      let said: Loose;
      const few = async () => {
        said = (await get("elastic")).status;
        const { desired } = said.scaling;
        // What the burst taught of headroom may keep one or two more than before it.
        return desired <= 4 && pods.of("elastic").length === desired && serving("elastic").length === desired;
      };
      await until("few are left", few, 120_000).catch(() => undefined);
      const { scaling, conditions, ready } = said;
      const told = JSON.stringify({
        ready,
        conditions,
        now: { ...scaling, memory: "", lastDecisions: scaling.lastDecisions.slice(0, 2) },
      });
      expect([scaling.desired <= 4, pods.of("elastic").length, pods.cutOff], told).toEqual([true, scaling.desired, []]);
      expect(scaling.lastDecisions.map(({ from, to }: Loose) => to > from)).toContain(true);
      process.stdout.write(`second,load,workers,p95\n${crowd.history.filter((_, i) => i % 5 === 0).join("\n")}\n`);
      process.stdout.write(`${JSON.stringify(scaling.lastDecisions)}\n`);
    } finally {
      crowd.close();
    }
  }, 400_000);

  test("a rollout with every GPU in use: one is handed on after the other, seldom one missing, nobody cut off, an operator dies", async () => {
    const crowd = new SpokenCrowd(bus, "full", 60, () => serving("full").length);
    let fewest = 4;
    const watching = setInterval(() => {
      fewest = Math.min(fewest, serving("full").length);
    }, 100);
    try {
      await until("four serve", () => serving("full").length === 4, 90_000);
      fewest = 4;
      await until("the load is known", async () => Number((await get("full")).status.scaling.loadRps) > 30, 60_000);
      const before = (await get("full")).status.currentRevision;
      await send(kube, "PATCH", { ...full, spec: { speculative: { numTokens: 4 } } });
      await until("the first is handed on", async () => (await get("full")).status.rollout?.way === "HandOff", 30_000);
      await until(
        "one has come",
        () => serving("full").some(({ metadata }) => metadata.labels["slipstream.dev/revision"] !== before),
        60_000,
      );
      await killed("operator-3");
      const done = async () => {
        const { status } = await get("full");
        return status.currentRevision !== before && status.currentRevision === status.updateRevision && status.ready === "4/4";
      };
      await until("all are of the new revision", done, 150_000);
      expect([fewest, pods.cutOff]).toEqual([3, []]);
      process.stdout.write(
        `rollout of 4 on 4 GPUs: never under ${fewest} serve, ${pods.workers.asked.length} asked to leave, 0 cut off\n`,
      );
    } finally {
      clearInterval(watching);
      crowd.close();
    }
  }, 400_000);
});
