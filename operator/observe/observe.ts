// observe: a key in, everything that is known of its object at this moment out, read once from the stores and the bus. Nothing is
// asked of the cluster here. An object whose spec this release does not accept comes with what is wrong with it.
import type { Clock } from "../../lib/clock.ts";
import { completionServiceSpec } from "../api/completion-service.ts";
import { type GpuClassSpec, gpuClassSpec } from "../api/gpu-class.ts";
import { modelCacheSpec } from "../api/model-cache.ts";
import { readSpec } from "../api/read.ts";
import { workerPoolSpec } from "../api/worker-pool.ts";
import type { Json, KindName, KubeObject } from "../objects.ts";
import {
  type CacheSeen,
  childKey,
  type PoolFigures,
  type PoolSeen,
  type SeenCache,
  type ServiceSeen,
  type Setting,
  type WorkerSays,
} from "../pool.ts";
import type { LoadSecond } from "../scaling.ts";
import { classUse } from "./class-use.ts";
import { mountedEngines } from "./mounted-engines.ts";

export { Signals, signalsDefaults } from "./signals.ts";

export interface Stores {
  get(kind: KindName, key: string): KubeObject | undefined;
  all(kind: KindName): readonly KubeObject[];
  by(kind: KindName, index: string, value: string): readonly KubeObject[];
}

export type Tier = "Inline" | "Chat" | "Batch";

interface Deps {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly says: (namespace: string, worker: string) => WorkerSays | undefined;
  readonly seconds: (namespace: string, pool: string, tier: Tier) => readonly LoadSecond[];
  readonly ledSinceMs: () => number;
  readonly figures: (namespace: string, pool: string, tier: Tier) => PoolFigures | undefined;
  readonly servesLeaderWorkerSets: () => boolean;
}

export type Seen<T> =
  | { readonly seen: T; readonly problems: readonly [] }
  | { readonly seen: undefined; readonly problems: readonly string[] };

const childKinds: readonly KindName[] = [
  ...(["Service", "ConfigMap", "PersistentVolumeClaim", "Job", "PodDisruptionBudget", "NetworkPolicy"] as const),
  ...(["HorizontalPodAutoscaler", "ResourceClaimTemplate", "Deployment"] as const),
];

export class Observe {
  readonly #setting: Setting;
  readonly #deps: Deps;

  constructor(setting: Setting, deps: Deps) {
    this.#setting = setting;
    this.#deps = deps;
  }

  object(key: string): KubeObject | undefined {
    const [kind, namespace, name] = key.split("/") as [KindName, string, string];
    return this.#deps.stores.get(kind, `${namespace}/${name}`);
  }

  pool(pool: KubeObject): Seen<PoolSeen> {
    const { spec, problems } = readSpec(workerPoolSpec, pool.spec);
    if (!spec) return { seen: undefined, problems };
    const { stores, ledSinceMs } = this.#deps;
    const gpuClass = this.#gpuClass(spec.gpu?.classRef);
    const { namespace = "", name } = pool.metadata;
    const key = `WorkerPool/${namespace}/${name}`;
    const pods = stores.by("Pod", "owner", key);
    const named = [spec.model?.cacheRef, spec.speculative.draft?.cacheRef].flatMap((cache) => cache ?? []);
    const caches = named.flatMap((cache): [string, SeenCache][] => {
      const object = stores.get("ModelCache", `${namespace}/${cache}`);
      const read = object && readSpec(modelCacheSpec, object.spec);
      if (!object || !read?.spec) return [];
      const ready = (object.status?.conditions ?? []).find((each: Json) => each.type === "Ready");
      // What was said of an older spec does not hold for this one.
      const current = ready && ready.observedGeneration === object.metadata.generation;
      return [[cache, { object, spec: read.spec, ready: current ? ready : undefined }]];
    });
    return {
      problems: [],
      seen: {
        ...{ pool, spec, pods, caches: new Map(caches) },
        gpuClass,
        workloads: mine(pool, [...stores.by("Deployment", "owner", key), ...stores.by("LeaderWorkerSet", "owner", key)]),
        children: this.#children(pool, key),
        services: stores.by("CompletionService", "pool", `${namespace}/${name}`).flatMap((service) => {
          const read = readSpec(completionServiceSpec, service.spec);
          return read.spec ? [{ name: service.metadata.name, spec: read.spec }] : [];
        }),
        priorityClasses: this.#priorityClasses(),
        servesLeaderWorkerSets: this.#deps.servesLeaderWorkerSets(),
        ...this.#said(namespace, name, spec.tier, pods),
        classUse: spec.gpu && classUse(stores, spec.gpu.classRef, pool, gpuClass),
        ledSinceMs: ledSinceMs(),
        setting: this.#setting,
        wallMs: this.#deps.clock.wall(),
      },
    };
  }

  cache(cache: KubeObject): Seen<CacheSeen> {
    const { spec, problems } = readSpec(modelCacheSpec, cache.spec);
    if (!spec) return { seen: undefined, problems };
    const { stores, clock } = this.#deps;
    const key = `ModelCache/${cache.metadata.namespace}/${cache.metadata.name}`;
    const gpuClass = this.#gpuClass(spec.prefetch.gpuClassRef);
    const nodes = gpuClass && spec.prefetch.perNode ? stores.all("Node").filter((node) => has(node, gpuClass.nodeSelector)) : [];
    return {
      problems: [],
      seen: {
        ...{ cache, spec, gpuClass },
        children: this.#children(cache, key),
        pods: stores.by("Pod", "owner", key),
        nodes: nodes.map(({ metadata }) => metadata.name).sort(),
        engineClasses: new Map(
          spec.engines.flatMap(({ gpuClassRef }): [string, GpuClassSpec][] => {
            const found = this.#gpuClass(gpuClassRef);
            return found ? [[gpuClassRef, found]] : [];
          }),
        ),
        mountedEngines: spec.engines.length === 0 ? new Set() : mountedEngines(stores, cache),
        setting: this.#setting,
        wallMs: clock.wall(),
      },
    };
  }

  service(service: KubeObject): Seen<ServiceSeen> {
    const { spec, problems } = readSpec(completionServiceSpec, service.spec);
    if (!spec) return { seen: undefined, problems };
    const { stores, clock, figures } = this.#deps;
    const { namespace = "", name } = service.metadata;
    const key = `CompletionService/${namespace}/${name}`;
    const named = [...new Set(spec.tiers.flatMap((tier) => tier.pools))];
    const pools = named.flatMap((pool) => {
      const found = stores.get("WorkerPool", `${namespace}/${pool}`);
      return found ? [found] : [];
    });
    const inline = pools.find((pool) => pool.spec?.tier === "Inline");
    return {
      problems: [],
      seen: {
        ...{ service, spec },
        pools: new Map(pools.map((pool) => [pool.metadata.name, pool])),
        children: this.#children(service, key),
        pods: stores.by("Pod", "owner", key),
        priorityClasses: this.#priorityClasses(),
        figures: inline && figures(namespace, inline.metadata.name, "Inline"),
        setting: this.#setting,
        wallMs: clock.wall(),
      },
    };
  }

  /** What the bus says of a pool and its workers. */
  #said(namespace: string, name: string, tier: Tier, pods: readonly KubeObject[]) {
    const { says, seconds, figures } = this.#deps;
    const said = pods.flatMap(({ metadata }): [string, WorkerSays][] => {
      const one = says(namespace, metadata.name);
      return one ? [[metadata.name, one]] : [];
    });
    return {
      ...{ says: new Map(said), heard: new Set(said.map(([worker]) => worker)) },
      ...{ seconds: seconds(namespace, name, tier), figures: figures(namespace, name, tier) },
    };
  }

  #children(owner: KubeObject, key: string): ReadonlyMap<string, KubeObject> {
    const found = childKinds.flatMap((kind) => mine(owner, this.#deps.stores.by(kind, "owner", key)));
    return new Map(found.map((child) => [childKey(child), child]));
  }

  #gpuClass(name: string | undefined) {
    const object = name === undefined ? undefined : this.#deps.stores.get("GPUClass", name);
    return object && readSpec(gpuClassSpec, object.spec).spec;
  }

  #priorityClasses(): ReadonlySet<string> {
    return new Set(this.#deps.stores.all("PriorityClass").map(({ metadata }) => metadata.name));
  }
}

/** By uid: children of an owner of that name who is gone are the garbage collector's. */
function mine({ metadata: { uid } }: KubeObject, children: readonly KubeObject[]): readonly KubeObject[] {
  return children.filter(({ metadata }) => (metadata.ownerReferences ?? []).some((owner) => owner.uid === uid));
}

const has = ({ metadata }: KubeObject, selector: Readonly<Record<string, string>>) =>
  Object.entries(selector).every(([name, value]) => metadata.labels?.[name] === value);
