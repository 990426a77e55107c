// routed: a whole router without a network: scripted workers on one side, an editor's session or stateless calls on the other,
// the test's clock between them.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { MemoryBus } from "../../lib/bus/memory.ts";
import { FakeClock } from "../../lib/clock.fake.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { createLog } from "../../lib/log.ts";
import { seeded } from "../../lib/random.ts";
import {
  ClientMessageSchema,
  CompleteRequestSchema,
  type Completion,
  Finish,
  type Nothing,
  type ServerMessage,
  ServerMessageSchema,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Ending } from "../../router/completion.ts";
import { readRouterConfig } from "../../router/config.ts";
import type { WireOptions } from "../../router/router.ts";
import { runSession } from "../../router/session-service.ts";
import { wireRouter } from "../../router/wire.ts";
import { pipe } from "../../sim/pipe.ts";
import { recordedMetrics } from "./router.ts";
import { type ScriptedStream, ScriptedWorkers } from "./scripted-worker.ts";

type Said = MessageInitShape<typeof ClientMessageSchema>["message"];
type Ended = { readonly case: "completion"; readonly value: Completion } | { readonly case: "nothing"; readonly value: Nothing };

/** `shared`: what several routers of one test have together. */
export function routed(
  given: Partial<WireOptions> & { sessions?: number } = {},
  shared: { clock?: FakeClock; bus?: MemoryBus } = {},
) {
  const { clock = new FakeClock(), bus = new MemoryBus() } = shared;
  const workers = new ScriptedWorkers(clock);
  const metrics = recordedMetrics();
  const lines: string[] = [];
  let draining = new AbortController();
  const router = wireRouter(
    { ...readRouterConfig({}), workers: ["w1"], ...given },
    {
      clock,
      random: seeded(1),
      log: createLog({ process: "router", level: "debug" }, { write: (line) => lines.push(line) }),
      metrics: metrics.metrics,
      bus,
      connect: workers.connect,
      draining: () => draining.signal,
    },
  );

  /** An editor's stream; what the router says gathers in `heard`. */
  const session = (tenant = "default") => {
    const wire = pipe(
      { up: ClientMessageSchema, down: ServerMessageSchema, latencyMs: 0, jitterMs: 0 },
      { clock, random: seeded(2) },
    );
    const heard: ServerMessage["message"][] = [];
    const over: { done: boolean; error?: SlipstreamError } = { done: false };
    void runSession(router, wire.server, tenant).then(
      () => wire.server.end(),
      (thrown: unknown) => wire.server.end(SlipstreamError.from(thrown)),
    );
    void (async () => {
      try {
        for await (const { message } of wire.client.frames) heard.push(message);
      } catch (thrown) {
        over.error = SlipstreamError.from(thrown);
      }
      over.done = true;
    })();
    const say = async (...messages: Said[]) => {
      for (const message of messages)
        wire.client.send(create(ClientMessageSchema, { message } as MessageInitShape<typeof ClientMessageSchema>));
      await clock.advance(0);
    };
    const of = <C extends NonNullable<ServerMessage["message"]["case"]>>(kind: C) =>
      heard.flatMap((message) => (message.case === kind ? [message.value as Extract<typeof message, { case: C }>["value"]] : []));
    const ends = (triggerId: string): Ended[] =>
      heard.flatMap((message) =>
        (message.case === "completion" || message.case === "nothing") && message.value.triggerId === triggerId ? [message] : [],
      );
    return { say, heard, of, ends, over, client: wire.client, cut: () => wire.cut() };
  };

  /** A stateless trigger, read to its end as it comes. */
  const complete = (request: MessageInitShape<typeof CompleteRequestSchema>) => {
    const caller = new AbortController();
    const trigger = router.ingress.complete(create(CompleteRequestSchema, request), "default", caller.signal);
    const path = router.run(trigger, {});
    const seen: { text: string; ending?: Ending } = { text: "" };
    const done = (async () => {
      for (;;) {
        const step = await path.next();
        if (step.done) {
          seen.ending = step.value;
          return;
        }
        seen.text += step.value.text;
      }
    })();
    return { trigger, seen, done, caller, path };
  };

  /** What the router asked of a worker last, answered with these texts and Done. */
  const answer = async (address: string, texts: readonly string[], finish: Finish | "none" = Finish.STOP) => {
    const stream: ScriptedStream = workers.stream(address);
    const { id } = workers.submitted(address);
    for (const text of texts) stream.say({ case: "delta", value: { id, text, tokens: 1 } });
    if (finish !== "none") stream.say({ case: "done", value: { id, finish } });
    await clock.advance(0);
  };

  /** As when draining is taken back. */
  const stays = () => {
    draining = new AbortController();
  };

  return { bus, clock, workers, metrics, lines, router, draining, stays, session, complete, answer };
}

export const hello: Said = { case: "hello", value: { protocol: "1", client: "test", sessionId: "s1" } };
export const opened = (text: string, version = 1n, documentId = "d1"): Said => ({
  case: "documentOpen",
  value: { documentId, path: "a.ts", language: "typescript", version, text },
});
