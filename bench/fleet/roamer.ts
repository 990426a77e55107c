// roamer: one person whose keys reach the routers in turn, as behind a load balancer that knows no sessions: each key of a typing
// trace is a stateless call, and the one before it is left to the routers to end. Counts how its calls ended.
import { create, type MessageShape } from "@bufbuild/protobuf";
import { systemClock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { GrpcClient } from "../../lib/grpc/client.ts";
import { fork, seeded } from "../../lib/random.ts";
import { CompleteRequestSchema, CompletionService, Shape, TriggerKind } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { outcomeOf } from "../../sim/session-client.ts";
import { generateTrace, type Source } from "../../sim/trace/generate.ts";
import { applyEdit } from "../../sim/trace/replay.ts";

export interface RoamerOptions {
  readonly name: string;
  readonly seed: number;
  readonly sources: readonly Source[];
  readonly deadlineMs: number;
}

/** Every call that was made, by the id of its trigger. */
export interface Calls {
  readonly asked: Set<string>;
  readonly outcomes: Map<string, number>;
  readonly failures: string[];
  /** Told of each call that ended. */
  readonly ended?: (call: {
    readonly id: string;
    readonly askedMs: number;
    readonly outcome: string;
    readonly totalMs: number;
  }) => void;
}

const keysPerTrace = 400;
const failuresMax = 20;

/** Types until the signal; resolves when its last call is answered. */
export async function roam(options: RoamerOptions, routers: readonly GrpcClient[], calls: Calls, over: AbortSignal): Promise<void> {
  const { name, seed, sources } = options;
  const random = seeded(seed);
  const running = new Set<Promise<void>>();
  let sequence = 0;
  for (let turn = 0; !over.aborted; turn++) {
    const source = sources[(seed + turn) % sources.length] as Source;
    const trace = generateTrace({ ...source, seed: Math.floor(fork(random).next() * 1e9), keys: keysPerTrace });
    let text = trace.documents[0]?.text ?? "";
    let atMs = 0;
    for (const { tMs, edit } of trace.events) {
      if (!edit) continue;
      await systemClock.sleep(Math.max(1, Math.min(2_000, tMs - atMs)), over).catch(() => {});
      if (over.aborted) break;
      atMs = tMs;
      text = applyEdit(text, edit);
      const cursor = edit.startUtf16 + edit.text.length;
      sequence += 1;
      const triggerId = `${name}-${sequence}`;
      const request = create(CompleteRequestSchema, {
        ...{ triggerId, sessionId: name, documentId: `d${turn}`, sequence: BigInt(sequence) },
        ...{ prefix: text.slice(0, cursor), suffix: text.slice(cursor), path: source.path, language: source.language },
        ...{ kind: TriggerKind.INVOKED, shape: Shape.BLOCK, deadlineMs: options.deadlineMs, stream: true },
      });
      calls.asked.add(triggerId);
      const call = ask(routers[sequence % routers.length] as GrpcClient, request, calls).finally(() => running.delete(call));
      running.add(call);
    }
  }
  await Promise.all(running);
}

async function ask(router: GrpcClient, request: MessageShape<typeof CompleteRequestSchema>, calls: Calls) {
  let ended = "no end";
  const askedMs = systemClock.now();
  try {
    const messages = router.serverStream(CompletionService.method.complete, request, { deadlineMs: 30_000 });
    for await (const { message } of messages) {
      if (message.case === "nothing" || message.case === "completion") ended = outcomeOf(message.value.outcome) ?? "unknown";
    }
  } catch (thrown) {
    const error = SlipstreamError.from(thrown);
    ended = "failed";
    if (calls.failures.length < failuresMax) calls.failures.push(`${error.code}: ${error.message}`);
  }
  calls.ended?.({ id: request.triggerId, askedMs, outcome: ended, totalMs: systemClock.now() - askedMs });
  calls.outcomes.set(ended, (calls.outcomes.get(ended) ?? 0) + 1);
}
