// grpc-kv-told: whether an engine behind gRPC tells its KV events: it is asked for them once, and left.
import { create } from "@bufbuild/protobuf";
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { GrpcClient } from "../../lib/grpc/client.ts";
import { SubscribeKvEventsRequestSchema } from "../../proto/gen/third_party/common_pb.ts";
import type { KvEventsMethod } from "./grpc-kv-feed.ts";

/** A record of the load comes at once; a stream that stays open without one is of an engine that has told nothing yet. */
const withinMs = 2_000;

export async function tellsKv(
  client: GrpcClient,
  method: KvEventsMethod,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<boolean> {
  const late = new AbortController();
  using _timer = clock.timer(withinMs, () => late.abort());
  const request = create(SubscribeKvEventsRequestSchema, { loadRecordsBeforeFirstBatch: true });
  try {
    for await (const _ of client.serverStream(method, request, { signal: AbortSignal.any([signal, late.signal]) })) return true;
    return false;
  } catch (thrown) {
    return late.signal.aborted && SlipstreamError.from(thrown).code !== "unsupported";
  }
}
