// router: the pod of a router: its settings, its policy document, and the certificates and keys that it is given.
import type { Json } from "../objects.ts";
import { managedBy, type ServiceSeen, workerServerName } from "../pool.ts";
import { containerSecurity, env, fromField, given, httpsProbe, mount, podSecurity, tmp } from "./parts.ts";
import { policyFile, policyName } from "./policy.ts";

export const serviceSecrets = (service: string) => ({
  link: `${service}-router-link`,
  tls: `${service}-router-tls`,
  keys: `${service}-keys`,
});

const adminPort = 7413;
const folder = "/etc/slipstream";
const graceSeconds = 20;

export function routerTemplate(seen: ServiceSeen, labels: Record<string, string>, topologySpreadConstraints: Json): Json {
  const { service, spec } = seen;
  const { router, nats } = spec;
  const secrets = serviceSecrets(service.metadata.name);
  const secret = (name: string, secretName: string) => ({ name, secret: { secretName, defaultMode: 0o440 } });
  const priority = "slipstream-inline";
  return {
    metadata: { labels: { "app.kubernetes.io/name": "slipstream", "app.kubernetes.io/managed-by": managedBy, ...labels } },
    spec: given({
      securityContext: podSecurity,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: graceSeconds + 10,
      topologySpreadConstraints,
      nodeSelector: router.nodeSelector,
      affinity: router.affinity,
      priorityClassName: seen.priorityClasses.has(priority) ? priority : undefined,
      imagePullSecrets: router.imagePullSecrets.map((name) => ({ name })),
      containers: [container(seen)],
      volumes: [
        secret("link", secrets.link),
        secret("tls", router.tlsSecretRef ?? secrets.tls),
        { name: "policy", configMap: { name: policyName(service.metadata.name) } },
        { name: "spool", emptyDir: { sizeLimit: "1Gi" } },
        tmp(),
        ...(router.keysSecretRef ? [secret("keys", router.keysSecretRef)] : []),
        ...(nats.credentialsSecretRef ? [secret("nats", nats.credentialsSecretRef)] : []),
      ],
    }),
  };
}

function container({ service, spec, setting }: ServiceSeen): Json {
  const { router, nats, tiers } = spec;
  const { namespace = "" } = service.metadata;
  const pools = [...new Set(tiers.flatMap((tier) => tier.pools))].sort();
  return {
    name: "router",
    image: router.image ?? setting.image,
    args: ["router"],
    env: [
      fromField("SLIPSTREAM_ROUTER_NAME", "metadata.name"),
      env("SLIPSTREAM_ROUTER_GRPC_ADDRESS", "0.0.0.0:7411"),
      env("SLIPSTREAM_ROUTER_HTTP_ADDRESS", "0.0.0.0:7412"),
      env(
        "SLIPSTREAM_ROUTER_HTTP_HOSTS",
        [`${service.metadata.name}.${namespace}.svc`, `${service.metadata.name}.${namespace}`].join(","),
      ),
      env("SLIPSTREAM_ROUTER_ADMIN_ADDRESS", `0.0.0.0:${adminPort}`),
      env("SLIPSTREAM_ROUTER_WORKERS_DNS", pools.map((pool) => `${pool}.${namespace}.svc:7421`).join(",")),
      env("SLIPSTREAM_ROUTER_POLICY", `${folder}/policy/${policyFile}`),
      env("SLIPSTREAM_ROUTER_SPOOL", "/spool"),
      env("SLIPSTREAM_ROUTER_TLS_CERT", `${folder}/tls/tls.crt`),
      env("SLIPSTREAM_ROUTER_TLS_KEY", `${folder}/tls/tls.key`),
      env("SLIPSTREAM_ROUTER_KEYS_FILE", router.keysSecretRef ? `${folder}/keys/keys` : `${folder}/link/keys`),
      env("SLIPSTREAM_ROUTER_LINK_CA", `${folder}/link/ca.crt`),
      env("SLIPSTREAM_ROUTER_LINK_CERT", `${folder}/link/tls.crt`),
      env("SLIPSTREAM_ROUTER_LINK_KEY", `${folder}/link/tls.key`),
      env("SLIPSTREAM_ROUTER_LINK_SERVER_NAME", workerServerName),
      env("SLIPSTREAM_ROUTER_GRACE", `${graceSeconds}s`),
      env("SLIPSTREAM_ROUTER_LOG_LEVEL", spec.logLevel),
      ...(nats.servers.length > 0 ? [env("SLIPSTREAM_NATS_SERVERS", nats.servers.join(","))] : []),
      ...(nats.tls ? [env("SLIPSTREAM_NATS_TLS", "true")] : []),
      ...(nats.credentialsSecretRef ? [env("SLIPSTREAM_NATS_CREDENTIALS", `${folder}/nats/nats.creds`)] : []),
    ],
    ports: [
      { name: "grpc", containerPort: 7411, protocol: "TCP" },
      { name: "http", containerPort: 7412, protocol: "TCP" },
      { name: "admin", containerPort: adminPort, protocol: "TCP" },
    ],
    readinessProbe: httpsProbe("/readyz", adminPort, { periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 3 }),
    livenessProbe: httpsProbe("/healthz", adminPort, { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
    resources: {
      requests: { cpu: router.resources.cpu, memory: router.resources.memory },
      limits: { memory: router.resources.memory },
    },
    securityContext: containerSecurity,
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [
      mount("link", `${folder}/link`, true),
      mount("tls", `${folder}/tls`, true),
      mount("policy", `${folder}/policy`, true),
      mount("spool", "/spool"),
      mount("tmp", "/tmp"),
      ...(router.keysSecretRef ? [mount("keys", `${folder}/keys`, true)] : []),
      ...(nats.credentialsSecretRef ? [mount("nats", `${folder}/nats`, true)] : []),
    ],
  };
}
