// wire-served: settings in, an engine that serves over HTTP out: attached to, or started by the command that the settings name.
import { readFile } from "node:fs/promises";
import type { Clock } from "../lib/clock.ts";
import type { Env } from "../lib/config.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import type { WorkerConfig } from "./config.ts";
import type { Engine } from "./engine/engine.ts";
import { OpenAiEngine } from "./engine/openai/openai.ts";
import { commandWords, type Owned, startOwn } from "./engine/own-process.ts";
import { SleepingEngine } from "./engine/sleeping.ts";
import { adapterList } from "./engine/vllm/adapters.ts";
import { VllmEngine } from "./engine/vllm/vllm.ts";
import type { WorkerMetrics } from "./metrics.ts";

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Pick<WorkerMetrics, "engine_aborts_total" | "cached_expectations_total" | "speculation_recommended_tokens">;
  readonly signal: AbortSignal;
  readonly env?: Env;
}

export async function startServed(config: WorkerConfig, deps: Deps): Promise<Engine> {
  const command = commandWords(config.engineCommand);
  const key = config.engineKeyFile === "" ? "" : (await readFile(config.engineKeyFile, "utf8")).trim();
  const start = (owned: Owned) =>
    config.engine === "openai" ? startOpenAi(config, key, deps, owned) : startVllm(config, key, deps, owned);
  return command.length === 0 ? start({}) : startOwn(command, config.engineUrl, start, { ...deps, env: deps.env ?? {} });
}

async function startVllm(config: WorkerConfig, key: string, deps: Deps, owned: Owned): Promise<Engine> {
  const engine = await VllmEngine.start(
    { ...common(config, key), confidence: config.engineConfidence, adapters: adapterList(config.engineAdapters) },
    {
      ...{ ...deps, ...owned },
      aborted: (how) => deps.metrics.engine_aborts_total.inc({ how }),
      recommended: ({ now, tokens, gain }) => {
        deps.metrics.speculation_recommended_tokens.set({}, tokens);
        const percent = Math.round(100 * gain);
        deps.log.warn({ now, tokens, percent }, "a revision of the pool that drafts so many tokens would decode faster");
      },
      counted: (expected, cached) =>
        deps.metrics.cached_expectations_total.inc({ fit: expected === cached ? "equal" : cached > expected ? "more" : "less" }),
    },
  );
  const afterMs = config.engineSleepMs;
  return afterMs > 0 && engine.capabilities.includes("sleep") ? new SleepingEngine(engine, { afterMs }, deps) : engine;
}

function startOpenAi(config: WorkerConfig, key: string, deps: Deps, owned: Owned): Promise<Engine> {
  const aborted = (how: "closed" | "late") => deps.metrics.engine_aborts_total.inc({ how });
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
  return { url, key, model, slots, tokenizer, startMs, hungMs };
}
