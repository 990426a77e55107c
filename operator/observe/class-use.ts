// class-use: the pools of a GPUClass in, who asks for its accelerators and how many others hold out. From the statuses of pools alone:
// what others decided a second ago.
import type { GpuClassSpec } from "../api/gpu-class.ts";
import { readSpec } from "../api/read.ts";
import { workerPoolSpec } from "../api/worker-pool.ts";
import type { Claim } from "../moves.ts";
import { type KubeObject, keyOf } from "../objects.ts";
import type { ClassUse } from "../pool.ts";
import type { Stores } from "./observe.ts";

export function classUse(stores: Pick<Stores, "by">, classRef: string, self: KubeObject, spec: GpuClassSpec | undefined): ClassUse {
  const pools = [...stores.by("WorkerPool", "gpuClass", classRef)]
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined || metadata.uid === self.metadata.uid)
    .sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
  const claims = pools.flatMap((pool) => claimOf(pool) ?? []);
  const others = pools.filter((pool) => keyOf(pool) !== keyOf(self));
  const held = (pool: KubeObject) => (claimOf(pool)?.gpus ?? 0) * Number(pool.status?.replicas ?? 0);
  // Where it is not said, nodes may be added: then a pod that waits is what adds one.
  return { total: spec?.total, claims, heldByOthers: others.reduce((all, pool) => all + held(pool), 0) };
}

function claimOf(pool: KubeObject): Claim | undefined {
  const { spec } = readSpec(workerPoolSpec, pool.spec);
  if (!spec?.gpu) return undefined;
  const { mode, minReplicas } = spec.scaling;
  const said = pool.status?.scaling?.asked ?? pool.status?.scaling?.desired;
  return {
    ...{ pool: keyOf(pool), tier: spec.tier, gpus: spec.gpu.count * spec.parallelism.nodes },
    minReplicas: spec.suspend ? 0 : mode === "Fixed" ? (spec.replicas ?? 0) : minReplicas,
    wanted: spec.suspend ? 0 : Number(said ?? (mode === "Fixed" ? spec.replicas : minReplicas)),
  };
}
