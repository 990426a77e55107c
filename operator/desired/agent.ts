// agent: the container beside the engine, or instead of it: its settings, and the certificates and keys that it is given.
import { noDefaults } from "../api/defaults.ts";
import { durationMs, plainMs } from "../api/fields.ts";
import type { Json } from "../objects.ts";
import { adminPort, labels, linkPort, type PoolSeen } from "../pool.ts";
import { enginePort } from "./engine.ts";
import { containerSecurity, env, fromField, given, httpsProbe, mount } from "./parts.ts";
import { tensorrtToldAgent } from "./tensorrt.ts";

const link = "/etc/slipstream/link";
/** As much as an agent waits for its engine; the pod's own deadline may be longer. */
const engineStartMax = 3_600_000;

export function agentContainer(
  { spec, pool, services, setting }: PoolSeen,
  paths: { readonly model: string | undefined; readonly draft: string | undefined },
): Json {
  const inAgent = spec.engine.type === "Embedded" || spec.engine.type === "Simulated";
  const { workers: shared } = setting.defaults ?? noDefaults;
  const { cpu = shared.resources.cpu, memory = shared.resources.memory } = spec.podTemplate.resources;
  const nats = services.find(({ spec: { nats } }) => nats.servers.length > 0)?.spec.nats;
  const servers = nats?.servers ?? setting.natsServers;
  return {
    name: "agent",
    image: spec.agentImage ?? shared.image ?? setting.image,
    args: ["worker"],
    env: [
      fromField("SLIPSTREAM_WORKER_NAME", "metadata.name"),
      fromField("POD_IP", "status.podIP"),
      // Of a later release than the agent's there may be some that it does not know.
      env("SLIPSTREAM_UNKNOWN_SETTINGS", "ignore"),
      env("SLIPSTREAM_WORKER_POOL", pool.metadata.name),
      // Not of the worker's prefix: a release before `ignore` passes over it.
      fromField("SLIPSTREAM_POOL_REVISION", `metadata.labels['${labels.revision}']`),
      env("SLIPSTREAM_WORKER_ADDRESS", `0.0.0.0:${linkPort}`),
      env("SLIPSTREAM_WORKER_ADVERTISE", `$(POD_IP):${linkPort}`),
      env("SLIPSTREAM_WORKER_ADMIN_ADDRESS", `0.0.0.0:${adminPort}`),
      env("SLIPSTREAM_WORKER_TLS_CERT", `${link}/tls.crt`),
      env("SLIPSTREAM_WORKER_TLS_KEY", `${link}/tls.key`),
      env("SLIPSTREAM_WORKER_TLS_CLIENT_CA", `${link}/ca.crt`),
      env("SLIPSTREAM_WORKER_KEYS_FILE", `${link}/keys`),
      env("SLIPSTREAM_WORKER_GRACE", plainMs(spec.drain.timeout)),
      env("SLIPSTREAM_WORKER_SLOTS", String(spec.engine.slots)),
      ...warmUp(spec, inAgent),
      ...engineSettings(spec, paths),
      ...(servers.length > 0
        ? [env("SLIPSTREAM_NATS_SERVERS", servers.join(",")), env("SLIPSTREAM_NATS_SPACE", pool.metadata.namespace ?? "")]
        : []),
      ...(nats?.tls ? [env("SLIPSTREAM_NATS_TLS", "true")] : []),
      ...(nats?.credentialsSecretRef ? [env("SLIPSTREAM_NATS_CREDENTIALS", "/etc/slipstream/nats/nats.creds")] : []),
    ],
    ports: [
      { name: "link", containerPort: linkPort, protocol: "TCP" },
      { name: "admin", containerPort: adminPort, protocol: "TCP" },
    ],
    readinessProbe: httpsProbe("/readyz", adminPort, { periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 3 }),
    livenessProbe: httpsProbe("/healthz", adminPort, { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
    startupProbe: httpsProbe("/healthz", adminPort, {
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: Math.ceil(durationMs(spec.startup.deadline) / 2_000),
    }),
    resources: inAgent
      ? {
          requests: { cpu: cpu ?? "1", memory: memory ?? "1Gi" },
          limits: { memory: memory ?? "1Gi" },
        }
      : { requests: { cpu: "500m", memory: "512Mi" }, limits: { memory: "1Gi" } },
    securityContext: containerSecurity,
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: given({
      list: [
        mount("link", link, true),
        mount("tmp", "/tmp"),
        ...(nats?.credentialsSecretRef ? [mount("nats", "/etc/slipstream/nats", true)] : []),
      ],
    }).list,
  };
}

/** An agent may be older than its operator: what is not asked for is not said. An engine in the agent is not warmed unless one says so. */
function warmUp({ startup: { warmup } }: PoolSeen["spec"], inAgent: boolean): Json[] {
  return [
    ...(inAgent && warmup.requests === 0 ? [] : [env("SLIPSTREAM_WORKER_WARM_UP", String(warmup.requests))]),
    ...(warmup.prefixReplay === 0 ? [] : [env("SLIPSTREAM_WORKER_WARM_PREFIXES", String(warmup.prefixReplay))]),
  ];
}

function engineSettings({ engine, model, startup }: PoolSeen["spec"], paths: Parameters<typeof agentContainer>[1]): Json[] {
  const named = model?.name === undefined ? [] : [env("SLIPSTREAM_WORKER_MODEL_NAME", model.name)];
  const behind = (word: string, url: string) => [
    env("SLIPSTREAM_WORKER_ENGINE", word),
    env("SLIPSTREAM_WORKER_ENGINE_URL", url),
    env("SLIPSTREAM_WORKER_ENGINE_START", `${Math.min(engineStartMax, durationMs(startup.deadline))}ms`),
  ];
  switch (engine.type) {
    case "Embedded":
      return [
        env("SLIPSTREAM_WORKER_ENGINE", "embedded"),
        ...(paths.model === undefined
          ? []
          : [env("SLIPSTREAM_WORKER_MODEL", paths.model), env("SLIPSTREAM_WORKER_DRAFT_MODEL", paths.draft ?? "none")]),
        ...named,
      ];
    case "Simulated":
      return [
        env("SLIPSTREAM_WORKER_ENGINE", "simulated"),
        env("SLIPSTREAM_WORKER_PROFILE", engine.profile ?? "h100-7b-eagle3"),
        ...named,
      ];
    case "VLLM":
      return [...behind("vllm", `http://127.0.0.1:${enginePort}`), ...named];
    case "TensorRTLLM":
      return [...behind("tensorrt", `http://127.0.0.1:${enginePort}`), ...tensorrtToldAgent(engine.config, paths.model), ...named];
    case "OpenAI":
      return [...behind("openai", engine.endpoint ?? ""), ...named];
  }
}
