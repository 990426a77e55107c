// kubelet: nodes that only pretend to run their pods, on a real control plane with stages of a test's own: a pod that is placed is
// running after a while (annotation `test/cold-start-ms`), its containers ready then; Ready follows its readiness gates, as a real
// kubelet does and the stock stages of simulators do not. Jobs' pods succeed. What is deleted goes.
import type { Kube } from "../../operator/kube/kube.ts";
import { kinds } from "../../operator/objects.ts";
import type { Loose } from "./cluster-objects.ts";
import { send } from "./install.ts";

const everyMs = 150;

export class Kubelet {
  readonly #kube: Kube;
  readonly #since = new Map<string, number>();
  #running = true;
  #loop: Promise<void>;

  constructor(kube: Kube) {
    this.#kube = kube;
    this.#loop = this.#run();
  }

  static async node(kube: Kube, name: string, more: { labels?: object; gpus?: number; taints?: readonly object[] }): Promise<void> {
    const { labels = {}, gpus = 0, taints = [] } = more;
    const capacity = {
      cpu: "64",
      memory: "512Gi",
      pods: "110",
      "ephemeral-storage": "500Gi",
      ...(gpus > 0 ? { "nvidia.com/gpu": String(gpus) } : {}),
    };
    const metadata = { name, labels: { "kubernetes.io/hostname": name, ...labels } };
    const node = { apiVersion: "v1", kind: "Node", metadata, spec: { taints } };
    await send(kube, "POST", node);
    const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
    const ready = {
      type: "Ready",
      status: "True",
      reason: "KubeletReady",
      message: "",
      lastHeartbeatTime: now,
      lastTransitionTime: now,
    };
    await send(
      kube,
      "PATCH",
      { ...node, status: { capacity, allocatable: capacity, conditions: [ready] } },
      "",
      `/api/v1/nodes/${name}/status`,
    );
    // The controller taints a node that is new; nobody but this makes it well.
    await send(kube, "PATCH", { ...node, spec: { taints } }, "", `/api/v1/nodes/${name}`);
  }

  async close(): Promise<void> {
    this.#running = false;
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (this.#running) {
      try {
        for (const pod of await this.#kube.cluster.list(kinds.Pod)) await this.#pod(pod);
      } catch {
        // An apiserver that is away is asked again.
      }
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }

  async #pod(pod: Loose): Promise<void> {
    const { metadata, spec, status } = pod;
    const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
    if (metadata.deletionTimestamp) {
      const atOnce = { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: 0 };
      await send(this.#kube, "DELETE", atOnce, "", path);
      return;
    }
    if (!spec.nodeName || status.phase === "Succeeded") return;
    const since = this.#since.get(metadata.uid) ?? Date.now();
    this.#since.set(metadata.uid, since);
    if (Date.now() - since < Number(metadata.annotations?.["test/cold-start-ms"] ?? 0)) return;
    const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
    const holds = (type: string) => (status.conditions ?? []).some((each: Loose) => each.type === type && each.status === "True");
    const of = (type: string, is: boolean) => ({ type, status: is ? "True" : "False", lastTransitionTime: now });
    if ((metadata.ownerReferences ?? []).some(({ kind }: Loose) => kind === "Job")) {
      await send(
        this.#kube,
        "PATCH",
        { apiVersion: "v1", kind: "Pod", metadata: { name: metadata.name }, status: { phase: "Succeeded" } },
        "",
        `${path}/status`,
      );
      return;
    }
    const ready = (spec.readinessGates ?? []).every((gate: Loose) => holds(gate.conditionType));
    if (status.phase === "Running" && holds("ContainersReady") && holds("Ready") === ready) return;
    const gates = (status.conditions ?? []).filter(
      (each: Loose) => !["Initialized", "ContainersReady", "Ready"].includes(each.type),
    );
    const conditions = [...gates, of("Initialized", true), of("ContainersReady", true), of("Ready", ready)];
    const next = { phase: "Running", podIP: "10.1.0.1", podIPs: [{ ip: "10.1.0.1" }], startTime: now, conditions };
    // Of the version that was seen: who told a gate meanwhile is not overwritten.
    await send(
      this.#kube,
      "PATCH",
      { apiVersion: "v1", kind: "Pod", metadata: { name: metadata.name, resourceVersion: metadata.resourceVersion }, status: next },
      "",
      `${path}/status`,
    );
  }
}
