// wire-probe: the URL of an engine in, what it is, what it can do and what to change for Slipstream out. Asks, and changes nothing.
import { readFile } from "node:fs/promises";
import type { Clock } from "../lib/clock.ts";
import type { Env } from "../lib/config.ts";
import { SlipstreamError } from "../lib/errors.ts";
import { type Random, systemRandom } from "../lib/random.ts";
import { readWorkerConfig } from "./config.ts";
import type { Advice } from "./engine/advice.ts";
import type { Ability, EngineKindName } from "./engine/contract/abilities.ts";
import { HttpEngine } from "./engine/http.ts";
import { probeServer } from "./engine/openai/probe.ts";
import { isTriton } from "./engine/tensorrt/triton/triton.ts";
import { adviceFor, adviceForGrpc } from "./engine/vllm/advice.ts";
import { probeGrpc } from "./engine/vllm/grpc/probe.ts";
import { GrpcWire, isGrpc } from "./engine/vllm/grpc/wire.ts";
import { probe } from "./engine/vllm/probe.ts";
import { isTensorRt, tensorrtGrpcReport, tensorrtReport, tritonReport } from "./wire-tensorrt.ts";

export interface EngineReport {
  /** Value of SLIPSTREAM_WORKER_ENGINE to serve from it. */
  readonly engine: "vllm" | "tensorrt" | "openai";
  /** Of the table of engines (docs/reference/engines.md). */
  readonly kind: EngineKindName;
  /** Which server it is, and its version. */
  readonly server: string;
  readonly version: string;
  readonly models: readonly { readonly name: string; readonly contextTokens: number | undefined }[];
  /** By name of what it can do. */
  readonly can: Readonly<Record<string, boolean | number | string>>;
  /** Of the abilities that depend on how it was started: those that this one has. */
  readonly has: readonly Ability[];
  readonly advice: readonly Advice[];
}

export interface ProbeOptions {
  readonly url: string;
  readonly keyFile: string;
  /** Folder or file of the model's vocabulary; "": where the engine says it is. */
  readonly tokenizer: string;
  /** Whether the KV events of a TensorRT-LLM may be read: they have one reader, and are gone then. */
  readonly kvEvents: boolean;
}

/** As a worker with these settings would ask; throws what a worker would refuse of them, before the engine is asked anything. */
export function probeOptions(url: string, env: Env): ProbeOptions {
  const { engineKeyFile, engineTokenizer, engineKvEvents } = readWorkerConfig(env);
  return { url, keyFile: engineKeyFile, tokenizer: engineTokenizer, kvEvents: engineKvEvents };
}

interface Deps {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly random?: Random;
}

export async function probeEngine(options: ProbeOptions, deps: Deps): Promise<EngineReport> {
  const all = { ...deps, random: deps.random ?? systemRandom() };
  if (isGrpc(options.url)) return grpc(options, all);
  const key = options.keyFile === "" ? "" : (await readFile(options.keyFile, "utf8")).trim();
  if (isTriton(options.url)) return tritonReport(options.url, key, all);
  const http = new HttpEngine({ url: options.url, key, connectionsMax: 16 }, deps);
  try {
    if (await isTensorRt(http, deps.signal)) return await tensorrtReport(http, options, all);
    const server = await probeServer(http, "", deps.signal);
    return server.kind === "vllm" ? await vllm(http, deps.signal) : other(server);
  } finally {
    http.close();
  }
}

async function vllm(http: HttpEngine, signal: AbortSignal): Promise<EngineReport> {
  const probed = await probe(http, signal);
  const { counters, kvSources } = probed;
  return {
    engine: "vllm",
    kind: "vllm",
    server: "vllm",
    version: probed.version,
    models: probed.models.map(({ id, contextTokens }) => ({ name: id, contextTokens })),
    can: {
      "order of lanes (priority)": probed.priority,
      "tenants apart (cache_salt)": probed.cacheSalt,
      "cached tokens told": probed.cachedTokens,
      "KV events": kvSources.length > 0,
      "KV events again": kvSources.length > 0 && kvSources.every(({ replay }) => replay !== undefined),
      tokenise: probed.tokenizes,
      metrics: probed.metrics,
      speculation: counters?.speculation !== undefined,
      sleep: probed.sleeps,
      "adapters at run time": probed.adapters,
      "token in, token out": probed.tokensOnly,
      "tokens of a KV block": counters?.blockTokens ?? "unknown",
      "KV blocks": counters?.blocks ?? "unknown",
    },
    has: those({
      cached_told: probed.cachedTokens,
      better_lane_first: probed.priority,
      speculation: counters?.speculation !== undefined,
      kv_events: kvSources.length > 0,
      sleep: probed.sleeps,
    }),
    advice: adviceFor(probed),
  };
}

/** Each knows its own service alone. */
async function grpc(options: ProbeOptions, deps: Deps & { readonly random: Random }): Promise<EngineReport> {
  try {
    return await vllmGrpc(options, deps);
  } catch (thrown) {
    if (SlipstreamError.from(thrown).code !== "unsupported") throw thrown;
    return tensorrtGrpcReport(options, deps);
  }
}

async function vllmGrpc({ url, tokenizer }: ProbeOptions, deps: Deps): Promise<EngineReport> {
  const wire = new GrpcWire({ url }, deps);
  try {
    const probed = await probeGrpc(wire, { tokenizer }, deps);
    return {
      engine: "vllm",
      kind: "vllm_grpc",
      server: "vllm",
      version: probed.version,
      models: probed.models.map(({ id, contextTokens }) => ({ name: id, contextTokens })),
      can: {
        "order of lanes (priority)": false,
        "tenants apart (cache_salt)": false,
        "cached tokens told": true,
        "KV events": probed.kvEvents,
        "its vocabulary is here": probed.vocabulary,
        "tokens of a KV block": probed.blockTokens ?? "unknown",
        "generations at once": probed.seats ?? "unknown",
      },
      has: those({ kv_events: probed.kvEvents }),
      advice: adviceForGrpc(probed),
    };
  } finally {
    wire.close();
  }
}

function other(server: Awaited<ReturnType<typeof probeServer>>): EngineReport {
  const advice: Advice[] = [
    { weight: "lacks", what: "tenants share its prefix cache: serve one tenant from it", flag: "no flag gives it" },
    { weight: "lacks", what: "it does not tell which KV blocks it holds", flag: "no flag gives it" },
  ];
  if (!server.cachedTokens)
    advice.push({
      ...{ weight: "slower", what: "it does not say how much of a prompt it had: reuse is not measured" },
      flag: server.kind === "sglang" ? "--enable-cache-report" : "no flag gives it",
    });
  if (server.tokenIds)
    advice.push({
      ...{ weight: "slower", what: "prompts go as text until the model's vocabulary is at hand" },
      flag: "SLIPSTREAM_WORKER_TOKENIZER=/path/of/the/model",
    });
  return {
    engine: "openai",
    kind: "openai",
    server: server.kind,
    version: server.version,
    models: server.models.map(({ id, contextTokens }) => ({ name: id, contextTokens })),
    can: {
      "token ids as prompts": server.tokenIds,
      "usage of streams": server.usage,
      "cached tokens told": server.cachedTokens,
      "generations at once": server.seats ?? "unknown",
    },
    has: those({ cached_told: server.cachedTokens, prefix_ahead: server.cachedTokens }),
    advice,
  };
}

function those(has: Readonly<Partial<Record<Ability, boolean>>>): Ability[] {
  return (Object.keys(has) as Ability[]).filter((ability) => has[ability]);
}
