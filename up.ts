// up: `slipstream up`: router, worker and built-in model in one process tree on loopback, over the same gRPC link, pipeline and
// agent as a cluster; the bus stays in memory. Says when it is ready and what to try next.
import { join } from "node:path";
import type { Command } from "./cli/command.ts";
import { options, whole } from "./cli/options.ts";
import { MemoryBus } from "./lib/bus/memory.ts";
import { systemClock } from "./lib/clock.ts";
import { SlipstreamError } from "./lib/errors.ts";
import { run } from "./lib/lifecycle.ts";
import { createLog } from "./lib/log.ts";
import { packageRoot } from "./lib/package-root.ts";
import { systemRandom } from "./lib/random.ts";
import { readRouterConfig } from "./router/config.ts";
import { assertGuarded, startRouter } from "./router/main.ts";
import { readWorkerConfig } from "./workers/config.ts";
import { startWorker } from "./workers/main.ts";

const help = `Usage: slipstream up [OPTIONS]

Runs everything on this machine: a router, a worker with the built-in model, a status page. On loopback; an address that
other machines reach needs TLS and asks who calls, as for "slipstream router" (docs/operations/security.md).

Options:
  --model PATH         a GGUF file with fill-in-the-middle tokens (default: the built-in model)
  --draft PATH         a GGUF file of the same vocabulary that drafts for it, or none (default: the built-in
                       draft for the built-in model)
  --engine NAME        embedded (llama.cpp) or simulated (default embedded)
  --threads N          threads of the embedded engine (default: one less than the cores)
  --grpc HOST:PORT     editors and products connect here (default 127.0.0.1:7411)
  --http HOST:PORT     status page, endpoints that other clients know (default 127.0.0.1:7412)
  --admin HOST:PORT    health and metrics (default 127.0.0.1:7413)
  --insecure           let other machines in without TLS or without asking who calls
  --log-level LEVEL    fatal, error, warn, info, debug or silent (default warn)

Other settings come from the environment as for "slipstream router" and "slipstream worker": docs/reference/config.md.

Examples:
  slipstream up
  slipstream up --model ~/models/qwen2.5-coder-1.5b-q8_0.gguf --threads 4
`;

const builtIn = "models/slipstream-fim-13m-q8_0.gguf";

export const up: Command = async (args, io) => {
  const { values, positionals } = options(args, {
    model: { type: "string" },
    draft: { type: "string" },
    engine: { type: "string" },
    threads: { type: "string" },
    grpc: { type: "string" },
    http: { type: "string" },
    admin: { type: "string" },
    "log-level": { type: "string" },
    insecure: { type: "boolean", default: false },
  });
  if (values.help) {
    io.out(help);
    return 0;
  }
  if (positionals.length > 0)
    throw new SlipstreamError("invalid_request", `"${positionals[0]}" is not an option; --help shows them`);
  if (values.threads !== undefined) whole("threads", values.threads, 1, 256);
  const given = (name: string, value: string | boolean | undefined) => (value === undefined ? {} : { [name]: String(value) });
  const routerConfig = readRouterConfig({
    SLIPSTREAM_ROUTER_LOG_LEVEL: "warn",
    ...own(io.env, "SLIPSTREAM_ROUTER_"),
    ...own(io.env, "SLIPSTREAM_OTLP_"),
    ...given("SLIPSTREAM_ROUTER_GRPC_ADDRESS", values.grpc),
    ...given("SLIPSTREAM_ROUTER_HTTP_ADDRESS", values.http),
    ...given("SLIPSTREAM_ROUTER_ADMIN_ADDRESS", values.admin),
    ...given("SLIPSTREAM_ROUTER_LOG_LEVEL", values["log-level"]),
    ...(values.insecure ? { SLIPSTREAM_ROUTER_INSECURE: "true" } : {}),
  });
  const workerConfig = readWorkerConfig({
    SLIPSTREAM_WORKER_LOG_LEVEL: "warn",
    SLIPSTREAM_WORKER_MODEL: join(packageRoot(), builtIn),
    ...own(io.env, "SLIPSTREAM_WORKER_"),
    ...own(io.env, "SLIPSTREAM_OTLP_"),
    ...given("SLIPSTREAM_WORKER_MODEL", values.model),
    ...given("SLIPSTREAM_WORKER_DRAFT_MODEL", values.draft),
    ...given("SLIPSTREAM_WORKER_ENGINE", values.engine),
    ...given("SLIPSTREAM_WORKER_THREADS", values.threads),
    // Nobody but the router beside it reaches it.
    SLIPSTREAM_WORKER_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_WORKER_ADMIN_ADDRESS: "127.0.0.1:0",
    SLIPSTREAM_WORKER_TLS_CERT: "",
    SLIPSTREAM_WORKER_TLS_KEY: "",
    SLIPSTREAM_WORKER_TLS_CLIENT_CA: "",
  });

  const startedMs = systemClock.now();
  const random = systemRandom();
  const log = createLog({ process: "up", level: routerConfig.logLevel });
  return run({ graceMs: routerConfig.graceMs }, { clock: systemClock, log, ...io }, async (lifecycle) => {
    // Before a model is loaded: what must not be opened is refused at once.
    assertGuarded(routerConfig, { clock: systemClock, log });
    const worker = await startWorker(workerConfig, { lifecycle, clock: systemClock, random, log: log.child({ part: "worker" }) });
    const config = { ...routerConfig, workers: [`127.0.0.1:${worker.port}`] };
    const router = await startRouter(config, {
      lifecycle,
      clock: systemClock,
      random,
      log: log.child({ part: "router" }),
      bus: new MemoryBus(),
    });
    await router.ready;
    io.out(welcome(router.ports, router.router.models("default"), (systemClock.now() - startedMs) / 1000));
  });
};

function own(env: Readonly<Record<string, string | undefined>>, prefix: string) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith(prefix)));
}

function welcome(ports: { grpc: number; http: number; admin: number }, models: readonly string[], seconds: number): string {
  const at = ports.grpc === 7411 ? "" : ` --address 127.0.0.1:${ports.grpc}`;
  return `Slipstream is ready after ${seconds.toFixed(1)} s with ${models.join(", ")}.

  gRPC    127.0.0.1:${ports.grpc}
  HTTP    http://127.0.0.1:${ports.http}/        status page; clients: docs/clients.md
  admin   http://127.0.0.1:${ports.admin}/        the console: type there and see

Try next, in another terminal:
  npx slipstream complete docs/examples/basket.ts:19:12${at}
  npx slipstream status${ports.admin === 7413 ? "" : ` --address 127.0.0.1:${ports.admin}`}

Ctrl-C drains and ends.
`;
}
