// watch: changes in the cluster in, keys of the objects that they concern out. A key is `Kind/namespace/name` of a pool, a cache or
// a service. Notes and nothing more: what is to be done is found out when the key runs, however often it was noted.
import type { Kind, KindName, KubeObject } from "../objects.ts";
import { kinds } from "../objects.ts";
import { labels } from "../pool.ts";

export interface Change {
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
}

/** Finds by an index of what is stored. */
export type Find = (kind: KindName, index: string, value: string) => readonly KubeObject[];
export type All = (kind: KindName) => readonly KubeObject[];

const isOwn = (kind: string): boolean => kind === "WorkerPool" || kind === "ModelCache" || kind === "CompletionService";

const keyOfOwn = ({ kind, metadata }: KubeObject): string => `${kind}/${metadata.namespace}/${metadata.name}`;

/** Indexes that stores keep, by kind. */
export const indexes: Readonly<Partial<Record<KindName, Readonly<Record<string, (object: KubeObject) => readonly string[]>>>>> = {
  WorkerPool: {
    cache: ({ metadata, spec }) =>
      [spec?.model?.cacheRef, spec?.speculative?.draft?.cacheRef].flatMap((name) =>
        name ? [`${metadata.namespace}/${name}`] : [],
      ),
    gpuClass: ({ spec }) => (spec?.gpu?.classRef ? [spec.gpu.classRef] : []),
  },
  ModelCache: {
    gpuClass: ({ spec }) => [
      ...(spec?.prefetch?.gpuClassRef ? [spec.prefetch.gpuClassRef] : []),
      ...(spec?.engines ?? []).map((engine: { gpuClassRef: string }) => engine.gpuClassRef),
    ],
  },
  CompletionService: {
    pool: ({ metadata, spec }) => poolsOf(spec).map((name) => `${metadata.namespace}/${name}`),
  },
  Pod: { owner: ({ metadata }) => labelled(metadata) },
  Deployment: { owner: owners },
  LeaderWorkerSet: { owner: owners },
  Service: { owner: owners },
  ConfigMap: { owner: owners },
  PersistentVolumeClaim: { owner: owners },
  Job: { owner: owners },
  PodDisruptionBudget: { owner: owners },
  NetworkPolicy: { owner: owners },
  HorizontalPodAutoscaler: { owner: owners },
  ResourceClaimTemplate: { owner: owners },
};

function poolsOf(spec: KubeObject["spec"]): string[] {
  return [...new Set<string>((spec?.tiers ?? []).flatMap((tier: { pools?: string[] }) => tier.pools ?? []))];
}

/** `Kind/namespace/name` of the one that owns it. */
function owners({ metadata }: KubeObject): readonly string[] {
  return (metadata.ownerReferences ?? [])
    .filter(({ kind }) => isOwn(kind))
    .map(({ kind, name }) => `${kind}/${metadata.namespace}/${name}`);
}

/** Pods are owned by way of others; their labels say for whom they are. */
function labelled({ namespace, labels: own = {} }: KubeObject["metadata"]): readonly string[] {
  const by = { WorkerPool: own[labels.pool], CompletionService: own[labels.service], ModelCache: own[labels.cache] };
  return Object.entries(by).flatMap(([kind, name]) => (name === undefined ? [] : [`${kind}/${namespace}/${name}`]));
}

/** Every key that a change concerns. */
export function keysOf(kind: Kind, { before, after }: Change, find: Find, all: All): string[] {
  const object = after ?? before;
  if (!object) return [];
  const { namespace, name } = object.metadata;
  const here = `${namespace}/${name}`;
  switch (kind.kind) {
    case "WorkerPool":
      // Its own status is what this one wrote last; those who name the pool read it.
      return [...(isOnlyStatus(before, after) ? [] : [keyOfOwn(object)]), ...find("CompletionService", "pool", here).map(keyOfOwn)];
    case "ModelCache":
      return [...(isOnlyStatus(before, after) ? [] : [keyOfOwn(object)]), ...find("WorkerPool", "cache", here).map(keyOfOwn)];
    case "CompletionService": {
      const pools = new Set([...poolsOf(before?.spec), ...poolsOf(after?.spec)]);
      const named = isOnlyStatus(before, after) ? [] : [...pools].map((pool) => `WorkerPool/${namespace}/${pool}`);
      return [...(isOnlyStatus(before, after) ? [] : [keyOfOwn(object)]), ...named];
    }
    case "GPUClass":
      return [...find("WorkerPool", "gpuClass", name), ...find("ModelCache", "gpuClass", name)].map(keyOfOwn);
    case "Node":
      // A kubelet's heartbeat changes nothing here.
      if (before && after && JSON.stringify(before.metadata.labels) === JSON.stringify(after.metadata.labels)) return [];
      return all("ModelCache")
        .filter(({ spec }) => spec?.prefetch?.perNode)
        .map(keyOfOwn);
    case "PriorityClass":
      return [...all("WorkerPool"), ...all("CompletionService")].map(keyOfOwn);
    case "Pod":
      return [...labelled(object.metadata)];
    default:
      return [...owners(object)];
  }
}

function isOnlyStatus(before: KubeObject | undefined, after: KubeObject | undefined): boolean {
  if (!before || !after) return false;
  const rest = ({ metadata: { generation, deletionTimestamp, annotations, uid } }: KubeObject) =>
    JSON.stringify([generation, deletionTimestamp, annotations, uid]);
  return rest(before) === rest(after);
}

/** What is followed: of children only what carries our label. */
export function followed(served: {
  readonly leaderWorkerSets: boolean;
}): { kind: Kind; selector?: string; clusterWide: boolean }[] {
  const selector = `${labels.managed}=slipstream`;
  const children = [
    ...["Deployment", "Pod", "Service", "ConfigMap", "PersistentVolumeClaim", "Job", "PodDisruptionBudget"],
    ...["NetworkPolicy", "HorizontalPodAutoscaler", "ResourceClaimTemplate"],
    ...(served.leaderWorkerSets ? ["LeaderWorkerSet"] : []),
  ] as KindName[];
  return [
    ...(["WorkerPool", "CompletionService", "ModelCache"] as const).map((name) => ({ kind: kinds[name], clusterWide: false })),
    ...(["GPUClass", "PriorityClass", "Node"] as const).map((name) => ({ kind: kinds[name], clusterWide: true })),
    ...children.map((name) => ({ kind: kinds[name], selector, clusterWide: false })),
  ];
}
