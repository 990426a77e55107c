// config: the worker's settings, by environment. What a pool does comes from the routers' policy; what stands here belongs
// to one process.
import { natsSettings } from "../lib/bus/settings.ts";
import {
  address,
  bytes,
  type Config,
  choice,
  duration,
  type Env,
  flag,
  integer,
  optionalAddress,
  readConfig,
  setting,
  text,
} from "../lib/config.ts";
import { credentialSettings } from "../lib/credential-settings.ts";
import { levels } from "../lib/log.ts";
import { tracingSettings } from "../lib/tracing/settings.ts";

export const workerSettings = {
  name: setting("SLIPSTREAM_WORKER_NAME", text, "worker", "Stable name of this worker on links; unique in a fleet."),
  pool: setting("SLIPSTREAM_WORKER_POOL", text, "inline", "Pool the worker belongs to."),
  revision: setting(
    "SLIPSTREAM_POOL_REVISION",
    text,
    "",
    "Revision of the pool's template, so that routers can tell what each does; the operator sets it.",
  ),
  address: setting("SLIPSTREAM_WORKER_ADDRESS", address, "127.0.0.1:7421", "Where routers connect."),
  advertise: setting(
    "SLIPSTREAM_WORKER_ADVERTISE",
    optionalAddress,
    "",
    "host:port that the worker says of itself on the bus, for routers to connect to; empty: its own address.",
  ),
  adminAddress: setting("SLIPSTREAM_WORKER_ADMIN_ADDRESS", address, "127.0.0.1:7423", "/healthz, /readyz and /metrics."),
  ...credentialSettings("SLIPSTREAM_WORKER_", {
    keys: "File with the hashes of API keys; those of administrators open the admin port to other machines.",
    clients: "File with the authorities (PEM) whose certificates routers must show; empty: none is asked for.",
  }),
  engine: setting(
    "SLIPSTREAM_WORKER_ENGINE",
    choice("embedded", "simulated", "vllm", "tensorrt", "openai"),
    "embedded",
    "embedded (llama.cpp in a child process), vllm (docs/operations/vllm.md), tensorrt (docs/operations/tensorrt.md), openai (any server with OpenAI's completions) or simulated (a pretend GPU, for tests and plans).",
  ),
  engineUrl: setting(
    "SLIPSTREAM_WORKER_ENGINE_URL",
    text,
    "http://127.0.0.1:8000",
    "Where an engine behind HTTP (vllm, tensorrt, openai) serves; grpc://host:port: a vLLM or a trtllm-serve started with --grpc; http://host:port/v2/models/NAME: a TensorRT-LLM behind Triton (docs/operations/tensorrt.md).",
  ),
  engineCommand: setting(
    "SLIPSTREAM_WORKER_ENGINE_COMMAND",
    text,
    "",
    "Command that starts such an engine, started anew when it ends: words, or a JSON list where one holds a blank; empty: somebody else runs it.",
  ),
  onlyLane: setting(
    "SLIPSTREAM_WORKER_ONLY_LANE",
    choice("", "inline", "chat", "speculative", "batch"),
    "",
    "The only lane that this worker serves, others are refused; needed of an engine behind grpc://, which keeps no lanes apart.",
  ),
  oneTenant: setting(
    "SLIPSTREAM_WORKER_ONE_TENANT",
    flag,
    "false",
    "That this worker's pool has one tenant, so that a second is refused; needed of an engine behind grpc:// or Triton, which keep no tenants apart.",
  ),
  engineAbort: setting(
    "SLIPSTREAM_WORKER_ENGINE_ABORT",
    choice("close", "id"),
    "close",
    "How vLLM is told to stop a generation: its connection is closed, or by its id where the engine has the page (--enable-scale-out): for one behind a proxy that does not pass a closed connection on.",
  ),
  engineTokensOut: setting(
    "SLIPSTREAM_WORKER_ENGINE_TOKENS_OUT",
    flag,
    "false",
    "Whether vLLM is asked for tokens instead of text where it gives them (--enable-scale-out) and the vocabulary is at hand; needs none of its own processor for spelling them.",
  ),
  engineSleepMs: setting(
    "SLIPSTREAM_WORKER_ENGINE_SLEEP",
    duration(0, 86_400_000),
    "0ms",
    "A vLLM that can sleep does so when nobody has asked for so long, and wakes for the next generation; 0: never.",
  ),
  engineAdapters: setting(
    "SLIPSTREAM_WORKER_ADAPTERS",
    text,
    "",
    "LoRA adapters that vLLM or TensorRT-LLM serves besides its model: name=path, separated by commas; the paths are the engine's.",
  ),
  engineKeyFile: setting(
    "SLIPSTREAM_WORKER_ENGINE_KEY_FILE",
    text,
    "",
    "File with the key that such an engine asks for; empty: none.",
  ),
  engineStartMs: setting(
    "SLIPSTREAM_WORKER_ENGINE_START",
    duration(0, 3_600_000),
    "10m",
    "Most time until such an engine answers, at the start and after it was gone.",
  ),
  engineHungMs: setting(
    "SLIPSTREAM_WORKER_ENGINE_HUNG",
    duration(500, 600_000),
    "10s",
    "Such an engine is taken for dead when nothing of it has answered, or none of its generations moved, for so long.",
  ),
  engineTokenizer: setting(
    "SLIPSTREAM_WORKER_TOKENIZER",
    text,
    "",
    "Folder of such an engine's model, or its tokenizer.json; empty: where the engine says it is, else the engine is asked to tokenise.",
  ),
  contextTokens: setting(
    "SLIPSTREAM_WORKER_CONTEXT_TOKENS",
    integer(0, 16_777_216),
    "0",
    "Tokens that a prompt and its completion may have together in a TensorRT-LLM, which may not say it (its max_seq_len); 0: what its figures say, else what its model was made for.",
  ),
  blockTokens: setting(
    "SLIPSTREAM_WORKER_BLOCK_TOKENS",
    integer(0, 1_024),
    "0",
    "Tokens of a KV block of a TensorRT-LLM that does not say it (its kv_cache_config.tokens_per_block); 0: 32.",
  ),
  engineKvEvents: setting(
    "SLIPSTREAM_WORKER_ENGINE_KV_EVENTS",
    flag,
    "true",
    "Whether the KV events of a TensorRT-LLM are read; false where somebody else is their one reader.",
  ),
  engineTruncate: setting(
    "SLIPSTREAM_WORKER_ENGINE_TRUNCATE",
    flag,
    "false",
    "Whether a TensorRT-LLM over HTTP that serves one tenant is told which cached blocks nobody will ask for again (docs/operations/tensorrt.md).",
  ),
  engineConfidence: setting(
    "SLIPSTREAM_WORKER_ENGINE_CONFIDENCE",
    flag,
    "false",
    "Whether such an engine is asked how probable its tokens were, so that unsure text is not shown; costs it a little.",
  ),
  model: setting(
    "SLIPSTREAM_WORKER_MODEL",
    text,
    "",
    "GGUF file of the embedded engine, or a folder with one; empty: the built-in model.",
  ),
  draftModel: setting(
    "SLIPSTREAM_WORKER_DRAFT_MODEL",
    text,
    "",
    "GGUF file (or a folder with one) that drafts for the embedded engine's model, of the same vocabulary; empty: the built-in draft for the built-in model, else none; none: no draft model (lookups go on).",
  ),
  modelName: setting(
    "SLIPSTREAM_WORKER_MODEL_NAME",
    text,
    "",
    "What routers call the model; empty: the name in the file, or of the profile.",
  ),
  threads: setting(
    "SLIPSTREAM_WORKER_THREADS",
    integer(0, 256),
    "0",
    "Threads of the embedded engine; 0: one less than the cores.",
  ),
  slots: setting("SLIPSTREAM_WORKER_SLOTS", integer(1, 1_024), "4", "Generations the engine runs at once."),
  profile: setting(
    "SLIPSTREAM_WORKER_PROFILE",
    choice("h100-7b-eagle3", "h100-7b-draft", "l40s-3b-eagle3", "l40s-7b-eagle3", "2xh100-32b-eagle3"),
    "h100-7b-eagle3",
    "GPU and model the simulated engine pretends to be.",
  ),
  profileEnd: setting(
    "SLIPSTREAM_WORKER_PROFILE_END",
    choice("slow", "mid", "fast"),
    "mid",
    "Which end of the profile's estimates the simulated engine takes.",
  ),
  seed: setting("SLIPSTREAM_WORKER_SEED", integer(0, 0xffff_ffff), "1", "Pretend weights of the simulated engine."),
  promptBytesMax: setting(
    "SLIPSTREAM_WORKER_PROMPT_BYTES_MAX",
    bytes(1 << 10, 16 << 20),
    "256KiB",
    "Largest prompt of one generation.",
  ),
  maxTokensMax: setting("SLIPSTREAM_WORKER_MAX_TOKENS_MAX", integer(1, 131_072), "4096", "Most tokens of one generation."),
  coalesceMs: setting(
    "SLIPSTREAM_WORKER_COALESCE",
    duration(0, 100),
    "2ms",
    "Text of one generation within this time of its last delta goes out as one.",
  ),
  loadEveryMs: setting("SLIPSTREAM_WORKER_LOAD_EVERY", duration(10, 10_000), "100ms", "Least time between two Load frames."),
  stepBudgetMs: setting(
    "SLIPSTREAM_WORKER_STEP_BUDGET",
    duration(0, 10_000),
    "50ms",
    "Longest decode step: fewer generations run at once where all slots would make it longer, as learned; 0: all slots always.",
  ),
  warmBytesPerSecond: setting(
    "SLIPSTREAM_WORKER_WARM_BYTES",
    bytes(0, 1 << 30),
    "256KiB",
    "Bytes of prompts a second that are computed ahead in idle time, behind all lanes; eight seconds of it may come at once.",
  ),
  routersMax: setting("SLIPSTREAM_WORKER_ROUTERS_MAX", integer(1, 1_000), "64", "Routers connected at once."),
  graceMs: setting("SLIPSTREAM_WORKER_GRACE", duration(0, 600_000), "5s", "Time for running generations when the process ends."),
  warmUpRequests: setting(
    "SLIPSTREAM_WORKER_WARM_UP",
    integer(-1, 1_000),
    "-1",
    "Generations that the engine runs before the worker says that it is ready; -1: as many as it takes until they take no longer, of engines behind HTTP, and none of others.",
  ),
  warmPrefixes: setting(
    "SLIPSTREAM_WORKER_WARM_PREFIXES",
    integer(0, 10_000),
    "0",
    "Beginnings of prompts of late that routers send the worker before it says that it is ready; it waits at most ten seconds for them, and three for a router.",
  ),
  handOverMs: setting(
    "SLIPSTREAM_WORKER_HAND_OVER",
    duration(0, 600_000),
    "5s",
    "Most time in which routers move the worker's sessions to others before it takes no more work; half of the grace period at most.",
  ),
  ...natsSettings,
  ...tracingSettings,
  logLevel: setting("SLIPSTREAM_WORKER_LOG_LEVEL", choice(...levels), "info", "fatal, error, warn, info, debug or silent."),
} as const;

export type WorkerConfig = Config<typeof workerSettings>;

/** Names and numbers checked, every problem at once. */
export function readWorkerConfig(env: Env): WorkerConfig {
  return readConfig(workerSettings, env, "SLIPSTREAM_WORKER_");
}
