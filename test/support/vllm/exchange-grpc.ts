// exchange-grpc: the same questions to any server that speaks vLLM's gRPC, and its messages as JSON: recorded once from a real one, asked
// of the pretend one in every run.
import { create, type DescMessage, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import { systemClock } from "../../../lib/clock.ts";
import type { SlipstreamError } from "../../../lib/errors.ts";
import { KvEventBatchSchema, SubscribeKvEventsRequestSchema } from "../../../proto/gen/third_party/common_pb.ts";
import {
  AbortRequestSchema,
  AbortResponseSchema,
  type GenerateResponse,
  GenerateResponseSchema,
  GetModelInfoResponseSchema,
  GetServerInfoResponseSchema,
  VllmEngine,
} from "../../../proto/gen/third_party/vllm_engine_pb.ts";
import { generateRequest } from "../../../workers/engine/vllm/grpc/request.ts";
import { GrpcWire } from "../../../workers/engine/vllm/grpc/wire.ts";

/** By question. */
export type GrpcExchanged = Readonly<Record<string, JsonValue>>;

const greedy = { temperature: 0, topP: 1, topK: 0, seed: undefined };
const tokens = Array.from({ length: 70 }, (_, index) => 300 + index);
const patienceMs = 10_000;

export async function exchangeGrpc(url: string): Promise<GrpcExchanged> {
  const wire = new GrpcWire({ url }, { clock: systemClock });
  try {
    const { client } = wire;
    const generate = async (requestId: string, maxTokens: number, each?: () => Promise<unknown>, prompt = tokens) => {
      const said: GenerateResponse[] = [];
      const request = generateRequest({ requestId, tokens: prompt, maxTokens }, greedy, { ignoreEnd: true, confidence: true });
      for await (const message of client.serverStream(VllmEngine.method.generate, request)) {
        if (said.push(message) === 2) await each?.();
      }
      return said;
    };
    const events = firstEvents(wire);
    const whole = await generate("golden", 4);
    let abort: JsonValue = null;
    const aborted = await generate("golden-abort", 400, async () => {
      const answer = await client.unary(VllmEngine.method.abort, create(AbortRequestSchema, { requestIds: ["golden-abort"] }));
      abort = json(AbortResponseSchema, answer);
    });
    const refused = await generate("golden-long", 4, undefined, Array<number>(3_000).fill(300)).then(
      () => null,
      (thrown: SlipstreamError) => thrown.code,
    );
    return {
      health: (await wire.health()).status,
      model: json(GetModelInfoResponseSchema, await wire.model({})),
      // Where its shared memory is says which machine it is.
      server: json(GetServerInfoResponseSchema, { ...(await wire.server({})), shmNamespaceId: "" }),
      "first chunk": json(GenerateResponseSchema, whole[0] as GenerateResponse),
      "last message": json(GenerateResponseSchema, whole.at(-1) as GenerateResponse),
      abort,
      "last message of one that was aborted": json(GenerateResponseSchema, aborted.at(-1) as GenerateResponse),
      "too long": refused,
      "kv events": await events,
    };
  } finally {
    wire.close();
  }
}

/** The first batch that holds events. */
async function firstEvents({ client }: GrpcWire): Promise<JsonValue> {
  const late = AbortSignal.timeout(patienceMs);
  const request = create(SubscribeKvEventsRequestSchema, { loadRecordsBeforeFirstBatch: true });
  for await (const batch of client.serverStream(VllmEngine.method.subscribeKvEvents, request, { signal: late }))
    if (batch.events.length > 0) return json(KvEventBatchSchema, { ...batch, timestamp: 1 });
  return null;
}

function json<D extends DescMessage>(schema: D, message: MessageShape<D>): JsonValue {
  return toJson(schema, message);
}
