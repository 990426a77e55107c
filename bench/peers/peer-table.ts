// peer-table: every router that is compared: where its program is, how it is started before these workers with its best documented
// settings, and which policy stands for it in virtual time. One row each.
import type { PolicyName } from "./policies.ts";

export const peerNames = [
  "direct",
  "smg cache_aware",
  "vllm-router consistent_hash",
  "vllm-router cache_aware",
  "envoy least_request",
  "envoy ring_hash",
] as const;
export type PeerName = (typeof peerNames)[number];

/** By its name in tools/tool-table.ts. */
export type PeerTool = "smg" | "vllm-router" | "envoy";

export interface Peer {
  /** Absent: editors speak to their worker themselves. */
  readonly tool?: PeerTool;
  readonly policy: PolicyName;
  readonly launch: (given: Launch) => readonly string[];
  /** A file it is started with. */
  readonly file?: (given: Launch) => string;
  /** What it is given beyond addresses, and why. */
  readonly settings: string;
}

export interface Launch {
  readonly port: number;
  /** For metrics or administration. */
  readonly sidePort: number;
  readonly workers: readonly number[];
  readonly file: string;
  /** What callers must show, where it can ask. */
  readonly key?: string;
}

const urls = ({ workers }: Launch) => workers.map((port) => `http://127.0.0.1:${port}`);
const smg = (policy: string, more: readonly string[]) => (given: Launch) => [
  ...["launch", "--host", "127.0.0.1", "--port", String(given.port), "--worker-urls", ...urls(given)],
  ...["--prometheus-host", "127.0.0.1", "--prometheus-port", String(given.sidePort), "--policy", policy, ...more],
  ...["--log-level", "error", ...(given.key === undefined ? [] : ["--api-key", given.key])],
];
const vllm = (policy: string, more: readonly string[]) => (given: Launch) => [
  ...["--host", "127.0.0.1", "--port", String(given.port), "--worker-urls", ...urls(given)],
  ...["--prometheus-host", "127.0.0.1", "--prometheus-port", String(given.sidePort), "--policy", policy, ...more],
  ...["--log-level", "error"],
];
const balance = ["--cache-threshold", "0.5", "--balance-abs-threshold", "8", "--balance-rel-threshold", "1.2"] as const;
const envoy = (given: Launch) => ["-c", given.file, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"];

export const peers: Readonly<Record<PeerName, Peer>> = {
  direct: { policy: "direct", launch: () => [], settings: "no router: each editor is given a worker, as many editors to each" },
  "smg cache_aware": {
    ...{ tool: "smg", policy: "spill", launch: smg("cache_aware", []) },
    settings: "--policy cache_aware; its spill gate fits small pools by itself (its help says so), so the rest is its defaults",
  },
  "vllm-router consistent_hash": {
    ...{ tool: "vllm-router", policy: "ring_hash", launch: vllm("consistent_hash", []) },
    settings: "--policy consistent_hash, by the header x-session-id that each editor sends",
  },
  "vllm-router cache_aware": {
    ...{ tool: "vllm-router", policy: "cache_aware", launch: vllm("cache_aware", balance) },
    settings: `--policy cache_aware ${balance.join(" ")}: with the defaults (0.3, 64, 1.5) four workers of this size would never be balanced`,
  },
  "envoy least_request": {
    ...{ tool: "envoy", policy: "least_request", launch: envoy, file: (given) => envoyFile(given, "LEAST_REQUEST") },
    settings: "LEAST_REQUEST, choice_count 2 (its default), one worker thread",
  },
  "envoy ring_hash": {
    ...{ tool: "envoy", policy: "ring_hash", launch: envoy, file: (given) => envoyFile(given, "RING_HASH") },
    settings: "RING_HASH on x-session-id, minimum_ring_size 1024 (its default), one worker thread",
  },
};

function envoyFile(given: Launch, policy: string): string {
  const at = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });
  const filter = (name: string, type: string, more: object = {}) => ({
    name,
    typed_config: { "@type": `type.googleapis.com/envoy.extensions.filters.${type}`, ...more },
  });
  const route = { cluster: "workers", timeout: "0s", hash_policy: [{ header: { header_name: "x-session-id" } }] };
  const connections = filter(
    "envoy.filters.network.http_connection_manager",
    "network.http_connection_manager.v3.HttpConnectionManager",
    {
      stat_prefix: "h",
      route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route }] }] },
      http_filters: [
        ...(given.key === undefined ? [] : [filter("envoy.filters.http.rbac", "http.rbac.v3.RBAC", onlyWith(given.key))]),
        filter("envoy.filters.http.router", "http.router.v3.Router"),
      ],
    },
  );
  const endpoints = given.workers.map((port) => ({ endpoint: { address: at(port) } }));
  return JSON.stringify({
    admin: { address: at(given.sidePort) },
    static_resources: {
      listeners: [{ name: "l", address: at(given.port), filter_chains: [{ filters: [connections] }] }],
      clusters: [
        {
          name: "workers",
          type: "STATIC",
          lb_policy: policy,
          load_assignment: { cluster_name: "workers", endpoints: [{ lb_endpoints: endpoints }] },
        },
      ],
    },
  });
}

function onlyWith(key: string): object {
  const header = { name: "authorization", string_match: { exact: `Bearer ${key}` } };
  return { rules: { action: "ALLOW", policies: { key: { permissions: [{ any: true }], principals: [{ header }] } } } };
}
