// tensorrt: TensorRT-LLM's server and its file of settings, in its version's words: what the agent needs of it, over that what the
// pool says in `engine.config`, over that speculation. The words are in api/tensorrt-lines.ts; what a version cannot be told never
// comes here (api/tensorrt-rules.ts).
import { type TensorrtLine, tensorrtLine, tensorrtVersion } from "../api/tensorrt-lines.ts";
import type { WorkerPoolSpec } from "../api/worker-pool.ts";
import type { Json } from "../objects.ts";
import { env } from "./parts.ts";
import { ascending } from "./speculation.ts";

type Speculative = WorkerPoolSpec["speculative"];

export const tensorrtConfigFile = "engine.yaml";
export const tensorrtConfigFolder = "/etc/slipstream/engine";
/** KV events that wait to be fetched: some seconds of prompts; the agent fetches many times a second. */
const eventsMax = 16_384;

export const tensorrtImage = (version: string = tensorrtVersion) => `nvcr.io/nvidia/tensorrt-llm/release:${version}`;

/** Its user is in no image's list, and PyTorch asks for the name. */
export const tensorrtEnv = [env("USER", "slipstream")];

interface Paths {
  readonly model: string;
  readonly draft: string;
  readonly built?: string | undefined;
}

export function tensorrtCommand({ engine, parallelism, gpu }: WorkerPoolSpec, paths: Paths, port: number): Json {
  const { engineBackend } = tensorrtLine(engine.version);
  return {
    command: ["trtllm-serve", paths.built ?? paths.model],
    args: [
      // The later lines' `--config` is this option's other name.
      ...[
        "--host",
        "127.0.0.1",
        "--port",
        String(port),
        "--extra_llm_api_options",
        `${tensorrtConfigFolder}/${tensorrtConfigFile}`,
      ],
      // An engine has no vocabulary beside it.
      ...(paths.built === undefined ? [] : ["--backend", engineBackend ?? "", "--tokenizer", paths.model]),
      ...(parallelism.tensor > 1 ? ["--tp_size", String(parallelism.tensor)] : []),
      ...(parallelism.pipeline > 1 ? ["--pp_size", String(parallelism.pipeline)] : []),
      ...(parallelism.nodes > 1 ? ["--gpus_per_node", String(gpu?.count ?? 1)] : []),
      ...engine.args,
    ],
  };
}

/** The settings that `trtllm-serve` reads, as JSON, which is YAML too. */
export function tensorrtConfig({ engine, speculative, parallelism }: WorkerPoolSpec, draft: string): Json {
  const needed = needs(tensorrtLine(engine.version), engine.backend === "TensorRT");
  return {
    ...over(needed, engine.config ?? {}),
    ...(parallelism.nodes > 1 ? { orchestrator_type: "ray" } : {}),
    ...tensorrtSpeculation(speculative, engine.version, draft),
  };
}

/** Prefixes that stay and are told, figures, and an order by priority, where the version and the backend have them. */
function needs({ priorityQueue, perfMetrics }: TensorrtLine, built: boolean): Json {
  const prefixes = { kv_cache_config: { enable_block_reuse: true, event_buffer_max_size: eventsMax } };
  if (built) return prefixes;
  return {
    ...prefixes,
    enable_iter_perf_stats: true,
    ...(perfMetrics ? { return_perf_metrics: true } : {}),
    ...(priorityQueue ? { scheduler_config: { waiting_queue_policy: "priority" } } : {}),
  };
}

/** What its server tells nobody: which tokens a text is, how long a prompt may be, how large its blocks are. */
export function tensorrtToldAgent(config: Json, model: string | undefined): Json[] {
  const said = (name: string, value: unknown) => (Number.isInteger(value) ? [env(name, String(value))] : []);
  return [
    ...(model === undefined ? [] : [env("SLIPSTREAM_WORKER_TOKENIZER", model)]),
    ...said("SLIPSTREAM_WORKER_CONTEXT_TOKENS", config?.max_seq_len),
    ...said("SLIPSTREAM_WORKER_BLOCK_TOKENS", config?.kv_cache_config?.tokens_per_block),
  ];
}

/** `speculative_config`, and what else of the settings goes with it. */
function tensorrtSpeculation(speculative: Speculative, version: string | undefined, draft: string): Json {
  const { method, numTokens } = speculative;
  const line = tensorrtLine(version);
  if (method === "None") return {};
  return {
    speculative_config: {
      decoding_type: line.decodingTypes[method],
      [method === "MTP" ? line.mtpField : "max_draft_len"]: numTokens,
      ...(method === "DraftModel" || method === "EAGLE3" ? { [line.draftField]: draft } : {}),
      ...(method === "EAGLE3" && line.eagle3OneModel ? { eagle3_one_model: true } : {}),
      ...(method === "NGram" ? { max_matching_ngram_size: 4 } : {}),
      ...bounds(speculative, line),
    },
    ...(line.withoutOverlap.includes(method) ? { disable_overlap_scheduler: true } : {}),
  };
}

/** Both are read at the start alone: another bound is another revision of the pool. */
function bounds({ disableAboveBatch, byBatch }: Speculative, { schedule }: TensorrtLine): Json {
  if (byBatch === undefined) return disableAboveBatch === undefined ? {} : { max_concurrency: disableAboveBatch };
  const sorted = ascending(byBatch);
  if (schedule === "upTo")
    return { draft_len_schedule: Object.fromEntries(sorted.map(({ upTo, numTokens }) => [upTo, numTokens])) };
  // From a number on: the length of one holds until the next one's begins, and after the last there is none.
  const begins = sorted.map(({ numTokens }, at) => [(sorted[at - 1]?.upTo ?? 0) + 1, numTokens]);
  return { draft_len_schedule: Object.fromEntries([...begins, [(sorted.at(-1)?.upTo ?? 0) + 1, 0]]) };
}

const isObject = (value: unknown): value is Record<string, Json> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Field by field: what the second says stands. */
function over(first: Json, second: Json): Json {
  if (!isObject(first) || !isObject(second)) return second;
  const both = Object.keys(second).map((name) => [name, name in first ? over(first[name], second[name]) : second[name]]);
  return { ...first, ...Object.fromEntries(both) };
}
