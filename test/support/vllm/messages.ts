// messages: the answers of vLLM's small endpoints, in the shape that was recorded from a real one (test/golden/vllm).

export interface FakeState {
  readonly model: string;
  readonly root: string;
  readonly contextTokens: number;
  readonly blockTokens: number;
  readonly blocks: number;
  readonly tokensOnly: boolean;
  readonly adapters: readonly string[];
  readonly adaptable: boolean;
  readonly asleep: boolean;
  readonly running: number;
  readonly waiting: number;
  readonly used: number;
  readonly asked: number;
  readonly hit: number;
  readonly kv: { readonly endpoint: string; readonly replay: string } | undefined;
  readonly speculated: { readonly drafts: number; readonly drafted: number; readonly accepted: number } | undefined;
}

export function errorBody(code: number, message: string): object {
  return { error: { message, type: code === 400 ? "BadRequestError" : "InternalServerError", param: null, code } };
}

export function answers(path: string, body: Record<string, unknown>, state: FakeState): { status: number; body: unknown } {
  const missing = { status: 404, body: { detail: "Not Found" } };
  switch (path) {
    case "/health":
      return { status: 200, body: {} };
    case "/version":
      return { status: 200, body: { version: "0.32.0" } };
    case "/v1/models":
      return { status: 200, body: { object: "list", data: modelsOf(state) } };
    case "/tokenize":
      return { status: 200, body: tokenized(String(body["prompt"]), state) };
    case "/kv_event_sources":
      return state.kv ? { status: 200, body: { "0": source(state.kv) } } : missing;
    case "/inference/v1/generate":
      return state.tokensOnly ? { status: 400, body: errorBody(400, "2 validation errors") } : { status: 403, body: {} };
    case "/is_sleeping":
      return { status: 200, body: { is_sleeping: state.asleep } };
    case "/sleep":
      return { status: 200, body: { status: "sleeping", level: 1 } };
    case "/wake_up":
      return { status: 200, body: { status: "awake", tags: null } };
    case "/v1/load_lora_adapter":
    case "/v1/unload_lora_adapter":
      if (!state.adaptable) return missing;
      return body["lora_name"] === undefined
        ? { status: 400, body: errorBody(400, "2 validation errors") }
        : { status: 200, body: "Success" };
    default:
      return missing;
  }
}

/** Servers that are not vLLM, as their own documents describe their pages. */
export function otherAnswers(
  path: string,
  speaks: "sglang" | "llama.cpp" | "bare",
  state: FakeState,
  ready: boolean,
): { status: number; body: unknown } {
  const { model, contextTokens } = state;
  const found = (body: unknown) => ({ status: 200, body });
  if (path === "/health" && speaks !== "bare") return { status: ready ? 200 : 503, body: {} };
  if (path === "/v1/models") {
    const meta = speaks === "llama.cpp" ? { meta: { n_ctx_train: 32_768 } } : {};
    return found({ object: "list", data: [{ id: model, object: "model", ...meta }] });
  }
  if (speaks === "llama.cpp" && path === "/props")
    return found({
      build_info: "b1-fake",
      total_slots: 4,
      model_path: `/models/${model}.gguf`,
      default_generation_settings: { n_ctx: contextTokens },
    });
  if (speaks === "sglang" && path === "/get_model_info") return found({ model_path: `/models/${model}` });
  if (speaks === "sglang" && path === "/get_server_info")
    return found({ version: "0.5-fake", context_length: contextTokens, max_running_requests: 16 });
  return { status: 404, body: { detail: "Not Found" } };
}

function modelsOf({ model, root, contextTokens, adapters }: FakeState): object[] {
  const about = { object: "model", created: 1, owned_by: "vllm" };
  const base = { id: model, ...about, root, parent: null, max_model_len: contextTokens, permission: [] };
  return [base, ...adapters.map((id) => ({ ...base, id, root: `/adapters/${id}`, parent: model, max_model_len: null }))];
}

/** A byte is a token; what is written as a special token is one of its own. */
function tokenized(prompt: string, { contextTokens }: FakeState): object {
  const tokens: number[] = [];
  const strings: string[] = [];
  for (const part of prompt.split(/(<\|\w+\|>)/).filter((each) => each !== "")) {
    if (/^<\|\w+\|>$/.test(part)) {
      tokens.push(1_000 + specials.indexOf(part));
      strings.push(part);
    } else
      for (const byte of Buffer.from(part)) {
        tokens.push(byte);
        strings.push(byteString(byte));
      }
  }
  return { count: tokens.length, max_model_len: contextTokens, tokens, token_strs: strings };
}

const specials = [
  "<|endoftext|>",
  "<|fim_prefix|>",
  "<|fim_middle|>",
  "<|fim_suffix|>",
  "<|fim_pad|>",
  "<|repo_name|>",
  "<|file_sep|>",
];

function byteString(byte: number): string {
  if ((byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae) return String.fromCharCode(byte);
  const hidden = Array.from({ length: 256 }, (_, each) => each).filter(
    (each) => each < 0x21 || (each > 0x7e && each < 0xa1) || each === 0xad,
  );
  return String.fromCharCode(256 + hidden.indexOf(byte));
}

function source({ endpoint, replay }: { endpoint: string; replay: string }): object {
  return {
    ...{ enable_kv_cache_events: true, publisher: "zmq", endpoint, replay_endpoint: replay },
    ...{ buffer_steps: 10_000, hwm: 100_000, max_queue_size: 100_000, topic: "" },
  };
}

export function exposition(state: FakeState): string {
  const labels = `{engine="0",model_name="${state.model}"}`;
  const rows: [name: string, value: number][] = [
    ["vllm:num_requests_running", state.running],
    ["vllm:num_requests_waiting", state.waiting],
    ["vllm:kv_cache_usage_perc", state.running / 100],
    ["vllm:prefix_cache_queries_total", state.asked],
    ["vllm:prefix_cache_hits_total", state.hit],
    ["vllm:num_preemptions_total", 0],
  ];
  const { speculated } = state;
  if (speculated)
    rows.push(
      ["vllm:spec_decode_num_drafts_total", speculated.drafts],
      ["vllm:spec_decode_num_draft_tokens_total", speculated.drafted],
      ["vllm:spec_decode_num_accepted_tokens_total", speculated.accepted],
    );
  const places = speculated ? Math.round(speculated.drafted / Math.max(1, speculated.drafts)) : 0;
  const lines = rows.map(([name, value]) => `# TYPE ${name} gauge\n${name}${labels} ${value.toFixed(1)}`);
  for (let place = 0; place < places; place++)
    lines.push(
      `vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="0",model_name="${state.model}",position="${place}"} ${(speculated?.accepted ?? 0) / places}`,
    );
  lines.push(`vllm:cache_config_info{block_size="${state.blockTokens}",engine="0",num_gpu_blocks="${state.blocks}"} 1.0`);
  return `${lines.join("\n")}\n`;
}
