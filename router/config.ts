// config: the router's settings, by environment. Behaviour of pools and tenants comes as one versioned policy document;
// what stands here belongs to one process.
import { natsSettings } from "../lib/bus/settings.ts";
import {
  address,
  addressList,
  bytes,
  type Config,
  choice,
  duration,
  type Env,
  flag,
  hostList,
  integer,
  nameList,
  originList,
  readConfig,
  setting,
  shares,
  text,
} from "../lib/config.ts";
import { credentialSettings } from "../lib/credential-settings.ts";
import { levels } from "../lib/log.ts";
import { tracingSettings } from "../lib/tracing/settings.ts";

export const routerSettings = {
  name: setting("SLIPSTREAM_ROUTER_NAME", text, "router", "Name of this router on links and the bus; unique in a fleet."),
  grpcAddress: setting("SLIPSTREAM_ROUTER_GRPC_ADDRESS", address, "127.0.0.1:7411", "Where editors and products connect."),
  httpAddress: setting(
    "SLIPSTREAM_ROUTER_HTTP_ADDRESS",
    address,
    "127.0.0.1:7412",
    "Status page and compatible HTTP endpoints (docs/clients.md).",
  ),
  httpHosts: setting(
    "SLIPSTREAM_ROUTER_HTTP_HOSTS",
    hostList,
    "",
    "Host names besides loopback that HTTP requests and their Origin may carry, comma-separated.",
  ),
  httpOrigins: setting(
    "SLIPSTREAM_ROUTER_HTTP_ORIGINS",
    originList,
    "",
    'Origins of web pages that may call from a browser (CORS), like "https://ide.example", comma-separated; empty: none.',
  ),
  httpConnectionsMax: setting(
    "SLIPSTREAM_ROUTER_HTTP_CONNECTIONS_MAX",
    integer(1, 1_000_000),
    "4096",
    "Open HTTP connections; those beyond are closed at once.",
  ),
  adminAddress: setting("SLIPSTREAM_ROUTER_ADMIN_ADDRESS", address, "127.0.0.1:7413", "/healthz, /readyz and /metrics."),
  workers: setting(
    "SLIPSTREAM_ROUTER_WORKERS",
    addressList,
    "",
    "Worker agents, comma-separated host:port. Those that announce themselves on the bus are found too.",
  ),
  workersDns: setting(
    "SLIPSTREAM_ROUTER_WORKERS_DNS",
    nameList,
    "",
    'Names that lead to worker agents, looked up again and again, comma-separated: "host:port" (a headless Service) or "_grpc._tcp.name" (SRV).',
  ),
  workersDnsEveryMs: setting(
    "SLIPSTREAM_ROUTER_WORKERS_DNS_EVERY",
    duration(100, 3_600_000),
    "5s",
    "How often they are looked up.",
  ),
  spool: setting(
    "SLIPSTREAM_ROUTER_SPOOL",
    text,
    "",
    "Folder of this router alone, where outcomes wait that the bus has not stored, over a restart too; empty: in memory.",
  ),
  spoolBytes: setting(
    "SLIPSTREAM_ROUTER_SPOOL_BYTES",
    bytes(1 << 20, 64 * 2 ** 30),
    "256MiB",
    "Most that waits there; the oldest outcomes are dropped first.",
  ),
  ...credentialSettings("SLIPSTREAM_ROUTER_", {
    keys: 'File with the hashes of API keys (`slipstream key create`); empty: nobody is asked, everyone is tenant "default".',
    clients: "File with the authorities (PEM) whose certificates gRPC and HTTP clients must show; empty: none is asked for.",
  }),
  linkCa: setting(
    "SLIPSTREAM_ROUTER_LINK_CA",
    text,
    "",
    "File with the authorities (PEM) of workers' certificates; with it links speak TLS. Empty: those that Node carries, if a certificate is set.",
  ),
  linkCert: setting("SLIPSTREAM_ROUTER_LINK_CERT", text, "", "File with the certificate (PEM) that this router shows workers."),
  linkKey: setting("SLIPSTREAM_ROUTER_LINK_KEY", text, "", "File with its private key (PEM)."),
  linkServerName: setting(
    "SLIPSTREAM_ROUTER_LINK_SERVER_NAME",
    text,
    "",
    "Name in every worker's certificate; empty: the host of its address.",
  ),
  policy: setting(
    "SLIPSTREAM_ROUTER_POLICY",
    text,
    "",
    "File of the policy document (docs/reference/policy.md), JSON or YAML, read anew when it changes; empty: everything is allowed.",
  ),
  settleMs: setting(
    "SLIPSTREAM_ROUTER_SETTLE",
    duration(0, 2_000),
    "250ms",
    "Longest pause after a key before an AUTO trigger goes on. The pause outlasts most of the typist's next keys, takes at most a third of the deadline, and is 0 while half of the slots are free or answers come before the next key.",
  ),
  autoDeadlineMs: setting(
    "SLIPSTREAM_ROUTER_AUTO_DEADLINE",
    duration(10, 60_000),
    "500ms",
    "Deadline of AUTO triggers that name none.",
  ),
  invokedDeadlineMs: setting(
    "SLIPSTREAM_ROUTER_INVOKED_DEADLINE",
    duration(10, 120_000),
    "3s",
    "Deadline of INVOKED triggers that name none.",
  ),
  chatDeadlineMs: setting(
    "SLIPSTREAM_ROUTER_CHAT_DEADLINE",
    duration(100, 600_000),
    "60s",
    "Deadline of Generate calls that name none.",
  ),
  documentBytesMax: setting(
    "SLIPSTREAM_ROUTER_DOCUMENT_BYTES_MAX",
    bytes(1024, 64 << 20),
    "2MiB",
    "Largest document, and largest prefix plus suffix of a stateless call.",
  ),
  documentsMax: setting("SLIPSTREAM_ROUTER_DOCUMENTS_MAX", integer(1, 10_000), "64", "Open documents of one session."),
  sessionsMax: setting("SLIPSTREAM_ROUTER_SESSIONS_MAX", integer(1, 1_000_000), "20000", "Open session streams of this process."),
  resumeTtlMs: setting(
    "SLIPSTREAM_ROUTER_RESUME_TTL",
    duration(0, 3_600_000),
    "60s",
    "How long the documents of an ended session stream are kept for a client that connects again; 0: not at all.",
  ),
  resumeBytes: setting(
    "SLIPSTREAM_ROUTER_RESUME_BYTES",
    bytes(0, 64 * 2 ** 30),
    "256MiB",
    "Text of all documents so kept; whose stream ended first leaves first.",
  ),
  connectionAgeMaxMs: setting(
    "SLIPSTREAM_ROUTER_CONNECTION_AGE_MAX",
    duration(0, 30 * 86_400_000),
    "0",
    "Age, give or take a tenth, at which a session stream is asked to connect anew, so that long ones spread over routers; 0: never.",
  ),
  connectionNoticeMs: setting(
    "SLIPSTREAM_ROUTER_CONNECTION_NOTICE",
    duration(0, 60_000),
    "2s",
    "How long a stream is still served after it was asked to connect anew, by its age or because the router drains; never more than half of the grace.",
  ),
  queueMax: setting("SLIPSTREAM_ROUTER_QUEUE_MAX", integer(1, 1_000_000), "2000", "Triggers waiting for a credit, all lanes."),
  queueBytes: setting(
    "SLIPSTREAM_ROUTER_QUEUE_BYTES",
    bytes(1 << 20, 16 * 2 ** 30),
    "64MiB",
    "Memory of the prompts of triggers waiting for a credit, all lanes.",
  ),
  leastConfidence: setting(
    "SLIPSTREAM_ROUTER_CONFIDENCE_MIN",
    shares,
    "slipstream-fim-13m=0.5",
    "Text that nobody asked for by hand is not shown below this mean probability of its first tokens: a number for all models, or model=number, comma-separated.",
  ),
  resultCacheBytes: setting(
    "SLIPSTREAM_ROUTER_RESULT_CACHE_BYTES",
    bytes(0, 4 * 2 ** 30),
    "16MiB",
    "Finished results kept for identical prompts.",
  ),
  warmBytes: setting(
    "SLIPSTREAM_ROUTER_WARM_BYTES",
    bytes(0, 4 * 2 ** 30),
    "16MiB",
    "Last prompts of sessions kept to warm another worker with, when theirs will leave, and beginnings that many share for a worker that joins; 0: no worker is warmed.",
  ),
  keepText: setting(
    "SLIPSTREAM_ROUTER_KEEP_TEXT",
    flag,
    "false",
    "true: events on the bus carry the delivered text of completions, for whoever may learn from it. Logs and metrics never do.",
  ),
  firstTextTargetMs: setting(
    "SLIPSTREAM_ROUTER_FIRST_TEXT_TARGET",
    duration(1, 60_000),
    "100ms",
    "What 95 % of inline first texts are to keep to: the line that the console draws. Nothing is decided by it.",
  ),
  explainMax: setting(
    "SLIPSTREAM_ROUTER_EXPLAIN_MAX",
    integer(0, 100_000),
    "2000",
    "Triggers of late whose steps `slipstream explain` can show; 0: none are kept.",
  ),
  leaveMs: setting(
    "SLIPSTREAM_ROUTER_LEAVE",
    duration(0, 600_000),
    "0",
    "How long a router that is to end says that it is not ready and serves on, before its sessions are told to connect anew, so that whoever leads connections to it sees it; never more than a quarter of the grace.",
  ),
  graceMs: setting("SLIPSTREAM_ROUTER_GRACE", duration(0, 600_000), "5s", "Time for running calls when the process ends."),
  ...natsSettings,
  ...tracingSettings,
  logLevel: setting("SLIPSTREAM_ROUTER_LOG_LEVEL", choice(...levels), "info", "fatal, error, warn, info, debug or silent."),
} as const;

export type RouterConfig = Config<typeof routerSettings>;

export function readRouterConfig(env: Env): RouterConfig {
  return readConfig(routerSettings, env, "SLIPSTREAM_ROUTER_");
}
