// router: the pod of a router: its settings, its policy document, and the certificates and keys that it is given.
import { noDefaults } from "../api/defaults.ts";
import type { Json } from "../objects.ts";
import { managedBy, type ServiceSeen, workerServerName } from "../pool.ts";
import { containerSecurity, env, fromField, given, httpsProbe, mount, named, podSecurity, tmp, workersName } from "./parts.ts";
import { policyFile, policyName } from "./policy.ts";

export const serviceSecrets = (service: string) => ({
  link: `${service}-router-link`,
  tls: `${service}-router-tls`,
  keys: `${service}-keys`,
});

const adminPort = 7413;
const folder = "/etc/slipstream";
const graceSeconds = 20;
/** A router that is to end serves on meanwhile: so long nodes may still lead new connections to it. */
const leaveSeconds = 3;
/** Closing sockets and writing outcomes, after sessions have moved. */
const endingSeconds = 10;

export function routerTemplate(seen: ServiceSeen, labels: Record<string, string>, topologySpreadConstraints: Json): Json {
  const { service, spec, setting } = seen;
  const { router, nats } = spec;
  const { router: shared } = setting.defaults ?? noDefaults;
  const secrets = serviceSecrets(service.metadata.name);
  const secret = (name: string, secretName: string) => ({ name, secret: { secretName, defaultMode: 0o440 } });
  const priority = seen.priorityClasses.has("slipstream-inline") ? "slipstream-inline" : undefined;
  return {
    metadata: {
      labels: { ...shared.labels, "app.kubernetes.io/name": "slipstream", "app.kubernetes.io/managed-by": managedBy, ...labels },
      ...(Object.keys(shared.annotations).length > 0 ? { annotations: shared.annotations } : {}),
    },
    spec: given({
      securityContext: podSecurity,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: leaveSeconds + graceSeconds + endingSeconds,
      topologySpreadConstraints:
        shared.topologySpreadConstraints.length > 0 ? shared.topologySpreadConstraints : topologySpreadConstraints,
      nodeSelector: { ...shared.nodeSelector, ...router.nodeSelector },
      tolerations: shared.tolerations,
      affinity: router.affinity ?? shared.affinity,
      priorityClassName: shared.priorityClassName ?? priority,
      imagePullSecrets: named(shared.imagePullSecrets, router.imagePullSecrets),
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
  const { router: shared } = setting.defaults ?? noDefaults;
  const memory = router.resources.memory ?? shared.resources.memory ?? "1Gi";
  const { namespace = "" } = service.metadata;
  const servers = nats.servers.length > 0 ? nats.servers : setting.natsServers;
  const pools = [...new Set(tiers.flatMap((tier) => tier.pools))].sort();
  return {
    name: "router",
    image: router.image ?? shared.image ?? setting.image,
    args: ["router", ...shared.args],
    env: [
      fromField("SLIPSTREAM_ROUTER_NAME", "metadata.name"),
      env("SLIPSTREAM_UNKNOWN_SETTINGS", "ignore"),
      env("SLIPSTREAM_ROUTER_GRPC_ADDRESS", "0.0.0.0:7411"),
      env("SLIPSTREAM_ROUTER_HTTP_ADDRESS", "0.0.0.0:7412"),
      env(
        "SLIPSTREAM_ROUTER_HTTP_HOSTS",
        [`${service.metadata.name}.${namespace}.svc`, `${service.metadata.name}.${namespace}`].join(","),
      ),
      env("SLIPSTREAM_ROUTER_ADMIN_ADDRESS", `0.0.0.0:${adminPort}`),
      env("SLIPSTREAM_ROUTER_WORKERS_DNS", pools.map((pool) => `${workersName(pool)}.${namespace}.svc:7421`).join(",")),
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
      ...(servers.length > 0 ? [env("SLIPSTREAM_NATS_SERVERS", servers.join(",")), env("SLIPSTREAM_NATS_SPACE", namespace)] : []),
      ...(nats.tls ? [env("SLIPSTREAM_NATS_TLS", "true")] : []),
      ...(nats.credentialsSecretRef ? [env("SLIPSTREAM_NATS_CREDENTIALS", `${folder}/nats/nats.creds`)] : []),
      ...shared.env,
    ],
    ports: [
      { name: "grpc", containerPort: 7411, protocol: "TCP" },
      { name: "http", containerPort: 7412, protocol: "TCP" },
      { name: "admin", containerPort: adminPort, protocol: "TCP" },
    ],
    readinessProbe: httpsProbe("/readyz", adminPort, { periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 3 }),
    livenessProbe: httpsProbe("/healthz", adminPort, { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
    lifecycle: { preStop: { sleep: { seconds: leaveSeconds } } },
    resources: {
      requests: { cpu: router.resources.cpu ?? shared.resources.cpu ?? "1", memory },
      limits: { memory },
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
