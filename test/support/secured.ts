// secured: a router and a worker as their processes start them, over TLS with certificates of the test's own, keys for tenants,
// and mutual TLS between the two; in this process, on free loopback ports.
import { request } from "node:https";
import { createSecureContext } from "node:tls";
import { create } from "@bufbuild/protobuf";
import { MemoryBus } from "../../lib/bus/memory.ts";
import { systemClock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { Lifecycle } from "../../lib/lifecycle.ts";
import { createLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import type { ClientTls } from "../../lib/tls/client.ts";
import { CompleteRequestSchema, CompletionService, TriggerKind } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { readRouterConfig } from "../../router/config.ts";
import { type RunningRouter, startRouter } from "../../router/main.ts";
import { readWorkerConfig } from "../../workers/config.ts";
import { startWorker } from "../../workers/main.ts";
import type { Issued } from "./certificates.ts";

type Env = Readonly<Record<string, string>>;

/** One process: settings by environment, log lines kept. */
export class TestProcess {
  readonly lines: string[] = [];
  readonly #lifecycle: Lifecycle;
  readonly #log;

  constructor(process: string) {
    this.#log = createLog({ process, level: "info" }, { write: (line) => this.lines.push(line) });
    this.#lifecycle = new Lifecycle({ graceMs: 1_000 }, { clock: systemClock, log: this.#log });
  }

  router(env: Env): Promise<RunningRouter> {
    const anyPort = "127.0.0.1:0";
    const config = readRouterConfig({
      SLIPSTREAM_ROUTER_GRPC_ADDRESS: anyPort,
      SLIPSTREAM_ROUTER_HTTP_ADDRESS: anyPort,
      SLIPSTREAM_ROUTER_ADMIN_ADDRESS: anyPort,
      SLIPSTREAM_ROUTER_FILES_EVERY: "100ms",
      ...env,
    });
    return startRouter(config, { ...this.#deps, bus: new MemoryBus() });
  }

  worker(env: Env): ReturnType<typeof startWorker> {
    const config = readWorkerConfig({
      SLIPSTREAM_WORKER_ADDRESS: "127.0.0.1:0",
      SLIPSTREAM_WORKER_ADMIN_ADDRESS: "127.0.0.1:0",
      SLIPSTREAM_WORKER_ENGINE: "simulated",
      SLIPSTREAM_WORKER_FILES_EVERY: "100ms",
      ...env,
    });
    return startWorker(config, this.#deps);
  }

  get #deps() {
    return { lifecycle: this.#lifecycle, clock: systemClock, random: seeded(1), log: this.#log };
  }

  end(): Promise<void> {
    return this.#lifecycle.end("the test is over");
  }
}

/** As a mounted Secret names them. */
export const files = ({ cert, key }: Issued, ca: string) => ({ "tls.crt": cert, "tls.key": key, "ca.crt": ca });

export const tls = (ca: string | undefined, own?: Issued, serverName?: string): ClientTls => ({
  context: createSecureContext({ ...(ca === undefined ? {} : { ca }), ...own }),
  ...(serverName === undefined ? {} : { serverName }),
});

let asked = 0;
const completion = () =>
  create(CompleteRequestSchema, { prefix: `const a${++asked} = `, suffix: ";\n", kind: TriggerKind.INVOKED, deadlineMs: 20_000 });

export async function ended(client: GrpcClient, metadata: Record<string, string>): Promise<string> {
  try {
    for await (const { message } of client.serverStream(CompletionService.method.complete, completion(), { metadata }))
      if (message.case === "completion") return "completed";
    return "no completion";
  } catch (thrown) {
    const error = SlipstreamError.from(thrown);
    return `${error.code}: ${error.message}`;
  }
}

/** A completion on a connection of its own. */
export async function complete(
  port: number,
  secure: ClientTls | undefined,
  metadata: Record<string, string> = {},
): Promise<string> {
  const client = new GrpcClient({ address: `127.0.0.1:${port}`, tls: secure });
  try {
    return await ended(client, metadata);
  } finally {
    client.close();
  }
}

export function get(port: number, path: string, ca: string, headers: Record<string, string> = {}, own?: Issued): Promise<string> {
  return new Promise((resolve) => {
    request({ host: "127.0.0.1", port, path, ca, headers, agent: false, ...own }, (response) => {
      let body = "";
      response.on("data", (part: Buffer) => {
        body += part;
      });
      response.on("end", () => resolve(`${response.statusCode}: ${body}`));
    })
      .on("error", (error) => resolve(`error: ${error.message}`))
      .end();
  });
}
