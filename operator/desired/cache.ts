// cache: what a ModelCache owns: the claim and the Job that fills it, or a Job for each node that pulls the image ahead; and its
// engines (engines.ts).
import type { Json, KubeObject } from "../objects.ts";
import { type CacheSeen, type CacheVerdict, labels, type Plan } from "../pool.ts";
import { enginesPlan } from "./engines.ts";
import { isOtherThan, once, short } from "./job.ts";
import { claimName, downloader, sourceVolumes } from "./models.ts";
import { containerSecurity, given, mount, own, tmp } from "./parts.ts";

const jobName = (cache: string) => `${cache}-fetch`;
const nodeJobName = (cache: string, node: string) => {
  const name = `${cache}-${node}`.replace(/[^a-z0-9-]/g, "-");
  // Nodes of a cloud differ in their last letters.
  return name.length <= 63 ? name : `${name.slice(0, 54).replace(/-+$/, "")}-${short(node)}`;
};

export function cachePlan(seen: CacheSeen, verdict: CacheVerdict): Omit<Plan, "status"> {
  const { spec } = seen;
  const engines = enginesPlan(seen, verdict);
  const apply =
    spec.storage.mode === "PersistentVolume"
      ? [claim(seen), job(seen)]
      : spec.prefetch.perNode
        ? seen.nodes.map((node) => pull(seen, node))
        : [];
  // A Job's template cannot change: one of another spec leaves first, and the next run makes it anew.
  const changed = apply.filter((wanted) => isOtherThan(wanted, seen.children.get(`${wanted.kind}/${wanted.metadata.name}`)));
  const gone = new Set(seen.nodes.map((node) => nodeJobName(seen.cache.metadata.name, node)));
  const stale = [...seen.children.values()].filter(
    ({ kind, metadata }) => kind === "Job" && metadata.labels?.["slipstream.dev/node"] !== undefined && !gone.has(metadata.name),
  );
  return {
    certificates: [],
    apply: [...apply.filter((wanted) => !changed.includes(wanted)), ...engines.apply],
    remove: [
      ...stale,
      ...changed.flatMap((wanted) => seen.children.get(`${wanted.kind}/${wanted.metadata.name}`) ?? []),
      ...engines.remove,
    ],
    warmed: [],
  };
}

function claim({ cache, spec }: CacheSeen): KubeObject {
  const { storageClassName, accessMode, size } = spec.storage;
  return {
    ...own("PersistentVolumeClaim", cache, claimName(cache.metadata.name), { labels: cacheLabels(cache) }),
    spec: given({ accessModes: [accessMode], storageClassName, resources: { requests: { storage: size } } }),
  };
}

function job(seen: CacheSeen): KubeObject {
  const { cache, spec, setting } = seen;
  const container = downloader("fetch", "files", "/models/files", spec, setting.image);
  const volumes = [
    { name: "files", persistentVolumeClaim: { claimName: claimName(cache.metadata.name) } },
    tmp(),
    ...sourceVolumes(spec),
  ];
  const name = jobName(cache.metadata.name);
  return once(seen, { name, labels: cacheLabels(cache), ...tries(spec, container) }, { containers: [container], volumes });
}

/** A pod that mounts the image and ends: the kubelet has pulled it then. */
function pull(seen: CacheSeen, node: string): KubeObject {
  const { cache, spec, setting, gpuClass } = seen;
  const container = {
    ...{ name: "pull", image: setting.image, args: ["--version"], securityContext: containerSecurity },
    resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "256Mi" } },
    volumeMounts: [mount("files", "/models/files", true), mount("tmp", "/tmp")],
  };
  const pod = {
    // By name: its hostname label may differ.
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [onNode(node)] } } },
    tolerations: gpuClass?.tolerations ?? [],
    imagePullSecrets: spec.source.pullSecrets.map((name) => ({ name })),
    containers: [container],
    volumes: [{ name: "files", image: { reference: spec.source.image, pullPolicy: "IfNotPresent" } }, tmp()],
  };
  const name = nodeJobName(cache.metadata.name, node);
  return once(
    seen,
    { name, labels: { ...cacheLabels(cache), "slipstream.dev/node": short(node) }, ...tries(spec, container) },
    pod,
  );
}

const onNode = (node: string) => ({ matchFields: [{ key: "metadata.name", operator: "In", values: [node] }] });

const tries = ({ source, revision, checksum, prefetch: { deadline, retries } }: CacheSeen["spec"], container: Json) => ({
  ...{ deadline, retries, mark: [source, revision, checksum, deadline, retries, [container]] },
});

const cacheLabels = (cache: KubeObject) => ({ [labels.component]: "model", [labels.cache]: cache.metadata.name });
