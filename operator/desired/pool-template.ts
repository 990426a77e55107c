// pool-template: the pod of a worker, and the revision that names it: any change to it is another revision, with a Deployment of its
// own, so that the old one serves on until the new one does.
import { createHash } from "node:crypto";
import { durationMs } from "../api/fields.ts";
import type { Json } from "../objects.ts";
import { labels, managedBy, type PoolSeen, warmGate } from "../pool.ts";
import { agentContainer } from "./agent.ts";
import { engineContainer, tensorrtConfig, tensorrtConfigFile } from "./engine.ts";
import { downloader, type Placed, placeCached, placeImage, volumesOf } from "./models.ts";
import { given, mount, podSecurity, spread, tmp } from "./parts.ts";

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
export const poolSecrets = (pool: string) => ({ link: `${pool}-link`, keys: `${pool}-admin` });
const priorityOf = { Inline: "slipstream-inline", Chat: "slipstream-chat", Batch: "slipstream-batch" } as const;

export function poolTemplate(seen: PoolSeen): Template {
  const { pool, spec } = seen;
  const { podTemplate } = spec;
  const placed = placeModels(seen);
  const model = placed.find(({ volume }) => volume.name === "model");
  const draft = placed.find(({ volume }) => volume.name === "draft");
  const paths = { model: model?.path ?? "", draft: draft?.path ?? "" };
  const engine = engineContainer(seen, paths);
  const agent = agentContainer(seen, model?.path);
  const holder = engine ?? agent;
  holder.volumeMounts = [...holder.volumeMounts, ...placed.map((each) => each.mount)];
  const config = spec.engine.type === "TensorRTLLM" ? tensorrtConfig(spec, paths) : undefined;
  if (config) engine.volumeMounts.push(mount("engine-config", "/etc/slipstream/engine", true));
  const selector = { [labels.pool]: pool.metadata.name };
  const volumes: Json[] = [...volumesOf(placed), ...ownVolumes(seen, engine !== undefined)];
  const bare = {
    metadata: {
      labels: {
        ...podTemplate.labels,
        "app.kubernetes.io/name": "slipstream",
        [labels.managed]: managedBy,
        [labels.component]: "worker",
        ...selector,
      },
      annotations: { ...podTemplate.annotations, "kubectl.kubernetes.io/default-container": engine ? "engine" : "agent" },
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
  const image = spec.agentImage ?? setting.image;
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
  return [...direct, ...(model ? from("model", model) : []), ...(speculative.draft ? from("draft", speculative.draft) : [])];
}

function scheduling({ spec, gpuClass, priorityClasses, pool }: PoolSeen, selector: Record<string, string>): Json {
  const { podTemplate } = spec;
  const priority = podTemplate.priorityClassName ?? priorityOf[spec.tier];
  const dra = spec.gpu?.mode === "DRA";
  return {
    nodeSelector: { ...gpuClass?.nodeSelector, ...podTemplate.nodeSelector },
    tolerations: [...(gpuClass?.tolerations ?? []), ...podTemplate.tolerations],
    affinity: podTemplate.affinity,
    runtimeClassName: gpuClass?.runtimeClassName,
    // A class that is not there would have every pod refused.
    priorityClassName: podTemplate.priorityClassName !== undefined || priorityClasses.has(priority) ? priority : undefined,
    serviceAccountName: podTemplate.serviceAccountName,
    imagePullSecrets: [...podTemplate.imagePullSecrets].map((name) => ({ name })),
    topologySpreadConstraints: spread(selector),
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
