// probe: what a running vLLM behind grpc:// is and can do, asked of it once by requests that change nothing. What is no vLLM, or one that
// serves HTTP there, throws `unsupported` or `unavailable`.
import type { Clock } from "../../../../lib/clock.ts";
import { VllmEngine as Service } from "../../../../proto/gen/third_party/vllm_engine_pb.ts";
import { FileTokenizer } from "../../file-tokenizer.ts";
import { tellsKv } from "../../grpc-kv-told.ts";
import type { GrpcWire } from "./wire.ts";

export interface ProbedGrpc {
  readonly version: string;
  readonly models: readonly { readonly id: string; readonly contextTokens: number }[];
  readonly kvEvents: boolean;
  /** Generations that it runs at once; undefined: it does not say. */
  readonly seats: number | undefined;
  readonly blockTokens: number | undefined;
  /** Whether its model's vocabulary can be read here, without which nothing can be asked of it. */
  readonly vocabulary: boolean;
}

export async function probeGrpc(
  wire: GrpcWire,
  options: { readonly tokenizer: string },
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<ProbedGrpc> {
  const [about, server] = await Promise.all([wire.model({ signal }), wire.server({ signal })]);
  const { servedModelName, modelPath, tokenizerPath, maxContextLength } = about;
  const loads = await wire.loads({ signal }).catch(() => undefined);
  const path = options.tokenizer || tokenizerPath || modelPath;
  return {
    version: loads?.version || "unknown",
    models: [{ id: servedModelName || modelPath, contextTokens: maxContextLength }],
    kvEvents: await tellsKv(wire.client, Service.method.subscribeKvEvents, { clock, signal }),
    seats: server.maxNumSeqs || undefined,
    blockTokens: server.blockSize || undefined,
    vocabulary: await FileTokenizer.isAt(path),
  };
}

/** Requests that run and wait there; undefined: it does not say. */
export async function countedGrpc(wire: GrpcWire, signal: AbortSignal): Promise<number | undefined> {
  const loads = (await wire.loads({ signal }).catch(() => undefined))?.loads ?? [];
  if (loads.length === 0) return undefined;
  return loads.reduce((sum, { numRunningReqs, numWaitingReqs }) => sum + numRunningReqs + numWaitingReqs, 0);
}
