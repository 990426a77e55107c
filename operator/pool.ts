// pool: the nouns of the operator's path: what is seen of a pool, a model cache or a service at one moment, what is judged of it,
// and what is to be done.

import type { BuiltEngine } from "./api/built-engine.ts";
import type { CompletionServiceSpec } from "./api/completion-service.ts";
import type { ConditionType, ReasonWord } from "./api/conditions.ts";
import type { Defaults } from "./api/defaults.ts";
import type { GpuClassSpec } from "./api/gpu-class.ts";
import type { ModelCacheSpec } from "./api/model-cache.ts";
import type { WorkerPoolSpec } from "./api/worker-pool.ts";
import type { DraftCounts, LengthsVerdict } from "./lengths.ts";
import type { Claim, SpeculationVerdict } from "./moves.ts";
import type { KubeObject } from "./objects.ts";
import type { LoadSecond, ScalingVerdict } from "./scaling.ts";

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
  /** What routers and workers are given that say nothing themselves; absent: nothing. */
  readonly defaults?: Defaults;
}

/** What routers and workers said of a pool lately; absent: none did. */
export interface PoolFigures {
  readonly p95Ms: number | undefined;
  /** Share of the last seconds within the target, given the target. */
  readonly attainment: (targetMs: number) => number | undefined;
  readonly acceptance: number | undefined;
  /** undefined: its workers drafted nothing, or do not say. */
  readonly drafts?: DraftCounts | undefined;
  /** What each revision's workers did since a wall-clock moment, of the last minutes; absent, or without one: nobody says. */
  readonly revisions?: (sinceMs: number) => ReadonlyMap<string, RevisionDid>;
  /** Tokens a draft that most of its workers that say so should have, and by how much faster that would be. */
  readonly recommended?: { readonly tokens: number; readonly now: number; readonly gain: number } | undefined;
}

/** What the workers of one revision did, as routers saw it. */
export interface RevisionDid {
  /** Triggers that had text from them, and within what 95 of 100 of those had it first. */
  readonly texts: number;
  readonly p95Ms: number | undefined;
  /** Triggers whose deadline passed with them. */
  readonly expired: number;
  /** Generations that they ended badly. */
  readonly failed: number;
}

/** What a worker said of itself lately. */
export interface WorkerSays {
  readonly outstanding: number;
  readonly leaving: boolean;
  readonly kvBlocksUsed: number;
  /** Share of its guessed tokens that were right; undefined: it guessed none. */
  readonly acceptance: number | undefined;
}

/** Accelerators of the pool's class, and who else is after them. */
export interface ClassUse {
  /** Of all nodes; undefined: not known. */
  readonly total: number | undefined;
  /** Every pool of the class, this one included, in an order that all agree on. */
  readonly claims: readonly Claim[];
  /** That pods of other pools hold, or wait for. */
  readonly heldByOthers: number;
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
  /** The same, with what they said. */
  readonly says: ReadonlyMap<string, WorkerSays>;
  /** What routers reported of the load, by whole seconds. */
  readonly seconds: readonly LoadSecond[];
  readonly classUse: ClassUse | undefined;
  /** When this operator began to lead. */
  readonly ledSinceMs: number;
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
  /** Classes that engines are built for, by name. */
  readonly engineClasses: ReadonlyMap<string, GpuClassSpec>;
  /** Names of built engines that a pod, or a revision that may have one again, mounts, whatever the spec names now. */
  readonly mountedEngines: ReadonlySet<string>;
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

/** One engine of a ModelCache's spec, and how far it is. */
export interface EngineJudged {
  readonly name: string;
  readonly engine: BuiltEngine;
  readonly state: "Waiting" | "Building" | "Ready" | "Failed";
  readonly message: string;
}

export interface CacheVerdict {
  readonly conditions: readonly Judged[];
  readonly engines: readonly EngineJudged[];
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
  readonly leaving: LeavingPods;
  readonly counts: Readonly<Record<"pods" | "ready" | "warm" | "starting" | "draining" | "updated", number>>;
  readonly conditions: readonly Judged[];
  /** How many workers, and why: with the figures where they were decided from load. */
  readonly scaling: Sizing;
  readonly rollout: RolloutStatus | undefined;
  readonly speculation: SpeculationVerdict;
  /** Of drafts by batch; undefined: its engine takes none, or the spec says them. */
  readonly lengths: LengthsVerdict | undefined;
  readonly decided:
    | { readonly from: number; readonly to: number; readonly reason: ReasonWord; readonly message: string }
    | undefined;
  /** Looks again after this, though nothing changes: a deadline may pass. */
  readonly againMs: number | undefined;
}

/** How many workers are asked for by the pool's own lights, and how many it is granted. */
export interface Sizing {
  readonly asked: number;
  readonly reason: ReasonWord;
  readonly message: string;
  /** Where load decides, or would. */
  readonly verdict: ScalingVerdict | undefined;
  readonly writers: readonly ReplicasWriter[];
}

/** Who wrote `spec.replicas` by the scale subresource lately. */
export interface ReplicasWriter {
  readonly name: string;
  readonly time: string;
}

export interface RolloutStatus {
  /** That the others shall become. */
  readonly revision: string;
  readonly way: "Surge" | "HandOff" | "Wait" | "Canary" | "Aborted";
  readonly reason: ReasonWord;
  readonly message: string;
  /** Of a canary: when all of it served, and what first text took before. */
  readonly since: string | undefined;
  readonly p95BeforeMs: number | undefined;
  /** Its first workers held what they were watched for. */
  readonly promoted: boolean;
}

export interface LeavingPods {
  /** Asked to leave from now on. */
  readonly begin: readonly KubeObject[];
  /** Asked to leave before, and wanted again. */
  readonly stay: readonly KubeObject[];
  /** Nothing is under way with them any more: the next to be taken. */
  readonly letGo: readonly KubeObject[];
  /** Of those asked to leave each is told again, as long as it holds. */
  readonly told: readonly KubeObject[];
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
  /** Fields that others decide from now on: claimed under a name of their own, so that they stay as they are when they are named no more. */
  readonly claim?: readonly KubeObject[];
  /** In order; one that is refused holds up the rest. */
  readonly apply: readonly KubeObject[];
  readonly remove: readonly KubeObject[];
  readonly warmed: readonly KubeObject[];
  readonly leaving?: LeavingPods;
  /** How long workers that leave may take for what is under way. */
  readonly drainMs?: number;
  /** How the object's own status is to be. */
  readonly status: Readonly<Record<string, unknown>>;
}

export const labels = {
  managed: "app.kubernetes.io/managed-by",
  component: "app.kubernetes.io/component",
  pool: "slipstream.dev/pool",
  service: "slipstream.dev/service",
  cache: "slipstream.dev/model-cache",
  engine: "slipstream.dev/engine",
  revision: "slipstream.dev/revision",
} as const;

export const managedBy = "slipstream";
export const warmGate = "slipstream.dev/warm";
/** On a pod that is to be taken away: since when it takes nothing new. Outlives the operator that wrote it. */
export const leavingAnnotation = "slipstream.dev/leaving-since";
/** Kubernetes' own: of a workload that wants less, the lowest goes first. */
export const costAnnotation = "controller.kubernetes.io/pod-deletion-cost";
export const letGoCost = "-1000";
export const linkPort = 7421;
export const adminPort = 7423;
/** Name in every worker's certificate: routers reach them by address. */
export const workerServerName = "workers.slipstream.internal";

export const childKey = ({ kind, metadata }: KubeObject): string => `${kind}/${metadata.name}`;
