// Workers that are several pods, on a real control plane: with the definition of LeaderWorkerSets alone what the operator writes is
// taken, with their controller groups of pods come up, are replaced by those of another revision, and go.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Kube } from "../../operator/kube/kube.ts";
import { kinds } from "../../operator/objects.ts";
import type { Operator } from "../../operator/wire.ts";
import { digest, gpuClass, type Loose, pool } from "../support/cluster-objects.ts";
import { ControlPlane, controlPlane } from "../support/control-plane.ts";
import { installed, send } from "../support/install.ts";
import { Kubelet } from "../support/kubelet.ts";
import { defineLeaderWorkerSets, lws, runLeaderWorkerSets } from "../support/lws.ts";
import { operatorOn } from "../support/plane-operator.ts";
import { until } from "../support/until.ts";

const wide = pool((made) => {
  made.metadata.name = "wide";
  Object.assign(made.spec, {
    ...{ tier: "Chat", model: { image: `models.example/coder@${digest}`, revision: digest } },
    ...{ speculative: { method: "NGram", numTokens: 3 }, parallelism: { tensor: 8, pipeline: 1, nodes: 2 } },
    ...{ gpu: { classRef: "l40s", count: 4 }, replicas: 1 },
  });
});

describe.skipIf(controlPlane.path === undefined || lws.path === undefined)("workers of two pods", () => {
  let plane: ControlPlane;
  let kube: Kube;
  let kubelet: Kubelet;
  let operator: Operator;

  const get = async (): Promise<Loose> => kube.cluster.get(kinds.WorkerPool, "code", "wide");
  const ready = async (): Promise<Loose> => (await get())?.status?.conditions?.find(({ type }: Loose) => type === "Ready");
  const pods = () => kube.cluster.list(kinds.Pod, "code", "slipstream.dev/pool=wide") as Promise<Loose[]>;
  const sets = () => kube.cluster.list(kinds.LeaderWorkerSet, "code") as Promise<Loose[]>;

  beforeAll(async () => {
    plane = await ControlPlane.start();
    kube = plane.kube();
    await installed(kube, ["code"]);
    await defineLeaderWorkerSets(kube);
    await plane.controllers();
    await plane.scheduler();
    for (const name of ["gpu-1", "gpu-2", "gpu-3"])
      await Kubelet.node(kube, name, { labels: { "nvidia.com/gpu.product": "NVIDIA-L40S" }, gpus: 8 });
    kubelet = new Kubelet(plane.kube());
    operator = await operatorOn(plane, kube);
  }, 180_000);
  afterAll(async () => {
    await operator?.close();
    await kubelet?.close();
    await kube?.close();
    await plane?.[Symbol.asyncDispose]();
  });

  test("a server that has the definition takes what the operator writes, and nothing of it is refused", async () => {
    for (const object of [gpuClass(), wide]) expect((await send(kube, "POST", object)).message).toBe("");
    await until("the set is there", async () => (await sets()).length === 1, 60_000);
    const [set] = await sets();
    expect(set?.spec).toMatchObject({ replicas: 1, leaderWorkerTemplate: { size: 2, restartPolicy: "RecreateGroupOnPodRestart" } });
    // The status is written after the objects are.
    await until("its start is told", async () => (await ready()) !== undefined, 30_000);
    expect(await ready()).toMatchObject({ status: "False", reason: "Starting" });
  }, 90_000);

  test("with their controller both pods come up, the leader stands for the worker, and followers know where it is", async () => {
    await runLeaderWorkerSets(plane, kube);
    await until("the worker serves", async () => (await ready())?.reason === "Complete", 90_000).catch(() => undefined);
    expect({ ready: await ready(), log: plane.logOf("lws").split("\n").slice(-5) }).toMatchObject({ ready: { status: "True" } });
    const all = await pods();
    const of = (component: string) =>
      all.filter(({ metadata }) => metadata.labels["app.kubernetes.io/component"] === component) as Loose[];
    expect([of("worker").length, of("worker-follower").length]).toEqual([1, 1]);
    expect((await get()).status).toMatchObject({ replicas: 1, readyReplicas: 1, warmReplicas: 1, ready: "1/1", gpu: "8×l40s" });
    const [follower] = of("worker-follower");
    expect(follower.spec.containers.map(({ name }: Loose) => name)).toEqual(["engine"]);
    const env = Object.fromEntries(follower.spec.containers[0].env.map(({ name, value }: Loose) => [name, value]));
    expect([env["LWS_LEADER_ADDRESS"], env["LWS_WORKER_INDEX"]]).toEqual([expect.stringContaining("wide-"), "1"]);
  }, 120_000);

  test("another revision takes the place of the first group by group, and deleting leaves nothing", async () => {
    const before = (await get()).status.currentRevision;
    await send(kube, "PATCH", { ...wide, spec: { speculative: { numTokens: 4 } } });
    await until(
      "the new revision serves alone",
      async () => {
        const { status } = await get();
        return status.currentRevision !== before && status.ready === "1/1" && (await sets()).length === 1;
      },
      120_000,
    );
    await kube.cluster.remove(await get());
    await until("all is gone", async () => (await pods()).length + (await sets()).length === 0, 150_000);
  }, 300_000);
});
