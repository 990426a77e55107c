// engine: the container that runs the model, for engines that have one of their own: arguments from typed fields, GPUs, shared
// memory, and writable folders where the restricted profile leaves none.
import { noDefaults } from "../api/defaults.ts";
import { durationMs } from "../api/fields.ts";
import type { Json } from "../objects.ts";
import type { PoolSeen } from "../pool.ts";
import { asResource } from "./devices.ts";
import { containerSecurity, engineEnv, env, mount, published } from "./parts.ts";
import { vllmSpeculation, vllmVersion } from "./speculation.ts";
import { tensorrtCommand, tensorrtEnv, tensorrtImage } from "./tensorrt.ts";

export const enginePort = 8000;
const startEverySeconds = 5;

/** From within the container: the engine listens on loopback alone, where the kubelet's own probes do not reach. */
const healthProbe = (more: object) => ({
  exec: {
    command: ["python3", "-c", `import urllib.request as r; r.urlopen("http://127.0.0.1:${enginePort}/health", timeout=4)`],
  },
  timeoutSeconds: 5,
  ...more,
});

const images = {
  VLLM: (version: string = vllmVersion) => `vllm/vllm-openai:v${version}`,
  TensorRTLLM: tensorrtImage,
} as const;

export interface EnginePaths {
  readonly model: string;
  readonly draft: string;
  /** Of an engine that was built; absent: the model itself is loaded. */
  readonly built?: string | undefined;
}

/** undefined: the agent runs the model itself. */
export function engineContainer({ spec, gpuClass, setting }: PoolSeen, paths: EnginePaths): Json {
  const { type } = spec.engine;
  if (type !== "VLLM" && type !== "TensorRTLLM") return undefined;
  const { workers: shared } = setting.defaults ?? noDefaults;
  const { cpu = shared.resources.cpu, memory = shared.resources.memory } = spec.podTemplate.resources;
  const gpus = spec.gpu?.mode === "DevicePlugin" ? asResource(gpuClass, spec.gpu.count) : {};
  const failures = Math.ceil(durationMs(spec.startup.deadline) / 1_000 / startEverySeconds);
  return {
    name: "engine",
    image: spec.engine.image ?? published(setting, images[type](spec.engine.version)),
    ...withMore(type === "VLLM" ? vllm(spec, paths) : tensorrtCommand(spec, paths, enginePort), shared.args),
    env: [
      ...engineEnv,
      ...(type === "VLLM" ? [env("VLLM_CACHE_ROOT", "/cache/vllm"), env("VLLM_NO_USAGE_STATS", "1")] : tensorrtEnv),
      ...shared.env.filter(({ name }) => !spec.podTemplate.env.some((own) => own.name === name)),
      ...spec.podTemplate.env.map(({ name, value }) => env(name, value)),
    ],
    ports: [{ name: "engine", containerPort: enginePort, protocol: "TCP" }],
    startupProbe: healthProbe({ periodSeconds: startEverySeconds, failureThreshold: failures }),
    livenessProbe: healthProbe({ periodSeconds: 10, failureThreshold: 6 }),
    resources: {
      requests: { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }), ...gpus },
      limits: { ...(memory === undefined ? {} : { memory }), ...gpus },
      ...(spec.gpu?.mode === "DRA" ? { claims: [{ name: "gpu" }] } : {}),
    },
    securityContext: containerSecurity,
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [mount("shm", "/dev/shm"), mount("cache", "/cache"), mount("tmp", "/tmp")],
  };
}

/** The installer's arguments come before the pool's own, which win where an engine takes the last. */
const withMore = ({ args, ...rest }: Json, more: readonly string[]): Json => ({ ...rest, args: [...more, ...args] });

function vllm({ engine, parallelism, speculative, model }: PoolSeen["spec"], paths: EnginePaths): Json {
  const speculation = vllmSpeculation(speculative, engine.version ?? vllmVersion, paths.draft);
  return {
    // Said whole: what images have as their entrypoint differs by version.
    command: ["vllm", "serve", paths.model],
    args: [
      ...["--host", "127.0.0.1", "--port", String(enginePort)],
      ...(model?.name === undefined ? [] : ["--served-model-name", model.name]),
      ...(parallelism.tensor > 1 ? ["--tensor-parallel-size", String(parallelism.tensor)] : []),
      ...(parallelism.pipeline > 1 ? ["--pipeline-parallel-size", String(parallelism.pipeline)] : []),
      ...(speculation === undefined ? [] : ["--speculative-config", JSON.stringify(speculation)]),
      ...engine.args,
    ],
  };
}
