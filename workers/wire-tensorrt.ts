// wire-tensorrt: the URL of a TensorRT-LLM in, what it is, what it can do and what to change for Slipstream out, for each of its
// three wires. Its figures and events are gone when read: a probe beside a worker takes some of them away, and the worker notices.
import type { Clock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import type { Random } from "../lib/random.ts";
import { TrtllmService as Service } from "../proto/gen/third_party/trtllm_service_pb.ts";
import { tellsKv } from "./engine/grpc-kv-told.ts";
import { HttpEngine } from "./engine/http.ts";
import { adviceFor } from "./engine/tensorrt/advice.ts";
import { TensorRtWire } from "./engine/tensorrt/grpc/wire.ts";
import { hinting } from "./engine/tensorrt/hints/hints.ts";
import { blockTokensUsual } from "./engine/tensorrt/options.ts";
import { probe } from "./engine/tensorrt/probe.ts";
import type { EngineReport } from "./wire-probe.ts";

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** Whether what lists its models is trtllm-serve. */
export async function isTensorRt(http: Pick<HttpEngine, "ask">, signal: AbortSignal): Promise<boolean> {
  const { text } = await http.ask("/v1/models", undefined, { signal });
  return /"owned_by"\s*:\s*"tensorrt_llm"/.test(text);
}

/** `kvEvents` false: they are somebody else's to read. */
export async function tensorrtReport(
  http: Pick<HttpEngine, "ask">,
  { kvEvents: mayRead }: { readonly kvEvents: boolean },
  deps: Deps,
): Promise<EngineReport> {
  const probed = await probe(http, deps, { kvEvents: mayRead });
  const { counters, salt, priority, cachedTokens, metrics } = probed;
  const kvEvents = mayRead ? probed.kvEvents : leftToOthers;
  const drafts = counters?.speculation !== undefined;
  const truncating = await hinting(
    { model: probed.model, priority: false, blockTokens: counters?.blockTokens ?? blockTokensUsual },
    { ...deps, http },
  );
  return {
    ...{ engine: "tensorrt", kind: "tensorrt", server: "trtllm-serve", version: probed.version },
    models: [{ name: probed.model, contextTokens: counters?.contextTokens }],
    can: {
      "requests may have a priority": priority,
      "tenants apart (cache_salt)": salt === "nowhere" ? false : `at the page for ${salt}`,
      "cached tokens told": cachedTokens,
      "KV events": mayRead ? kvEvents !== undefined : leftToOthers,
      "told which cached blocks may go": truncating !== undefined,
      figures: metrics,
      speculation: drafts,
      "tokens of a KV block": counters?.blockTokens ?? "unknown",
      "KV blocks": counters?.kvBlocks ?? "unknown",
    },
    has: [
      ...(salt === "nowhere" ? [] : (["tenants_apart"] as const)),
      ...(priority ? (["better_lane_first"] as const) : []),
      ...(drafts ? (["speculation"] as const) : []),
      ...(probed.kvEvents === undefined ? [] : (["kv_events"] as const)),
    ],
    advice: adviceFor({ ...probed, kvEvents }),
  };
}

const leftToOthers = "left to another reader";

/** Over gRPC everybody who subscribes is told its events. */
export async function tensorrtGrpcReport({ url }: { readonly url: string }, deps: Deps): Promise<EngineReport> {
  const wire = new TensorRtWire({ url }, deps);
  try {
    const { signal } = deps;
    const [model, server] = await Promise.all([wire.model({ signal }), wire.server({ signal })]);
    const kvEvents = await tellsKv(wire.client, Service.method.subscribeKvEvents, deps);
    return {
      ...{ engine: "tensorrt", kind: "tensorrt_grpc", server: "trtllm-serve --grpc", version: server.version || "unknown" },
      models: [{ name: model.modelId, contextTokens: model.maxSeqLen || model.maxInputLen || undefined }],
      can: {
        "order of lanes (priority)": false,
        "tenants apart (cache_salt)": false,
        "abort by name": true,
        "KV events": kvEvents,
      },
      has: kvEvents ? ["kv_events"] : [],
      advice: [
        {
          ...{ weight: "lacks", what: "its requests have no priority, and its server reads no cache salt" },
          flag: "a pool of one lane and one tenant (SLIPSTREAM_WORKER_ONLY_LANE, SLIPSTREAM_WORKER_ONE_TENANT), or its HTTP server",
        },
      ],
    };
  } finally {
    wire.close();
  }
}

/** Nothing of it is told but that it is there. */
export async function tritonReport(url: string, key: string, deps: Deps): Promise<EngineReport> {
  const http = new HttpEngine({ url, key, connectionsMax: 2 }, deps);
  try {
    const { status } = await http.ask("/ready", undefined, { signal: deps.signal });
    if (status !== 200) throw new SlipstreamError("unavailable", `Triton's model is not ready (/ready: status ${status})`);
    return {
      ...{ engine: "tensorrt", kind: "tensorrt_triton", server: "triton", version: "unknown" },
      models: [{ name: new URL(url).pathname.split("/")[3] ?? "", contextTokens: undefined }],
      can: {
        "order of lanes (priority)": false,
        "tenants apart (cache_salt)": false,
        "cached tokens told": false,
        "KV events": false,
      },
      has: [],
      advice: [
        {
          ...{ weight: "lacks", what: "tenants share its cache, nothing is told of it, and what nobody wants goes on to its end" },
          flag: "trtllm-serve instead of Triton; else a pool of one tenant (SLIPSTREAM_WORKER_ONE_TENANT)",
        },
      ],
    };
  } finally {
    http.close();
  }
}
