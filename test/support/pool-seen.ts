// pool-seen: a pool or a service as the operator sees it, from an object as a person writes it, ordinary in all that a test does not name.
import { completionServiceSpec } from "../../operator/api/completion-service.ts";
import { gpuClassSpec } from "../../operator/api/gpu-class.ts";
import { modelCacheSpec } from "../../operator/api/model-cache.ts";
import { readSpec } from "../../operator/api/read.ts";
import { workerPoolSpec } from "../../operator/api/worker-pool.ts";
import type { PoolSeen, ServiceSeen } from "../../operator/pool.ts";
import { cache, gpuClass, type Loose } from "./cluster-objects.ts";

export const setting = { image: "slipstream:1", namespace: "slipstream-system", natsServers: ["nats:4222"], bus: true };
export const live = (object: Loose) => ({ ...object, metadata: { ...object.metadata, uid: "u", generation: 1 } });

export function poolSeen(object: Loose, more: Partial<PoolSeen> = {}): PoolSeen {
  const spec = readSpec(workerPoolSpec, object.spec).spec;
  if (!spec) throw new Error(readSpec(workerPoolSpec, object.spec).problems.join());
  const caches = ["coder-7b", "coder-draft"].map((name) => {
    const made = cache((each) => (each.metadata.name = name));
    return [name, { object: live(made), spec: readSpec(modelCacheSpec, made.spec).spec as never, ready: undefined }] as const;
  });
  return {
    ...{
      pool: live(object),
      spec,
      gpuClass: readSpec(gpuClassSpec, gpuClass().spec).spec,
      caches: new Map(caches),
      workloads: [],
      pods: [],
    },
    ...{
      children: new Map(),
      services: [],
      priorityClasses: new Set(["slipstream-inline"]),
      servesLeaderWorkerSets: false,
      heard: new Set(),
      says: new Map(),
      seconds: [],
      classUse: undefined,
      ledSinceMs: 0,
    },
    ...{ figures: undefined, setting, wallMs: 0 },
    ...more,
  };
}

export const serviceSeen = (object: Loose, more: Partial<ServiceSeen> = {}): ServiceSeen => ({
  ...{ service: live(object), spec: readSpec(completionServiceSpec, object.spec).spec as ServiceSeen["spec"], pools: new Map() },
  ...{ children: new Map(), pods: [], priorityClasses: new Set(), figures: undefined, setting, wallMs: 0 },
  ...more,
});

/** A pod of a revision as its kubelet would have it. */
export const podOf = (revision: string, name: string, more: Loose = {}): Loose => {
  const { ready = true, leavingSince, bornMs = 0, restarts = 0, endedMs, conditions = [], annotations = {} } = more;
  const is = (type: string, holds: boolean, at = 0) => ({
    ...{ type, status: holds ? "True" : "False", lastTransitionTime: new Date(at).toISOString() },
  });
  const isLeaving = leavingSince !== undefined;
  return {
    ...{ apiVersion: "v1", kind: "Pod" },
    metadata: {
      ...{ name, namespace: "code", uid: name, creationTimestamp: new Date(bornMs).toISOString() },
      labels: { "app.kubernetes.io/component": "worker", "slipstream.dev/pool": "p", "slipstream.dev/revision": revision },
      annotations: {
        ...annotations,
        ...(isLeaving ? { "slipstream.dev/leaving-since": new Date(leavingSince).toISOString() } : {}),
      },
    },
    status: {
      containerStatuses: [
        {
          ...{ name: "agent", restartCount: restarts },
          ...(endedMs === undefined ? {} : { lastState: { terminated: { finishedAt: new Date(endedMs).toISOString() } } }),
        },
      ],
      conditions: [
        ...[is("ContainersReady", ready), is("Ready", ready && !isLeaving)],
        ...(ready || isLeaving ? [is("slipstream.dev/warm", !isLeaving, bornMs + 60_000)] : []),
        ...conditions,
      ],
    },
  };
};
