// wire-probe: the URL of an engine in, what it is, what it can do and what to change for Slipstream out. Asks, and changes nothing.
import { readFile } from "node:fs/promises";
import type { Clock } from "../lib/clock.ts";
import { HttpEngine } from "./engine/http.ts";
import { probeServer } from "./engine/openai/probe.ts";
import { type Advice, adviceFor } from "./engine/vllm/advice.ts";
import { probe } from "./engine/vllm/probe.ts";

export interface EngineReport {
  readonly engine: "vllm" | "openai";
  /** Which server it is, and its version. */
  readonly server: string;
  readonly version: string;
  readonly models: readonly { readonly name: string; readonly contextTokens: number | undefined }[];
  /** By name of what it can do. */
  readonly can: Readonly<Record<string, boolean | number | string>>;
  readonly advice: readonly Advice[];
}

export async function probeEngine(
  options: { readonly url: string; readonly keyFile: string },
  deps: { clock: Clock; signal: AbortSignal },
): Promise<EngineReport> {
  const key = options.keyFile === "" ? "" : (await readFile(options.keyFile, "utf8")).trim();
  const http = new HttpEngine({ url: options.url, key, connectionsMax: 16 }, deps);
  try {
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
    advice: adviceFor(probed),
  };
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
    server: server.kind,
    version: server.version,
    models: server.models.map(({ id, contextTokens }) => ({ name: id, contextTokens })),
    can: {
      "token ids as prompts": server.tokenIds,
      "usage of streams": server.usage,
      "cached tokens told": server.cachedTokens,
      "generations at once": server.seats ?? "unknown",
    },
    advice,
  };
}
