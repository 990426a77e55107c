// objects: Kubernetes objects as JSON, which they are on the wire: what this release does not know passes through untouched. With
// the kinds that the operator deals in, and what it asks of a cluster.

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: unknown;
  /** Not of Kubernetes: who last wrote `spec.replicas` by the scale subresource, from the managed fields, which are dropped. */
  readonly replicasBy?: { readonly name: string; readonly time?: string };
}

/** What lies in spec and status is known to whoever reads it; the apiserver has checked its shape. */
// biome-ignore lint/suspicious/noExplicitAny: JSON of many kinds, each read where it is used
export type Json = any;

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly spec?: Json;
  readonly status?: Json;
  readonly [field: string]: Json;
}

export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

const kind = (apiVersion: string, name: string, plural: string, namespaced = true): Kind => ({
  apiVersion,
  kind: name,
  plural,
  namespaced,
});
const ours = "slipstream.dev/v1alpha1";

export const kinds = {
  CompletionService: kind(ours, "CompletionService", "completionservices"),
  WorkerPool: kind(ours, "WorkerPool", "workerpools"),
  ModelCache: kind(ours, "ModelCache", "modelcaches"),
  GPUClass: kind(ours, "GPUClass", "gpuclasses", false),
  Deployment: kind("apps/v1", "Deployment", "deployments"),
  LeaderWorkerSet: kind("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", "leaderworkersets"),
  Pod: kind("v1", "Pod", "pods"),
  Service: kind("v1", "Service", "services"),
  ConfigMap: kind("v1", "ConfigMap", "configmaps"),
  Secret: kind("v1", "Secret", "secrets"),
  PersistentVolumeClaim: kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
  Job: kind("batch/v1", "Job", "jobs"),
  PodDisruptionBudget: kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
  NetworkPolicy: kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
  HorizontalPodAutoscaler: kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
  ResourceClaimTemplate: kind("resource.k8s.io/v1", "ResourceClaimTemplate", "resourceclaimtemplates"),
  Node: kind("v1", "Node", "nodes", false),
  PriorityClass: kind("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", false),
  Lease: kind("coordination.k8s.io/v1", "Lease", "leases"),
  Event: kind("events.k8s.io/v1", "Event", "events"),
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof kinds;

export const kindOf = ({ apiVersion, kind: name }: KubeObject): Kind => {
  const known = kinds[name as KindName];
  if (known?.apiVersion !== apiVersion) throw new Error(`no kind ${apiVersion} ${name} is dealt in`);
  return known;
};

/** `namespace/name`, or the name of a cluster's object. */
export const keyOf = ({ metadata: { namespace, name } }: Pick<KubeObject, "metadata">): string =>
  namespace === undefined ? name : `${namespace}/${name}`;

/** What is asked of a cluster; `kube/` speaks it over HTTP. */
export interface Cluster {
  get(kind: Kind, namespace: string | undefined, name: string): Promise<KubeObject | undefined>;
  list(kind: Kind, namespace?: string, selector?: string): Promise<readonly KubeObject[]>;
  create(object: KubeObject): Promise<KubeObject>;
  /** Only over the version that `object` carries. */
  replace(object: KubeObject): Promise<KubeObject>;
  /** Server-side apply, whole or of a subresource; false: nothing would change, nothing was sent. */
  apply(object: KubeObject, live?: KubeObject): Promise<boolean>;
  /** Applies it under a second name: what both have named stays when the first names it no more. */
  claim(object: KubeObject): Promise<void>;
  applyStatus(object: KubeObject, live?: KubeObject): Promise<boolean>;
  /** Strategic merge of one pod's conditions. */
  patchPodConditions(pod: KubeObject, conditions: readonly object[]): Promise<void>;
  /** null takes an annotation away. */
  annotatePod(pod: KubeObject, annotations: Readonly<Record<string, string | null>>): Promise<void>;
  patchEvent(namespace: string, name: string, patch: object): Promise<void>;
  /** Gone already is well too. */
  remove(object: KubeObject): Promise<void>;
  serves(kind: Kind): Promise<boolean>;
}
