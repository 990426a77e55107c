// pool: the nouns of the operator's path: what is seen of a pool, a model cache or a service at one moment, what is judged of it,
// and what is to be done.
import type { CompletionServiceSpec } from "./api/completion-service.ts";
import type { ConditionType, ReasonWord } from "./api/conditions.ts";
import type { GpuClassSpec } from "./api/gpu-class.ts";
import type { ModelCacheSpec } from "./api/model-cache.ts";
import type { WorkerPoolSpec } from "./api/worker-pool.ts";
import type { KubeObject } from "./objects.ts";

/** How the operator was set up: the same for every object. */
export interface Setting {
  /** Image of agents and routers, where the object names none. */
  readonly image: string;
  /** Where the operator runs and keeps authorities. */
  readonly namespace: string;
  /** NATS servers of pools that no service gives any. */
  readonly natsServers: readonly string[];
  /** The operator hears the bus. */
  readonly bus: boolean;
}

/** What routers said of a pool lately; absent: none did. */
export interface PoolFigures {
  readonly p95Ms: number | undefined;
  /** Share of the last seconds within the target, given the target. */
  readonly attainment: (targetMs: number) => number | undefined;
  readonly acceptance: number | undefined;
}

export interface SeenCache {
  readonly object: KubeObject;
  readonly spec: ModelCacheSpec;
  readonly ready: { readonly status: string; readonly reason: string; readonly message: string } | undefined;
}

export interface PoolSeen {
  readonly pool: KubeObject;
  readonly spec: WorkerPoolSpec;
  readonly gpuClass: GpuClassSpec | undefined;
  readonly caches: ReadonlyMap<string, SeenCache>;
  /** Deployments or LeaderWorkerSets of the pool, one a revision. */
  readonly workloads: readonly KubeObject[];
  readonly pods: readonly KubeObject[];
  /** What else is owned, by `Kind/name`. */
  readonly children: ReadonlyMap<string, KubeObject>;
  readonly services: readonly { readonly name: string; readonly spec: CompletionServiceSpec }[];
  readonly priorityClasses: ReadonlySet<string>;
  readonly servesLeaderWorkerSets: boolean;
  /** Workers that said on the bus that they serve. */
  readonly heard: ReadonlySet<string>;
  readonly figures: PoolFigures | undefined;
  readonly setting: Setting;
  readonly wallMs: number;
}

export interface CacheSeen {
  readonly cache: KubeObject;
  readonly spec: ModelCacheSpec;
  readonly children: ReadonlyMap<string, KubeObject>;
  readonly pods: readonly KubeObject[];
  readonly gpuClass: GpuClassSpec | undefined;
  /** Names of the nodes of that class. */
  readonly nodes: readonly string[];
  readonly setting: Setting;
  readonly wallMs: number;
}

export interface ServiceSeen {
  readonly service: KubeObject;
  readonly spec: CompletionServiceSpec;
  readonly pools: ReadonlyMap<string, KubeObject>;
  readonly children: ReadonlyMap<string, KubeObject>;
  readonly pods: readonly KubeObject[];
  readonly priorityClasses: ReadonlySet<string>;
  readonly figures: PoolFigures | undefined;
  readonly setting: Setting;
  readonly wallMs: number;
}

export interface Judged {
  readonly type: ConditionType;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: ReasonWord;
  readonly message: string;
}

export interface Share {
  readonly revision: string;
  readonly replicas: number;
}

export interface PoolVerdict {
  /** The spec names what is not there: nothing is built, what serves goes on. */
  readonly halted: boolean;
  readonly wanted: number;
  readonly revision: string;
  /** Wanted workers of each revision that lives on. */
  readonly shares: readonly Share[];
  readonly retired: readonly string[];
  /** Pods whose warm-up is done and not yet told. */
  readonly warmed: readonly KubeObject[];
  readonly counts: Readonly<Record<"pods" | "ready" | "warm" | "starting" | "draining" | "updated", number>>;
  readonly conditions: readonly Judged[];
  readonly decided: { readonly from: number; readonly to: number; readonly reason: ReasonWord } | undefined;
  /** Looks again after this, though nothing changes: a deadline may pass. */
  readonly againMs: number | undefined;
}

/** A certificate that must be in a Secret before pods mount it. */
export interface WantedCertificate {
  readonly namespace: string;
  readonly secret: string;
  readonly commonName: string;
  readonly hosts: readonly string[];
  readonly owner: KubeObject;
  /** Keys of callers beside it, made once: who may read figures, and with `tenant` who may ask for completions. */
  readonly keys?: { readonly secret: string; readonly tenant: boolean };
}

export interface Plan {
  readonly certificates: readonly WantedCertificate[];
  /** In order; one that is refused holds up the rest. */
  readonly apply: readonly KubeObject[];
  readonly remove: readonly KubeObject[];
  readonly warmed: readonly KubeObject[];
  /** How the object's own status is to be. */
  readonly status: Readonly<Record<string, unknown>>;
}

export const labels = {
  managed: "app.kubernetes.io/managed-by",
  component: "app.kubernetes.io/component",
  pool: "slipstream.dev/pool",
  service: "slipstream.dev/service",
  cache: "slipstream.dev/model-cache",
  revision: "slipstream.dev/revision",
} as const;

export const managedBy = "slipstream";
export const warmGate = "slipstream.dev/warm";
export const linkPort = 7421;
export const adminPort = 7423;
/** Name in every worker's certificate: routers reach them by address. */
export const workerServerName = "workers.slipstream.internal";

export const childKey = ({ kind, metadata }: KubeObject): string => `${kind}/${metadata.name}`;
