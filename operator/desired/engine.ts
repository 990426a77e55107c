// engine: the container that runs the model, for engines that have one of their own: arguments from typed fields, GPUs, shared
// memory, and writable folders where the restricted profile leaves none.
import { durationMs } from "../api/fields.ts";
import type { Json } from "../objects.ts";
import type { PoolSeen } from "../pool.ts";
import { containerSecurity, env, mount } from "./parts.ts";
import { engineVersions, tensorrtSpeculation, vllmSpeculation } from "./speculation.ts";

export const enginePort = 8000;
const startEverySeconds = 5;

const images = {
  VLLM: `vllm/vllm-openai:v${engineVersions.VLLM}`,
  TensorRTLLM: `nvcr.io/nvidia/tensorrt-llm/release:${engineVersions.TensorRTLLM}`,
} as const;

export interface EnginePaths {
  readonly model: string;
  readonly draft: string;
}

/** undefined: the agent runs the model itself. */
export function engineContainer({ spec, gpuClass }: PoolSeen, paths: EnginePaths): Json {
  const { type } = spec.engine;
  if (type !== "VLLM" && type !== "TensorRTLLM") return undefined;
  const { cpu, memory } = spec.podTemplate.resources;
  const count = String(spec.gpu?.count ?? 1);
  const byPlugin = spec.gpu?.mode === "DevicePlugin" && gpuClass?.devicePlugin !== undefined;
  const gpus = byPlugin ? { [gpuClass.devicePlugin as string]: count } : {};
  const failures = Math.ceil(durationMs(spec.startup.deadline) / 1_000 / startEverySeconds);
  return {
    name: "engine",
    image: spec.engine.image ?? images[type],
    ...(type === "VLLM" ? vllm(spec, paths) : tensorrt(spec, paths)),
    env: [
      env("HOME", "/cache"),
      env("XDG_CACHE_HOME", "/cache"),
      env("TMPDIR", "/tmp"),
      env("TRITON_CACHE_DIR", "/cache/triton"),
      env("TORCHINDUCTOR_CACHE_DIR", "/cache/inductor"),
      env("HF_HUB_OFFLINE", "1"),
      ...(type === "VLLM" ? [env("VLLM_CACHE_ROOT", "/cache/vllm"), env("VLLM_NO_USAGE_STATS", "1")] : []),
      ...spec.podTemplate.env.map(({ name, value }) => env(name, value)),
    ],
    ports: [{ name: "engine", containerPort: enginePort, protocol: "TCP" }],
    startupProbe: {
      httpGet: { path: "/health", port: enginePort },
      periodSeconds: startEverySeconds,
      timeoutSeconds: 2,
      failureThreshold: failures,
    },
    livenessProbe: { httpGet: { path: "/health", port: enginePort }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
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

function vllm({ engine, parallelism, speculative, model }: PoolSeen["spec"], paths: EnginePaths): Json {
  const speculation = vllmSpeculation(speculative, engine.version ?? engineVersions.VLLM, paths.draft);
  return {
    args: [
      ...["--model", paths.model, "--host", "127.0.0.1", "--port", String(enginePort)],
      ...(model?.name === undefined ? [] : ["--served-model-name", model.name]),
      ...(parallelism.tensor > 1 ? ["--tensor-parallel-size", String(parallelism.tensor)] : []),
      ...(parallelism.pipeline > 1 ? ["--pipeline-parallel-size", String(parallelism.pipeline)] : []),
      ...(speculation === undefined ? [] : ["--speculative-config", JSON.stringify(speculation)]),
      ...engine.args,
    ],
  };
}

export const tensorrtConfigFile = "engine.yaml";

function tensorrt({ engine, parallelism }: PoolSeen["spec"], paths: EnginePaths): Json {
  return {
    command: ["trtllm-serve", paths.model],
    args: [
      ...["--host", "127.0.0.1", "--port", String(enginePort), "--config", `/etc/slipstream/engine/${tensorrtConfigFile}`],
      ...(parallelism.tensor > 1 ? ["--tp_size", String(parallelism.tensor)] : []),
      ...(parallelism.pipeline > 1 ? ["--pp_size", String(parallelism.pipeline)] : []),
      ...engine.args,
    ],
  };
}

/** The settings that `trtllm-serve` reads, as JSON, which is YAML too. */
export function tensorrtConfig({ engine, speculative }: PoolSeen["spec"], paths: EnginePaths): Json {
  return { ...engine.config, ...tensorrtSpeculation(speculative, engine.version ?? engineVersions.TensorRTLLM, paths.draft) };
}
