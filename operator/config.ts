// config: the operator's settings, by environment. What pools and services shall be stands in their objects; what stands here belongs
// to this process.
import { natsSettings } from "../lib/bus/settings.ts";
import { address, type Config, choice, duration, type Env, integer, readConfig, setting, text } from "../lib/config.ts";
import { credentialSettings } from "../lib/credential-settings.ts";
import { levels } from "../lib/log.ts";

export const operatorSettings = {
  kubeconfig: setting(
    "SLIPSTREAM_OPERATOR_KUBECONFIG",
    text,
    "",
    "kubeconfig file; empty: $KUBECONFIG, else the pod's own ServiceAccount, else ~/.kube/config.",
  ),
  context: setting("SLIPSTREAM_OPERATOR_CONTEXT", text, "", "Context of the kubeconfig; empty: the current one."),
  namespace: setting(
    "SLIPSTREAM_OPERATOR_NAMESPACE",
    text,
    "",
    "Where the lease and the authorities of links are kept; empty: that of the pod or the context.",
  ),
  watchNamespaces: setting(
    "SLIPSTREAM_OPERATOR_WATCH_NAMESPACES",
    text,
    "",
    "Namespaces to look after, comma-separated; empty: all.",
  ),
  image: setting(
    "SLIPSTREAM_OPERATOR_IMAGE",
    text,
    "slipstream:latest",
    "Image of routers and agents, where an object names none: that of the operator itself.",
  ),
  defaults: setting(
    "SLIPSTREAM_OPERATOR_DEFAULTS",
    text,
    "",
    "JSON file with what every router and worker is given that says nothing itself (operator/api/defaults.ts); empty: nothing.",
  ),
  name: setting("SLIPSTREAM_OPERATOR_NAME", text, "operator", "Who this one is in the lease and in events: the pod's name."),
  lease: setting("SLIPSTREAM_OPERATOR_LEASE", text, "slipstream-operator", "Name of the lease by which one of several leads."),
  leaseMs: setting(
    "SLIPSTREAM_OPERATOR_LEASE_DURATION",
    duration(1_000, 600_000),
    "15s",
    "How long a lease holds that is not renewed.",
  ),
  renewMs: setting(
    "SLIPSTREAM_OPERATOR_LEASE_RENEW",
    duration(500, 600_000),
    "10s",
    "After so long without renewal the leader stops; under the duration.",
  ),
  retryMs: setting("SLIPSTREAM_OPERATOR_LEASE_RETRY", duration(100, 60_000), "2s", "How often the lease is renewed, or tried for."),
  perSecond: setting("SLIPSTREAM_OPERATOR_CALLS_PER_SECOND", integer(1, 10_000), "50", "Calls to the Kubernetes API."),
  burst: setting("SLIPSTREAM_OPERATOR_CALLS_BURST", integer(1, 10_000), "100", "Calls that may come at once."),
  atOnce: setting("SLIPSTREAM_OPERATOR_RUNS", integer(1, 64), "4", "Objects that are worked on at the same time."),
  certificateMs: setting(
    "SLIPSTREAM_OPERATOR_CERTIFICATE_LIFE",
    duration(60_000, 3_650 * 86_400_000),
    "720h",
    "Life of a link's certificate; it is renewed at two thirds.",
  ),
  authorityMs: setting(
    "SLIPSTREAM_OPERATOR_AUTHORITY_LIFE",
    duration(120_000, 7_300 * 86_400_000),
    "87600h",
    "Life of the authority that signs them.",
  ),
  settleMs: setting(
    "SLIPSTREAM_OPERATOR_AUTHORITY_SETTLE",
    duration(0, 30 * 86_400_000),
    "24h",
    "How long a new authority is believed before it signs.",
  ),
  adminAddress: setting("SLIPSTREAM_OPERATOR_ADMIN_ADDRESS", address, "127.0.0.1:7433", "/healthz, /readyz and /metrics."),
  ...credentialSettings("SLIPSTREAM_OPERATOR_", {
    keys: "File with the hashes of API keys; those of administrators open the admin port to other machines.",
    clients: "Not used: nothing but the admin port listens.",
  }),
  graceMs: setting("SLIPSTREAM_OPERATOR_GRACE", duration(0, 600_000), "10s", "Time for what runs when the process ends."),
  ...natsSettings,
  logLevel: setting("SLIPSTREAM_OPERATOR_LOG_LEVEL", choice(...levels), "info", "fatal, error, warn, info, debug or silent."),
} as const;

export type OperatorConfig = Config<typeof operatorSettings>;

export function readOperatorConfig(env: Env): OperatorConfig {
  return readConfig(operatorSettings, env, "SLIPSTREAM_OPERATOR_");
}

export const namespacesOf = ({ watchNamespaces }: Pick<OperatorConfig, "watchNamespaces">): string[] =>
  watchNamespaces
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
