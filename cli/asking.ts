// asking: ways to ask a completion server for the text of a hole: a router and worker of its own in this process, over the
// same link, pipeline and engine as `slipstream up`, or a running router by its address.
import { create } from "@bufbuild/protobuf";
import type { Answer, Ask, Hole } from "../learn/evaluation/span.ts";
import { MemoryBus } from "../lib/bus/memory.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { GrpcClient } from "../lib/grpc/client.ts";
import { Lifecycle } from "../lib/lifecycle.ts";
import { silentLog } from "../lib/log.ts";
import { seeded } from "../lib/random.ts";
import {
  type CompleteRequest,
  CompleteRequestSchema,
  CompletionService,
  Finish,
  Outcome,
  TriggerKind,
} from "../proto/gen/slipstream/v1/completion_pb.ts";
import type { Ending, Milestones, Trigger } from "../router/completion.ts";
import { readRouterConfig } from "../router/config.ts";
import { startRouter } from "../router/main.ts";
import { readWorkerConfig } from "../workers/config.ts";
import { startWorker } from "../workers/main.ts";
import type { Reach } from "./reaching.ts";

export interface Asking extends AsyncDisposable {
  readonly ask: Ask;
}

/** Far longer than any greedy completion of the built-in model takes; quality is not judged by the clock. */
const deadlineMs = 60_000;

function requestFor({ id, path, language, prefix, suffix }: Hole): CompleteRequest {
  // INVOKED: nothing is held back for being unsure, so that every text can be judged.
  return create(CompleteRequestSchema, { path, language, prefix, suffix, kind: TriggerKind.INVOKED, deadlineMs, documentId: id });
}

/** A router and a worker with one thread for these weights. */
export async function askLocally(modelPath: string, clock: Clock = systemClock): Promise<Asking> {
  const log = silentLog;
  const lifecycle = new Lifecycle({ graceMs: 2_000 }, { clock, log });
  const random = seeded(1);
  try {
    const workerConfig = readWorkerConfig({
      SLIPSTREAM_WORKER_MODEL: modelPath,
      SLIPSTREAM_WORKER_THREADS: "1",
      SLIPSTREAM_WORKER_SLOTS: "1",
      SLIPSTREAM_WORKER_ADDRESS: "127.0.0.1:0",
      SLIPSTREAM_WORKER_ADMIN_ADDRESS: "127.0.0.1:0",
    });
    const worker = await startWorker(workerConfig, { lifecycle, clock, random, log });
    const anyPort = "127.0.0.1:0";
    const routerConfig = readRouterConfig({
      SLIPSTREAM_ROUTER_GRPC_ADDRESS: anyPort,
      SLIPSTREAM_ROUTER_HTTP_ADDRESS: anyPort,
      SLIPSTREAM_ROUTER_ADMIN_ADDRESS: anyPort,
      SLIPSTREAM_ROUTER_SETTLE: "0",
      SLIPSTREAM_ROUTER_WORKERS: `127.0.0.1:${worker.port}`,
    });
    const running = await startRouter(routerConfig, { lifecycle, clock, random, log, bus: new MemoryBus() });
    await running.ready;
    const { router } = running;
    return {
      ask: async (hole, signal) => {
        const at: Milestones = {};
        const trigger = router.ingress.complete(requestFor(hole), "default", signal);
        const { text, ending } = await followed(router.run(trigger, at));
        return answered(trigger, at, ending, text, clock.now());
      },
      [Symbol.asyncDispose]: () => lifecycle.end("the evaluation is over"),
    };
  } catch (thrown) {
    await lifecycle.end("the evaluation could not start");
    throw thrown;
  }
}

async function followed(path: AsyncGenerator<{ readonly text: string }, Ending>): Promise<{ text: string; ending: Ending }> {
  let text = "";
  for (;;) {
    const step = await path.next();
    if (step.done) return { text, ending: step.value };
    text += step.value.text;
  }
}

function answered(trigger: Trigger, at: Milestones, ending: Ending, text: string, now: number): Answer {
  if (ending.error) throw ending.error;
  return {
    text: ending.outcome === "empty" ? "" : text,
    outcome: ending.outcome,
    finish: ending.finish ?? "",
    firstTextMs: (at.firstTextMs ?? now) - trigger.receivedMs,
    totalMs: now - trigger.receivedMs,
    promptTokens: ending.usage.promptTokens,
    ...(ending.confidence === undefined ? {} : { confidence: ending.confidence }),
  };
}

/** A router that runs already. */
export function askRouter({ address, tls, metadata }: Reach): Asking {
  const client = new GrpcClient({ address, tls });
  const word = (of: Readonly<Record<string, unknown>>, value: number) =>
    (Object.entries(of).find(([, number]) => number === value)?.[0] ?? "").toLowerCase();
  return {
    ask: async (hole, signal) => {
      const call = client.serverStream(CompletionService.method.complete, requestFor(hole), { deadlineMs, metadata, signal });
      for await (const { message } of call) {
        if (message.case !== "completion" && message.case !== "nothing") continue;
        const { value } = message;
        return {
          text: message.case === "completion" ? (message.value.items[0]?.insertText ?? "") : "",
          outcome: word(Outcome, value.outcome),
          finish: message.case === "completion" ? word(Finish, message.value.finish) : "",
          firstTextMs: value.timing?.firstTextMs ?? 0,
          totalMs: value.timing?.totalMs ?? 0,
          promptTokens: value.cache?.promptTokens ?? 0,
        };
      }
      throw new SlipstreamError("protocol", "the router ended the call without an answer");
    },
    [Symbol.asyncDispose]: async () => client.close(),
  };
}

/** What costs nothing: its time is none. */
export const askBaseline = (text: (hole: Hole) => string): Asking => ({
  ask: async (hole) => ({ text: text(hole), outcome: "baseline", finish: "", firstTextMs: 0, totalMs: 0, promptTokens: 0 }),
  [Symbol.asyncDispose]: async () => {},
});
