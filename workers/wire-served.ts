// wire-served: settings in, an engine that serves over HTTP out: attached to, or started by the command that the settings name.
import { readFile } from "node:fs/promises";
import type { Clock } from "../lib/clock.ts";
import type { Env } from "../lib/config.ts";
import { SlipstreamError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import type { WorkerConfig } from "./config.ts";
import type { Engine } from "./engine/engine.ts";
import { OpenAiEngine } from "./engine/openai/openai.ts";
import { commandWords, type Owned, startOwn } from "./engine/own-process.ts";
import type { Aborted } from "./engine/running.ts";
import { SleepingEngine } from "./engine/sleeping.ts";
import { startTensorRtGrpc } from "./engine/tensorrt/grpc/grpc.ts";
import type { HintFate } from "./engine/tensorrt/options.ts";
import { startTensorRt } from "./engine/tensorrt/tensorrt.ts";
import { isTriton, startTriton } from "./engine/tensorrt/triton/triton.ts";
import { adapterList } from "./engine/vllm/adapters.ts";
import { isGrpc, VllmGrpcEngine } from "./engine/vllm/grpc/grpc.ts";
import { VllmEngine } from "./engine/vllm/vllm.ts";
import type { WorkerMetrics } from "./metrics.ts";

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Pick<WorkerMetrics, "engine_aborts_total" | "cached_expectations_total" | "engine_hints_total">;
  readonly signal: AbortSignal;
  readonly env?: Env;
}

export async function startServed(config: WorkerConfig, deps: Deps): Promise<Engine> {
  const command = commandWords(config.engineCommand);
  const key = config.engineKeyFile === "" ? "" : (await readFile(config.engineKeyFile, "utf8")).trim();
  if (config.engine !== "openai" && isGrpc(config.engineUrl)) return startGrpc(config, deps, command);
  const starts = { openai: startOpenAi, tensorrt: startTensorRtHttp, vllm: startVllm };
  const how = starts[config.engine as keyof typeof starts];
  const start = (owned: Owned) => how(config, key, deps, owned);
  return command.length === 0 ? start({}) : startOwn(command, config.engineUrl, start, { ...deps, env: deps.env ?? {} });
}

async function startVllm(config: WorkerConfig, key: string, deps: Deps, owned: Owned): Promise<Engine> {
  const engine = await VllmEngine.start(
    {
      ...{ ...common(config, key), confidence: config.engineConfidence, adapters: adapterList(config.engineAdapters) },
      ...{ abortById: config.engineAbort === "id", tokensOut: config.engineTokensOut },
    },
    {
      ...{ ...deps, ...owned },
      aborted: (how) => deps.metrics.engine_aborts_total.inc({ how }),
      recommended: ({ now, tokens, gain }) => {
        const percent = Math.round(100 * gain);
        deps.log.warn({ now, tokens, percent }, "a revision of the pool that drafts so many tokens would decode faster");
      },
      counted: counting(deps.metrics),
    },
  );
  const afterMs = config.engineSleepMs;
  return afterMs > 0 && engine.capabilities.includes("sleep") ? new SleepingEngine(engine, { afterMs }, deps) : engine;
}

async function startGrpc(config: WorkerConfig, deps: Deps, command: readonly string[]): Promise<Engine> {
  if (command.length > 0)
    throw new SlipstreamError(
      "config",
      "SLIPSTREAM_WORKER_ENGINE_COMMAND: an engine behind grpc:// is run by somebody else; leave it empty",
    );
  const one = { lane: config.onlyLane, oneTenant: config.oneTenant };
  const told = {
    ...deps,
    aborted: (how: Aborted) => deps.metrics.engine_aborts_total.inc({ how }),
    counted: counting(deps.metrics),
  };
  if (config.engine === "tensorrt") return startTensorRtGrpc({ ...tensorrt(config, ""), ...one }, told);
  return VllmGrpcEngine.start({ ...common(config, ""), confidence: config.engineConfidence, ...one }, told);
}

function startTensorRtHttp(config: WorkerConfig, key: string, deps: Deps, owned: Owned): Promise<Engine> {
  const aborted = (how: Aborted) => deps.metrics.engine_aborts_total.inc({ how });
  const hinted = (fate: HintFate, prompts: number) => deps.metrics.engine_hints_total.inc({ fate }, prompts);
  const told = { ...deps, ...owned, aborted, counted: counting(deps.metrics), hinted };
  const options = tensorrt(config, key);
  if (isTriton(config.engineUrl)) return startTriton({ ...options, oneTenant: config.oneTenant }, told);
  const { engineKvEvents: kvEvents, engineTruncate: truncate, oneTenant } = config;
  return startTensorRt({ ...options, adapters: adapterList(config.engineAdapters), kvEvents, truncate, oneTenant }, told);
}

/** What it does not say itself. */
function tensorrt(config: WorkerConfig, key: string) {
  const { contextTokens, blockTokens, engineConfidence: confidence } = config;
  return {
    ...{ ...common(config, key), confidence },
    ...(contextTokens > 0 && { contextTokens }),
    ...(blockTokens > 0 && { blockTokens }),
  };
}

function counting(metrics: Pick<WorkerMetrics, "cached_expectations_total">): (expected: number, cached: number) => void {
  return (expected, cached) =>
    metrics.cached_expectations_total.inc({ fit: expected === cached ? "equal" : cached > expected ? "more" : "less" });
}

function startOpenAi(config: WorkerConfig, key: string, deps: Deps, owned: Owned): Promise<Engine> {
  const aborted = (how: Aborted) => deps.metrics.engine_aborts_total.inc({ how });
  return OpenAiEngine.start(common(config, key), { ...deps, ...owned, aborted });
}

function common(config: WorkerConfig, key: string) {
  const {
    engineUrl: url,
    modelName: model,
    slots,
    engineTokenizer: tokenizer,
    engineStartMs: startMs,
    engineHungMs: hungMs,
  } = config;
  const requests = config.warmUpRequests;
  return { url, key, model, slots, tokenizer, startMs, hungMs, ...(requests >= 0 && { warmUpRequests: requests }) };
}
