// fleet: a real router with worker processes' insides before engines that somebody else runs: each agent attached to its URL, all on
// free loopback ports in this process.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { MemoryBus } from "../../lib/bus/memory.ts";
import { systemClock } from "../../lib/clock.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import { Lifecycle } from "../../lib/lifecycle.ts";
import { silentLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import {
  CompleteRequestSchema,
  type Completion,
  CompletionService,
  type Nothing,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { readRouterConfig } from "../../router/config.ts";
import { type RunningRouter, startRouter } from "../../router/main.ts";
import { readWorkerConfig } from "../../workers/config.ts";
import type { Engine } from "../../workers/engine/engine.ts";
import { type RunningWorker, startWorker } from "../../workers/main.ts";

export interface Fleet {
  readonly router: RunningRouter;
  readonly workers: readonly RunningWorker[];
  /** One completion; what it ended with. */
  ask(
    request: MessageInitShape<typeof CompleteRequestSchema>,
  ): Promise<{ completion?: Completion; nothing?: Nothing; text: string }>;
  end(): Promise<void>;
}

const anyPort = "127.0.0.1:0";

export async function startFleet(
  urls: readonly string[],
  env: {
    readonly worker?: Record<string, string>;
    readonly router?: Record<string, string>;
    /** Instead of the engine that the worker's settings attach to. */
    readonly startEngine?: () => Promise<Engine>;
  } = {},
): Promise<Fleet> {
  const deps = { clock: systemClock, random: seeded(1), log: silentLog };
  const lifecycle = new Lifecycle({ graceMs: 2_000 }, deps);
  const starting = urls.map((url, index) => {
    const config = readWorkerConfig({
      SLIPSTREAM_WORKER_NAME: `w${index}`,
      SLIPSTREAM_WORKER_ENGINE: "vllm",
      SLIPSTREAM_WORKER_ENGINE_URL: url,
      SLIPSTREAM_WORKER_ADDRESS: anyPort,
      SLIPSTREAM_WORKER_ADMIN_ADDRESS: anyPort,
      ...env.worker,
    });
    return startWorker(config, { lifecycle, ...deps, ...(env.startEngine && { startEngine: env.startEngine }) });
  });
  const workers = await Promise.all(starting);
  const config = readRouterConfig({
    SLIPSTREAM_ROUTER_GRPC_ADDRESS: anyPort,
    SLIPSTREAM_ROUTER_HTTP_ADDRESS: anyPort,
    SLIPSTREAM_ROUTER_ADMIN_ADDRESS: anyPort,
    SLIPSTREAM_ROUTER_WORKERS: workers.map(({ port }) => `127.0.0.1:${port}`).join(","),
    ...env.router,
  });
  const router = await startRouter(config, { lifecycle, ...deps, bus: new MemoryBus() });
  await router.ready;
  const client = new GrpcClient({ address: `127.0.0.1:${router.ports.grpc}` });
  return {
    ...{ router, workers },
    async ask(request) {
      let text = "";
      const messages = client.serverStream(CompletionService.method.complete, create(CompleteRequestSchema, request));
      for await (const { message } of messages) {
        if (message.case === "partial") text += message.value.text;
        if (message.case === "completion") return { completion: message.value, text: message.value.items[0]?.insertText ?? text };
        if (message.case === "nothing") return { nothing: message.value, text };
      }
      throw new Error("the router said nothing at all");
    },
    async end() {
      client.close();
      await lifecycle.end("it is over");
    },
  };
}
