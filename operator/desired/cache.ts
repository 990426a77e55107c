// cache: what a ModelCache owns: the claim and the Job that fills it, or a Job for each node that pulls the image ahead.
import { durationMs } from "../api/fields.ts";
import type { Json, KubeObject } from "../objects.ts";
import { type CacheSeen, labels, type Plan } from "../pool.ts";
import { claimName, downloader, sourceVolumes } from "./models.ts";
import { containerSecurity, given, mount, own, podSecurity, tmp } from "./parts.ts";

const jobName = (cache: string) => `${cache}-fetch`;
const nodeJobName = (cache: string, node: string) =>
  `${cache}-${node}`
    .replace(/[^a-z0-9-]/g, "-")
    .slice(0, 63)
    .replace(/-+$/, "");

export function cachePlan(seen: CacheSeen): Omit<Plan, "status"> {
  const { spec } = seen;
  const apply =
    spec.storage.mode === "PersistentVolume"
      ? [claim(seen), job(seen)]
      : spec.prefetch.perNode
        ? seen.nodes.map((node) => pull(seen, node))
        : [];
  // A Job's template cannot change: one of another spec leaves first, and the next run makes it anew.
  const changed = apply.filter((wanted) => differs(wanted, seen.children.get(`${wanted.kind}/${wanted.metadata.name}`)));
  const gone = new Set(seen.nodes.map((node) => nodeJobName(seen.cache.metadata.name, node)));
  const stale = [...seen.children.values()].filter(
    ({ kind, metadata }) => kind === "Job" && metadata.labels?.["slipstream.dev/node"] !== undefined && !gone.has(metadata.name),
  );
  return {
    certificates: [],
    apply: apply.filter((wanted) => !changed.includes(wanted)),
    remove: [...stale, ...changed.flatMap((wanted) => seen.children.get(`${wanted.kind}/${wanted.metadata.name}`) ?? [])],
    warmed: [],
  };
}

const specAnnotation = "slipstream.dev/spec";

function differs(wanted: KubeObject, live: KubeObject | undefined): boolean {
  if (wanted.kind !== "Job" || !live || live.metadata.deletionTimestamp !== undefined) return false;
  return live.metadata.annotations?.[specAnnotation] !== wanted.metadata.annotations?.[specAnnotation];
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
  return once(seen, jobName(cache.metadata.name), {}, { containers: [container], volumes });
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
    nodeSelector: { "kubernetes.io/hostname": node },
    tolerations: gpuClass?.tolerations ?? [],
    imagePullSecrets: spec.source.pullSecrets.map((name) => ({ name })),
    containers: [container],
    volumes: [{ name: "files", image: { reference: spec.source.image, pullPolicy: "IfNotPresent" } }, tmp()],
  };
  return once(seen, nodeJobName(cache.metadata.name, node), { "slipstream.dev/node": node.slice(0, 63) }, pod);
}

const cacheLabels = (cache: KubeObject) => ({ [labels.component]: "model", [labels.cache]: cache.metadata.name });

function once({ cache, spec }: CacheSeen, name: string, more: Record<string, string>, pod: Json): KubeObject {
  const ownLabels = { ...cacheLabels(cache), ...more };
  const body = {
    backoffLimit: spec.prefetch.retries,
    activeDeadlineSeconds: Math.ceil(durationMs(spec.prefetch.deadline) / 1_000),
    template: {
      metadata: { labels: { "app.kubernetes.io/name": "slipstream", "app.kubernetes.io/managed-by": "slipstream", ...ownLabels } },
      spec: given({
        ...pod,
        restartPolicy: "Never",
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: podSecurity,
      }),
    },
  };
  const mark = [
    spec.source,
    spec.revision,
    spec.checksum,
    spec.prefetch.deadline,
    spec.prefetch.retries,
    body.template.spec["containers"],
  ];
  return {
    ...own("Job", cache, name, { labels: ownLabels, annotations: { [specAnnotation]: short(JSON.stringify(mark)) } }),
    spec: body,
  };
}

/** FNV-1a: enough to see a change. */
function short(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash.toString(16);
}
