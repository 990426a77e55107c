// engines: what a ModelCache owns for its TensorRT engines: a claim that they wait on, and for each a Job that builds it on a node of
// its GPU class. A Job is named by all that its engine is built from, so another engine is another Job, and what is built stays built.
import { type BuiltEngine, engineName, enginesClaimName } from "../api/built-engine.ts";
import { noDefaults } from "../api/defaults.ts";
import { durationMs } from "../api/fields.ts";
import type { Json, KubeObject } from "../objects.ts";
import { type CacheSeen, type CacheVerdict, childKey, labels } from "../pool.ts";
import { asResource, claimTemplate } from "./devices.ts";
import { isOtherThan, once } from "./job.ts";
import { placeCached, volumesOf } from "./models.ts";
import { containerSecurity, engineEnv, env, given, mount, named, own, published, tmp } from "./parts.ts";
import { tensorrtEnv, tensorrtImage } from "./tensorrt.ts";

const jobName = (cache: string, engine: string) => `${cache}-engine-${engine}`;
const folder = "/engines";
const checkpoint = "/checkpoint";

export function enginesPlan(seen: CacheSeen, { engines }: CacheVerdict): { apply: KubeObject[]; remove: KubeObject[] } {
  const { cache, spec } = seen;
  const toBuild = engines.filter(({ engine }) => engine.prebuilt === undefined);
  const names = new Set(toBuild.map(({ name }) => name));
  const live = ({ kind, metadata: { name } }: KubeObject) => seen.children.get(`${kind}/${name}`);
  const jobs = toBuild.flatMap(({ name, engine, state }) => (state === "Waiting" ? [] : [build(seen, name, engine)]));
  const changed = jobs.flatMap((job) => (isOtherThan(job, live(job)) ? [live(job) as KubeObject] : []));
  const stale = [...seen.children.values()].filter(({ metadata }) => {
    const name = metadata.labels?.[labels.engine];
    return name !== undefined && name !== storage && !names.has(name);
  });
  return {
    apply: [
      ...(toBuild.length > 0 && spec.engineStorage ? [claim(seen)] : []),
      ...toBuild.flatMap(({ name, engine }) => claimed(seen, name, engine)),
      // One that is there is left as it is: a Job's template cannot change.
      ...jobs.filter((job) => live(job) === undefined),
    ],
    remove: [...stale, ...changed].map((child) => seen.children.get(childKey(child)) ?? child),
  };
  function claimed(of: CacheSeen, name: string, engine: BuiltEngine): KubeObject[] {
    const gpuClass = of.engineClasses.get(engine.gpuClassRef);
    if (!gpuClass || gpuClass.devicePlugin !== undefined) return [];
    return [claimTemplate(cache, gpuClaim(of, name), ownLabels(of, name), gpuClass, 1)];
  }
}

const storage = "storage";
const gpuClaim = ({ cache }: CacheSeen, name: string) => `${jobName(cache.metadata.name, name)}-gpu`;
const ownLabels = ({ cache }: CacheSeen, name: string) => ({
  ...{ [labels.component]: "engine", [labels.cache]: cache.metadata.name, [labels.engine]: name },
});

function claim(seen: CacheSeen): KubeObject {
  const { cache, spec } = seen;
  const { size, storageClassName, accessMode } = spec.engineStorage ?? {};
  return {
    ...own("PersistentVolumeClaim", cache, enginesClaimName(cache.metadata.name), { labels: ownLabels(seen, storage) }),
    spec: given({ accessModes: [accessMode], storageClassName, resources: { requests: { storage: size } } }),
  };
}

/** trtllm-build makes the parts of all GPUs one after another, on one. */
function build(seen: CacheSeen, name: string, engine: BuiltEngine): KubeObject {
  const { cache, spec, setting } = seen;
  const { workers: shared } = setting.defaults ?? noDefaults;
  const gpuClass = seen.engineClasses.get(engine.gpuClassRef);
  const model = placeCached("model", { object: cache, spec, ready: undefined }, setting.image);
  const byClaim = gpuClass?.devicePlugin === undefined;
  const container = (what: string, script: string, args: readonly string[], more: readonly Json[]) => ({
    ...{ name: what, image: engine.image ?? published(setting, tensorrtImage(engine.version)), securityContext: containerSecurity },
    // Arguments are arguments and never words of the script.
    command: ["/bin/sh", "-ec", script, what, ...args],
    env: [...engineEnv, ...tensorrtEnv, env("ENGINE", `${folder}/${name}`), env("ENGINES", folder), ...sweep(seen, engine)],
    resources: {
      requests: { cpu: "1", ...given({ memory: engine.memory }), ...asResource(gpuClass, 1) },
      limits: { ...given({ memory: engine.memory }), ...asResource(gpuClass, 1) },
      ...(byClaim ? { claims: [{ name: "gpu" }] } : {}),
    },
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [model.mount, ...more, mount("shm", "/dev/shm"), mount("cache", "/cache"), mount("tmp", "/tmp")],
  });
  const { convert } = engine;
  const steps = convert
    ? [
        container(
          "convert",
          convertScript,
          [convert.script, "--model_dir", model.path, "--output_dir", checkpoint, ...parallel(engine), ...convert.args],
          [mount("engines", folder, true), mount("checkpoint", checkpoint)],
        ),
      ]
    : [];
  const from = convert ? checkpoint : model.path;
  const main = container(
    "build",
    buildScript,
    ["--checkpoint_dir", from, "--workers", "1", ...engine.args],
    [mount("engines", folder), ...(convert ? [mount("checkpoint", checkpoint, true)] : [])],
  );
  const pod = {
    nodeSelector: { ...shared.nodeSelector, ...gpuClass?.nodeSelector },
    tolerations: [...shared.tolerations, ...(gpuClass?.tolerations ?? [])],
    runtimeClassName: gpuClass?.runtimeClassName,
    imagePullSecrets: named(shared.imagePullSecrets, model.pullSecrets),
    resourceClaims: byClaim ? [{ name: "gpu", resourceClaimTemplateName: gpuClaim(seen, name) }] : undefined,
    initContainers: [...(model.init ? [model.init] : []), ...steps],
    containers: [main],
    volumes: [
      ...volumesOf([model]),
      { name: "engines", persistentVolumeClaim: { claimName: enginesClaimName(cache.metadata.name) } },
      ...(convert ? [{ name: "checkpoint", emptyDir: { sizeLimit: spec.engineStorage?.size } }] : []),
      { name: "shm", emptyDir: { medium: "Memory", sizeLimit: "2Gi" } },
      { name: "cache", emptyDir: { sizeLimit: "10Gi" } },
      tmp("10Gi"),
    ],
  };
  const { deadline, retries, memory } = engine;
  // What it is built from is in its name already.
  const tries = { deadline, retries, mark: [deadline, retries, memory] };
  return once(seen, { name: jobName(cache.metadata.name, name), labels: ownLabels(seen, name), ...tries }, pod);
}

const parallel = ({ tensor, pipeline }: BuiltEngine) => ["--tp_size", String(tensor), "--pp_size", String(pipeline)];

/**
 * After one is built, what is none of the spec's engines leaves the volume, unless a revision or a pod mounts it still, which could not
 * start anew without it, or it is younger than this Job can be: the spec may have got another engine since.
 */
const sweep = ({ spec, mountedEngines }: CacheSeen, { deadline }: BuiltEngine) => [
  env("KEEP", [...new Set([...spec.engines.map((engine) => engineName(spec, engine)), ...mountedEngines])].join(" ")),
  env("STALE_MINUTES", String(Math.ceil(durationMs(deadline) / 60_000) + 10)),
];

const isThere = 'if [ -f "$ENGINE/config.json" ]; then echo "the engine is there"; exit 0; fi';
const convertScript = `${isThere}\nexec python3 "$@"`;
/** Renamed when it is done: what is there under its name is whole. Nothing goes before that. */
const buildScript = [
  isThere,
  'rm -rf "$ENGINE.part"',
  'trtllm-build --output_dir "$ENGINE.part" "$@"',
  'mv "$ENGINE.part" "$ENGINE"',
  'find "$ENGINES" -mindepth 1 -maxdepth 1 -mmin "+$STALE_MINUTES" | while read -r each; do',
  '  name=$(basename "$each" .part)',
  '  case " $KEEP " in *" $name "*) ;; *) rm -rf "$each" ;; esac',
  "done",
].join("\n");
