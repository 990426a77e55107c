// abilities: what engines can do for the agent beyond what all of them must: one row an ability, one cell a kind of engine. The contract
// suite shows each cell on a running engine: that what stands as had is there, and that what stands as lacking is not.
// docs/reference/engines.md is made from here.

export const abilities = {
  cached_told: "says how much of a prompt it had cached",
  prefix_ahead: "computes a prefix ahead, and has it when the prompt comes",
  tenants_apart: "never lets one tenant find what another computed",
  better_lane_first: "begins the better lane first among what waits in it",
  ends_at_stops: "ends by itself at a stop string",
  speculation: "drafts, and counts what was drafted and accepted",
  kv_events: "tells which of the router's blocks came and went",
  tokenize: "tells which tokens a text is",
  confidence: "says how probable its tokens were",
  adapters: "serves adapters beside its model, each with KV of its own",
  sleep: "gives its memory away, and wakes",
} as const;

export type Ability = keyof typeof abilities;

/** "depends": on how it was started, or on which server it is: probed at the start. */
export type Has = "yes" | "no" | "depends";

export type Row = Readonly<Record<Ability, readonly [has: Has, how: string]>>;

export interface EngineKind {
  /** As a page calls it. */
  readonly title: string;
  /** Value of SLIPSTREAM_WORKER_ENGINE. */
  readonly setting: string;
  /** How a generation is stopped there. */
  readonly stop: string;
  readonly can: Row;
}

export const engineKinds = {
  embedded: {
    title: "llama.cpp, embedded",
    setting: "embedded",
    stop: "a message to its process, between two steps or prompt chunks",
    can: {
      cached_told: ["yes", "by its own count"],
      prefix_ahead: ["yes", ""],
      tenants_apart: ["yes", "a sequence is one tenant's"],
      better_lane_first: ["no", "all that it is given runs; the agent's slots keep the order"],
      ends_at_stops: ["no", "the agent cuts the text and stops it"],
      speculation: ["yes", "lookup and draft model, the length chosen step by step"],
      kv_events: ["no", "KV is kept by sequence"],
      tokenize: ["yes", ""],
      confidence: ["yes", ""],
      adapters: ["no", ""],
      sleep: ["no", ""],
    },
  },
  vllm: {
    title: "vLLM over HTTP",
    setting: "vllm",
    stop: "its connection is closed",
    can: {
      cached_told: ["depends", "--enable-prompt-tokens-details"],
      prefix_ahead: ["yes", "one token, behind all lanes"],
      tenants_apart: ["yes", "cache_salt"],
      better_lane_first: ["depends", "--scheduling-policy priority"],
      ends_at_stops: ["yes", ""],
      speculation: ["depends", "--speculative-config; the length is fixed at the start"],
      kv_events: ["depends", "--kv-events-config"],
      tokenize: ["yes", "by the model's vocabulary, or its /tokenize"],
      confidence: ["depends", "SLIPSTREAM_WORKER_ENGINE_CONFIDENCE"],
      adapters: ["depends", "--enable-lora and SLIPSTREAM_WORKER_ADAPTERS"],
      sleep: ["depends", "VLLM_SERVER_DEV_MODE=1"],
    },
  },
  vllm_grpc: {
    title: "vLLM over gRPC, one lane and one tenant",
    setting: "vllm",
    stop: "its stream is reset",
    can: {
      cached_told: ["yes", ""],
      prefix_ahead: ["yes", "in one queue with all else"],
      tenants_apart: ["no", "a second tenant is refused"],
      better_lane_first: ["no", "a second lane is refused"],
      ends_at_stops: ["yes", ""],
      speculation: ["no", "its drafts are counted for a generation alone, with --per-request-spec-decode-metrics"],
      kv_events: ["depends", "--kv-events-config"],
      tokenize: ["yes", "by the model's vocabulary, which must be at hand"],
      confidence: ["depends", "SLIPSTREAM_WORKER_ENGINE_CONFIDENCE"],
      adapters: ["no", ""],
      sleep: ["no", ""],
    },
  },
  tensorrt: {
    title: "TensorRT-LLM (trtllm-serve) over HTTP",
    setting: "tensorrt",
    stop: "its connection is closed, which it looks for once a second",
    can: {
      cached_told: ["yes", ""],
      prefix_ahead: ["yes", "one token, behind all lanes"],
      tenants_apart: ["depends", "cache_salt, at its chat page, which takes tokens"],
      better_lane_first: ["depends", "a version with priorities, and scheduler_config.waiting_queue_policy: priority"],
      ends_at_stops: ["no", "only where a stop string is written in the tokens it is cut into by itself; the agent cuts the text"],
      speculation: ["depends", "speculative_config; the length is fixed at the start, and counted in all, not by position"],
      kv_events: ["depends", "kv_cache_config.event_buffer_max_size, and no other reader of them"],
      tokenize: ["yes", "by the model's vocabulary, which must be at hand"],
      confidence: ["depends", "SLIPSTREAM_WORKER_ENGINE_CONFIDENCE"],
      adapters: ["depends", "lora_config and SLIPSTREAM_WORKER_ADAPTERS"],
      sleep: ["no", ""],
    },
  },
  tensorrt_grpc: {
    title: "TensorRT-LLM over gRPC, one lane and one tenant",
    setting: "tensorrt",
    stop: "an abort by its name, between two steps; its stream is reset where that is not heard",
    can: {
      cached_told: ["yes", ""],
      prefix_ahead: ["yes", "in one queue with all else"],
      tenants_apart: ["no", "a second tenant is refused"],
      better_lane_first: ["no", "a second lane is refused"],
      ends_at_stops: ["no", "only where a stop string is written in the tokens it is cut into by itself; the agent cuts the text"],
      speculation: ["no", "its drafts are not told"],
      kv_events: ["depends", "a version whose service has SubscribeKvEvents, and kv_cache_config.event_buffer_max_size"],
      tokenize: ["yes", "by the model's vocabulary, which must be at hand"],
      confidence: ["depends", "SLIPSTREAM_WORKER_ENGINE_CONFIDENCE"],
      adapters: ["no", ""],
      sleep: ["no", ""],
    },
  },
  tensorrt_triton: {
    title: "TensorRT-LLM behind Triton, one tenant",
    setting: "tensorrt",
    stop: "its connection is closed; by its documents it goes on to the end",
    can: {
      cached_told: ["no", ""],
      prefix_ahead: ["no", "it is computed, and nobody is told whether it was there"],
      tenants_apart: ["no", "a second tenant is refused"],
      better_lane_first: ["no", "the agent's slots keep the order"],
      ends_at_stops: ["no", "the agent cuts the text"],
      speculation: ["no", "its drafts are not told"],
      kv_events: ["no", "but a session's blocks are kept longer than others: the retention of its requests"],
      tokenize: ["yes", "by the model's vocabulary, which must be at hand"],
      confidence: ["no", ""],
      adapters: ["no", ""],
      sleep: ["no", ""],
    },
  },
  openai: {
    title: "a server with OpenAI's completions (llama-server, SGLang, remote)",
    setting: "openai",
    stop: "its connection is closed; how soon it notices is the server's",
    can: {
      cached_told: ["depends", "where the usage of a stream has it"],
      prefix_ahead: ["depends", "shown only where the server tells what it had cached"],
      tenants_apart: ["no", "serve one tenant from such a pool"],
      better_lane_first: ["no", "the agent's slots keep the order"],
      ends_at_stops: ["yes", "up to four stop strings"],
      speculation: ["no", "whatever it does by itself is not told"],
      kv_events: ["no", ""],
      tokenize: ["no", ""],
      confidence: ["no", ""],
      adapters: ["no", ""],
      sleep: ["no", ""],
    },
  },
  simulated: {
    title: "a pretend GPU, for tests and plans",
    setting: "simulated",
    stop: "at the end of the step that runs",
    can: {
      cached_told: ["yes", ""],
      prefix_ahead: ["yes", ""],
      tenants_apart: ["yes", ""],
      better_lane_first: ["no", "the agent's slots keep the order"],
      ends_at_stops: ["no", "the agent cuts the text and stops it"],
      speculation: ["yes", "at the rates of its profile"],
      kv_events: ["yes", ""],
      tokenize: ["no", ""],
      confidence: ["yes", ""],
      adapters: ["no", ""],
      sleep: ["no", ""],
    },
  },
} as const satisfies Readonly<Record<string, EngineKind>>;

export type EngineKindName = keyof typeof engineKinds;
