// cluster-objects: whole and valid custom resources for tests to change.

// biome-ignore lint/suspicious/noExplicitAny: tests change any field of them
export type Loose = any;

export const digest = `sha256:${"a".repeat(64)}`;
export const draftDigest = `sha256:${"b".repeat(64)}`;

export const pool = (change: (pool: Loose) => void = () => undefined): Loose => {
  const made = {
    apiVersion: "slipstream.dev/v1alpha1",
    kind: "WorkerPool",
    metadata: { name: "inline-7b", namespace: "code" },
    spec: {
      tier: "Inline",
      model: { cacheRef: "coder-7b", revision: digest },
      engine: { type: "VLLM", args: ["--max-num-seqs=16"] },
      speculative: {
        method: "DraftModel",
        draft: { cacheRef: "coder-draft", revision: draftDigest },
        numTokens: 5,
        disableAboveBatch: 12,
      },
      gpu: { classRef: "l40s", count: 1 },
      scaling: { mode: "Fixed", minReplicas: 1, maxReplicas: 8 },
      replicas: 2,
    },
  };
  change(made);
  return made;
};

/** Of the CPU, nothing fetched. */
export const cpuPool = (change: (pool: Loose) => void = () => undefined): Loose => {
  const made = {
    apiVersion: "slipstream.dev/v1alpha1",
    kind: "WorkerPool",
    metadata: { name: "dev", namespace: "code" },
    spec: { tier: "Inline", engine: { type: "Embedded" }, scaling: { mode: "Fixed" }, replicas: 1 },
  };
  change(made);
  return made;
};

export const service = (change: (service: Loose) => void = () => undefined): Loose => {
  const made = {
    apiVersion: "slipstream.dev/v1alpha1",
    kind: "CompletionService",
    metadata: { name: "acme", namespace: "code" },
    spec: { tiers: [{ name: "inline", pools: ["inline-7b"] }] },
  };
  change(made);
  return made;
};

export const cache = (change: (cache: Loose) => void = () => undefined): Loose => {
  const made = {
    apiVersion: "slipstream.dev/v1alpha1",
    kind: "ModelCache",
    metadata: { name: "coder-7b", namespace: "code" },
    spec: {
      source: { uri: "hf://acme/coder-7b" },
      revision: digest,
      storage: { mode: "PersistentVolume", size: "20Gi" },
    },
  };
  change(made);
  return made;
};

export const gpuClass = (change: (made: Loose) => void = () => undefined): Loose => {
  const made = {
    apiVersion: "slipstream.dev/v1alpha1",
    kind: "GPUClass",
    metadata: { name: "l40s" },
    spec: { devicePlugin: "nvidia.com/gpu", nodeSelector: { "nvidia.com/gpu.product": "NVIDIA-L40S" }, memory: "48Gi" },
  };
  change(made);
  return made;
};
