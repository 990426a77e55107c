// fake-controllers: what a cluster does with the operator's objects, small and at once: pods of Deployments, their readiness, Jobs
// that end. A test says what goes wrong with which pod.
import type { Loose } from "./cluster-objects.ts";
import type { FakeStorage, StoredEvent } from "./fake-storage.ts";

export interface Behaviour {
  /** Changes a pod's status as it would be; by default it is scheduled and its containers are ready. */
  readonly pod?: (pod: Loose) => void;
  readonly job?: "Complete" | "Failed" | "runs";
  /** Pods that there is room for, each Deployment counted; beyond it they are unschedulable. */
  readonly room?: number;
}

export class FakeControllers {
  readonly #storage: FakeStorage;
  behaviour: Behaviour;
  #serial = 0;
  #busy = false;

  constructor(storage: FakeStorage, behaviour: Behaviour = {}) {
    this.#storage = storage;
    this.behaviour = behaviour;
    storage.listeners.add((event) => this.#on(event));
  }

  #on({ object: { kind } }: StoredEvent): void {
    if (!["Deployment", "Pod", "Job"].includes(kind)) return;
    this.settle();
  }

  /** Until nothing changes any more. */
  settle(): void {
    if (this.#busy) return;
    this.#busy = true;
    for (let last = -1; last !== this.#storage.version; ) {
      last = this.#storage.version;
      for (const deployment of this.#storage.of("deployments")) this.#deployment(deployment);
      for (const pod of this.#storage.of("pods")) this.#pod(pod);
      for (const job of this.#storage.of("jobs")) this.#job(job);
    }
    this.#busy = false;
  }

  #deployment({ metadata, spec }: Loose): void {
    const mine = this.#storage.of("pods").filter((pod) => pod.metadata.ownerReferences?.[0]?.uid === metadata.uid);
    const wanted = spec.replicas ?? 1;
    for (let i = mine.length; i < wanted; i++) {
      this.#storage.create("pods", {
        apiVersion: "v1",
        kind: "Pod",
        metadata: {
          namespace: metadata.namespace,
          name: `${metadata.name}-${++this.#serial}`,
          ...spec.template.metadata,
          ownerReferences: [{ apiVersion: "apps/v1", kind: "Deployment", name: metadata.name, uid: metadata.uid }],
        },
        spec: spec.template.spec,
        status: { phase: "Pending", conditions: [] },
      });
    }
    const over = Math.max(0, mine.length - wanted);
    for (const pod of [...mine].sort((a, b) => readiness(a) - readiness(b) || cost(a) - cost(b)).slice(0, over))
      this.#storage.delete("pods", metadata.namespace, pod.metadata.name);
  }

  #pod(pod: Loose): void {
    if (pod.status?.phase === "Succeeded") return;
    const all = this.#storage.of("pods");
    const conditions: Loose[] = pod.status.conditions.filter(
      (each: Loose) => !["PodScheduled", "ContainersReady", "Ready"].includes(each.type),
    );
    const next = structuredClone(pod);
    const placed = all.filter((each) =>
      each.status.conditions.some((one: Loose) => one.type === "PodScheduled" && one.status === "True"),
    );
    const fits = placed.includes(pod) || placed.length < (this.behaviour.room ?? Number.POSITIVE_INFINITY);
    if (!fits) {
      next.status = {
        phase: "Pending",
        conditions: [
          ...conditions,
          {
            type: "PodScheduled",
            status: "False",
            reason: "Unschedulable",
            message: "0/4 nodes are available: 4 Insufficient nvidia.com/gpu. no new claims to deallocate.",
          },
        ],
      };
    } else {
      next.status = {
        phase: "Running",
        conditions: [...conditions, { type: "PodScheduled", status: "True" }, { type: "ContainersReady", status: "True" }],
      };
      this.behaviour.pod?.(next);
      const holds = (type: string) => next.status.conditions.some((each: Loose) => each.type === type && each.status === "True");
      const gates = (next.spec.readinessGates ?? []).map((gate: Loose) => gate.conditionType);
      if (holds("ContainersReady") && gates.every(holds)) next.status.conditions.push({ type: "Ready", status: "True" });
    }
    if (JSON.stringify(next.status) === JSON.stringify(pod.status)) return;
    this.#storage.change("pods", pod.metadata.namespace, pod.metadata.name, (live) => {
      live.status = next.status;
    });
  }

  #job({ metadata, status }: Loose): void {
    const end = this.behaviour.job ?? "Complete";
    if (status?.conditions?.length > 0 || end === "runs") return;
    this.#storage.change("jobs", metadata.namespace, metadata.name, (live) => {
      live.status = {
        conditions: [{ type: end, status: "True", ...(end === "Failed" ? { message: "BackoffLimitExceeded" } : {}) }],
      };
    });
  }
}

/** As a ReplicaSet chooses: who is not ready first, then who costs least. */
const readiness = (pod: Loose): number => (isReady(pod) ? 1 : 0);
const cost = ({ metadata }: Loose): number => Number(metadata.annotations?.["controller.kubernetes.io/pod-deletion-cost"] ?? 0);

function isReady(pod: Loose): boolean {
  return pod.status.conditions.some((each: Loose) => each.type === "Ready" && each.status === "True");
}
