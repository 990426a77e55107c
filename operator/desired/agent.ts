// agent: the container beside the engine, or instead of it: its settings, and the certificates and keys that it is given.
import { durationMs } from "../api/fields.ts";
import type { Json } from "../objects.ts";
import { adminPort, linkPort, type PoolSeen } from "../pool.ts";
import { enginePort } from "./engine.ts";
import { containerSecurity, env, fromField, given, httpsProbe, mount } from "./parts.ts";

const link = "/etc/slipstream/link";

export function agentContainer({ spec, pool, services, setting }: PoolSeen, model: string | undefined): Json {
  const inAgent = spec.engine.type === "Embedded" || spec.engine.type === "Simulated";
  const { cpu, memory } = spec.podTemplate.resources;
  const nats = services.find(({ spec: { nats } }) => nats.servers.length > 0)?.spec.nats;
  const servers = nats?.servers ?? setting.natsServers;
  return {
    name: "agent",
    image: spec.agentImage ?? setting.image,
    args: ["worker"],
    env: [
      fromField("SLIPSTREAM_WORKER_NAME", "metadata.name"),
      fromField("POD_IP", "status.podIP"),
      env("SLIPSTREAM_WORKER_POOL", pool.metadata.name),
      env("SLIPSTREAM_WORKER_ADDRESS", `0.0.0.0:${linkPort}`),
      env("SLIPSTREAM_WORKER_ADVERTISE", `$(POD_IP):${linkPort}`),
      env("SLIPSTREAM_WORKER_ADMIN_ADDRESS", `0.0.0.0:${adminPort}`),
      env("SLIPSTREAM_WORKER_TLS_CERT", `${link}/tls.crt`),
      env("SLIPSTREAM_WORKER_TLS_KEY", `${link}/tls.key`),
      env("SLIPSTREAM_WORKER_TLS_CLIENT_CA", `${link}/ca.crt`),
      env("SLIPSTREAM_WORKER_KEYS_FILE", `${link}/keys`),
      env("SLIPSTREAM_WORKER_GRACE", spec.drain.timeout),
      env("SLIPSTREAM_WORKER_SLOTS", String(spec.engine.slots)),
      ...engineSettings(spec, model),
      ...(servers.length > 0 ? [env("SLIPSTREAM_NATS_SERVERS", servers.join(","))] : []),
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

function engineSettings({ engine, model }: PoolSeen["spec"], path: string | undefined): Json[] {
  const named = model?.name === undefined ? [] : [env("SLIPSTREAM_WORKER_MODEL_NAME", model.name)];
  const behind = (word: string, url: string) => [env("SLIPSTREAM_WORKER_ENGINE", word), env("SLIPSTREAM_WORKER_ENGINE_URL", url)];
  switch (engine.type) {
    case "Embedded":
      return [
        env("SLIPSTREAM_WORKER_ENGINE", "embedded"),
        ...(path === undefined ? [] : [env("SLIPSTREAM_WORKER_MODEL", path)]),
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
      return [...behind("openai", `http://127.0.0.1:${enginePort}`), ...named];
    case "OpenAI":
      return [...behind("openai", engine.endpoint ?? ""), ...named];
  }
}
