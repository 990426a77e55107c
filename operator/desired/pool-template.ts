// pool-template: the pod of a worker, and the revision that names it: any change to it is another revision, with a Deployment of its
// own, so that the old one serves on until the new one does.
import { createHash } from "node:crypto";
import { engineName, engineOf } from "../api/built-engine.ts";
import { noDefaults } from "../api/defaults.ts";
import { durationMs } from "../api/fields.ts";
import type { Json } from "../objects.ts";
import { labels, managedBy, type PoolSeen, warmGate } from "../pool.ts";
import { agentContainer } from "./agent.ts";
import { engineContainer } from "./engine.ts";
import { downloader, type Placed, placeCached, placeEngine, placeImage, volumesOf } from "./models.ts";
import { given, mount, named, podSecurity, spread, tmp, workersName } from "./parts.ts";
import { tensorrtConfig, tensorrtConfigFile, tensorrtConfigFolder } from "./tensorrt.ts";

/** Closing sockets and writing outcomes, after the generations are drained. */
const endingMs = 10_000;

export interface Template {
  readonly revision: string;
  readonly metadata: Json;
  readonly spec: Json;
  /** A file of the engine's, mounted from a ConfigMap named by revision. */
  readonly config: Json | undefined;
}

export const claimTemplateName = (pool: string) => `${pool}-gpu`;
export const poolSecrets = (pool: string) => ({ link: `${workersName(pool)}-link`, keys: `${workersName(pool)}-admin` });
const priorityOf = { Inline: "slipstream-inline", Chat: "slipstream-chat", Batch: "slipstream-batch" } as const;

export function poolTemplate(seen: PoolSeen): Template {
  const { pool, spec } = seen;
  const { podTemplate } = spec;
  const { workers: shared } = seen.setting.defaults ?? noDefaults;
  const placed = placeModels(seen);
  const model = placed.find(({ volume }) => volume.name === "model");
  const draft = placed.find(({ volume }) => volume.name === "draft");
  const built = placed.find(({ volume }) => volume.name === "engine");
  const paths = { model: model?.path ?? "", draft: draft?.path ?? "", built: built?.path };
  const engine = engineContainer(seen, paths);
  const agent = agentContainer(seen, { model: model?.path, draft: draft?.path });
  const holder = engine ?? agent;
  holder.volumeMounts = [...holder.volumeMounts, ...placed.map((each) => each.mount)];
  const config = spec.engine.type === "TensorRTLLM" ? tensorrtConfig(spec, paths.draft) : undefined;
  if (config) {
    engine.volumeMounts.push(mount("engine-config", tensorrtConfigFolder, true));
    // For its tokenizer.
    if (model) agent.volumeMounts.push(model.mount);
  }
  const selector = { [labels.pool]: pool.metadata.name };
  const volumes: Json[] = [...volumesOf(placed), ...ownVolumes(seen, engine !== undefined)];
  const bare = {
    metadata: {
      labels: {
        ...shared.labels,
        ...podTemplate.labels,
        "app.kubernetes.io/name": "slipstream",
        [labels.managed]: managedBy,
        [labels.component]: "worker",
        ...selector,
      },
      annotations: {
        ...shared.annotations,
        ...podTemplate.annotations,
        "kubectl.kubernetes.io/default-container": engine ? "engine" : "agent",
      },
    },
    spec: given({
      ...scheduling(seen, selector),
      securityContext: podSecurity,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: Math.ceil((durationMs(spec.drain.timeout) + endingMs) / 1_000),
      readinessGates: [{ conditionType: warmGate }],
      initContainers: placed.flatMap(({ init }) => (init ? [init] : [])),
      containers: engine ? [engine, agent] : [agent],
      volumes,
    }),
  };
  const revision = createHash("sha256")
    .update(JSON.stringify([bare, config]))
    .digest("hex")
    .slice(0, 10);
  if (config) volumes.push({ name: "engine-config", configMap: { name: configName(pool.metadata.name, revision) } });
  return {
    revision,
    metadata: { ...bare.metadata, labels: { ...bare.metadata.labels, [labels.revision]: revision } },
    spec: bare.spec,
    config: config && { [tensorrtConfigFile]: `${JSON.stringify(config, null, 2)}\n` },
  };
}

export const configName = (pool: string, revision: string) => `${pool}-${revision}-engine`;

function placeModels({ spec, caches, setting }: PoolSeen): Placed[] {
  const image = spec.agentImage ?? setting.defaults?.workers.image ?? setting.image;
  const from = (
    what: "model" | "draft",
    { cacheRef, image: reference }: { cacheRef?: string | undefined; image?: string | undefined },
  ) => {
    const cache = cacheRef === undefined ? undefined : caches.get(cacheRef);
    if (cache) return [placeCached(what, cache, image)];
    return reference === undefined ? [] : [placeImage(what, reference, spec.podTemplate.imagePullSecrets)];
  };
  const { model, speculative } = spec;
  const direct =
    model?.uri === undefined
      ? []
      : [
          {
            path: "/models/model",
            volume: { name: "model", emptyDir: {} },
            mount: mount("model", "/models/model", true),
            init: downloader(
              "fetch-model",
              "model",
              "/models/model",
              { source: { uri: model.uri, pullSecrets: [] }, revision: model.revision ?? "" },
              image,
            ),
            further: [],
            pullSecrets: [],
          },
        ];
  const cache = caches.get(model?.cacheRef ?? "");
  const engine = cache && engineOf(spec, cache.spec);
  return [
    ...direct,
    ...(model ? from("model", model) : []),
    ...(engine ? [placeEngine(cache, engine, engineName(cache.spec, engine))] : []),
    ...(speculative.draft ? from("draft", speculative.draft) : []),
  ];
}

function scheduling({ spec, gpuClass, priorityClasses, pool, setting }: PoolSeen, selector: Record<string, string>): Json {
  const { podTemplate } = spec;
  const { workers: shared } = setting.defaults ?? noDefaults;
  const chosen = podTemplate.priorityClassName ?? shared.priorityClassName;
  const priority = chosen ?? priorityOf[spec.tier];
  const dra = spec.gpu?.mode === "DRA";
  return {
    nodeSelector: { ...shared.nodeSelector, ...gpuClass?.nodeSelector, ...podTemplate.nodeSelector },
    tolerations: [...shared.tolerations, ...(gpuClass?.tolerations ?? []), ...podTemplate.tolerations],
    affinity: podTemplate.affinity ?? shared.affinity,
    runtimeClassName: gpuClass?.runtimeClassName,
    // A class that is not there would have every pod refused.
    priorityClassName: chosen !== undefined || priorityClasses.has(priority) ? priority : undefined,
    serviceAccountName: podTemplate.serviceAccountName,
    imagePullSecrets: named(shared.imagePullSecrets, podTemplate.imagePullSecrets),
    topologySpreadConstraints: shared.topologySpreadConstraints.length > 0 ? shared.topologySpreadConstraints : spread(selector),
    resourceClaims: dra ? [{ name: "gpu", resourceClaimTemplateName: claimTemplateName(pool.metadata.name) }] : undefined,
  };
}

function ownVolumes({ pool, spec, services }: PoolSeen, hasEngine: boolean): Json[] {
  const { shm, cache } = spec.podTemplate.resources;
  const nats = services.find(({ spec: { nats } }) => nats.servers.length > 0)?.spec.nats;
  return [
    { name: "link", secret: { secretName: poolSecrets(pool.metadata.name).link, defaultMode: 0o440 } },
    tmp(),
    ...(hasEngine
      ? [
          { name: "shm", emptyDir: { medium: "Memory", sizeLimit: shm } },
          { name: "cache", emptyDir: { sizeLimit: cache } },
        ]
      : []),
    ...(nats?.credentialsSecretRef
      ? [{ name: "nats", secret: { secretName: nats.credentialsSecretRef, defaultMode: 0o440 } }]
      : []),
  ];
}
