// kubelet-facts: pools that cannot serve, each for a reason that only a real kubelet makes, and a model that waits on a volume.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../tools/child.ts";
import type { Loose } from "./cluster-objects.ts";

const pool = (name: string, spec: Loose): Loose => ({
  ...{ apiVersion: "slipstream.dev/v1alpha1", kind: "WorkerPool", metadata: { name, namespace: "code" } },
  spec: { tier: "Chat", scaling: { mode: "Fixed" }, replicas: 1, ...spec },
});
const pretended = { type: "Simulated", profile: "h100-7b-eagle3" };

/** Node alone wants more than so much. */
export const starved = pool("starved", { engine: pretended, podTemplate: { resources: { cpu: "50m", memory: "40Mi" } } });

/** Of a registry that nobody is. */
export const unpullable = pool("unpullable", {
  ...{ engine: pretended, agentImage: "registry.invalid/slipstream:none" },
  podTemplate: { resources: { cpu: "50m", memory: "256Mi" } },
});

const file = "slipstream-draft-1m-q8_0.gguf";
export const modelsPort = 8_000;

const product = { "nvidia.com/gpu.product": "NVIDIA-L40S" };

/** What a device plugin would say of a node: so many GPUs, of this kind. The kubelet offers what its status says. */
export const offered = (gpus: number) => ({
  labels: Object.entries(product).map(([name, value]) => `${name}=${value}`),
  patch: JSON.stringify([{ op: "add", path: "/status/capacity/nvidia.com~1gpu", value: String(gpus) }]),
});

/** Workers with a GPU each, of the model that `kept` keeps; there is no image of their engine here. */
export const accelerated = (replicas: number): Loose[] => [
  {
    ...{ apiVersion: "slipstream.dev/v1alpha1", kind: "GPUClass", metadata: { name: "l40s" } },
    spec: { devicePlugin: "nvidia.com/gpu", nodeSelector: product, memory: "48Gi" },
  },
  pool("accelerated", {
    ...{ engine: { type: "VLLM" }, gpu: { classRef: "l40s", count: 1 }, replicas },
    model: { cacheRef: "small", revision: digestOf(), name: "small" },
    podTemplate: { resources: { cpu: "50m", memory: "64Mi" } },
  }),
];

const digestOf = () =>
  `sha256:${createHash("sha256")
    .update(readFileSync(join(root, "models", file)))
    .digest("hex")}`;

/** A volume by hand, as where no provisioner is; a cache that a Job fills from `address`, and a pool that serves from it. */
export function kept(address: string, node: string, folder: string): Loose[] {
  const digest = digestOf();
  const storage = { storage: "100Mi" };
  return [
    {
      ...{ apiVersion: "v1", kind: "PersistentVolume", metadata: { name: "models" } },
      spec: {
        ...{
          capacity: storage,
          accessModes: ["ReadWriteOnce"],
          hostPath: { path: folder },
          persistentVolumeReclaimPolicy: "Delete",
        },
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }] }],
          },
        },
      },
    },
    {
      ...{ apiVersion: "slipstream.dev/v1alpha1", kind: "ModelCache", metadata: { name: "small", namespace: "code" } },
      spec: {
        ...{ source: { uri: `http://${address}:${modelsPort}/${file}` }, revision: digest, checksum: digest },
        storage: { mode: "PersistentVolume", size: "100Mi", accessMode: "ReadWriteOnce" },
      },
    },
    serving("kept", "small"),
  ];
}

/** The same model in a folder of each pod's own, which it fills before it starts. */
export function carried(address: string): Loose[] {
  const digest = digestOf();
  return [
    {
      ...{ apiVersion: "slipstream.dev/v1alpha1", kind: "ModelCache", metadata: { name: "own", namespace: "code" } },
      spec: {
        ...{ source: { uri: `http://${address}:${modelsPort}/${file}` }, revision: digest, checksum: digest },
        storage: { mode: "Pod", size: "100Mi" },
      },
    },
    serving("carried", "own"),
  ];
}

const serving = (name: string, cacheRef: string) =>
  pool(name, {
    ...{ tier: "Inline", engine: { type: "Embedded", slots: 1 }, model: { cacheRef, revision: digestOf(), name: "small" } },
    podTemplate: { resources: { cpu: "100m", memory: "512Mi" } },
  });
