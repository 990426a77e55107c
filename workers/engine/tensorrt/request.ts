// request: a Generation and its prompt's tokens in, the body of trtllm-serve's POST /v1/completions or /v1/chat/completions out. Pure.
// Fields as CompletionRequest and ChatCompletionRequest have them (TensorRT-LLM, tensorrt_llm/serve/openai_protocol.py, commit 0076e939);
// a field that a version does not know is refused by it, so each that is younger is probed for.
import { type Generation, type Lane, lanes } from "../../generation.ts";
import type { AskedPrompt } from "../served.ts";
import { stops } from "../stop-strings.ts";

export interface Features {
  /** As the engine calls it, without an adapter. */
  readonly model: string;
  /** Whether requests may say how soon. It is honoured under scheduler_config.waiting_queue_policy: priority, else ignored. */
  readonly priority: boolean;
  /** Where a request may say whose it is; "nowhere": tenants share what is cached. */
  readonly salt: "completions" | "chat" | "nowhere";
  readonly confidence: boolean;
  /** For measurements: goes on past the end of the text. */
  readonly ignoreEnd: boolean;
  /** Paths of the adapters for the engine, by name, in their order. */
  readonly adapters: Readonly<Record<string, string>>;
}

/** 0 to 1, and higher is sooner: the other way round than vLLM. The engine takes what says nothing for 0.5. */
export function priorityOf(lane: Lane | "ahead"): number {
  const place = lane === "ahead" ? lanes.length : lanes.indexOf(lane);
  return Math.round((1 - (place + 1) / (lanes.length + 2)) * 100) / 100;
}

export function body(work: Generation, prompt: AskedPrompt, features: Features): { readonly path: string; readonly body: object } {
  const salted = features.salt !== "nowhere" && work.cacheSalt !== "" ? { cache_salt: work.cacheSalt } : {};
  // Its page for completions knows no tenants; the one for chat does, and takes a prompt's tokens as they are.
  if (features.salt === "chat")
    return {
      path: "/v1/chat/completions",
      body: {
        ...common(work, prompt, features),
        ...salted,
        messages: [{ role: "user", content: "" }],
        prompt_token_ids: prompt.tokens,
        max_completion_tokens: prompt.maxTokens,
        ...(features.confidence && { logprobs: true }),
      },
    };
  return {
    path: "/v1/completions",
    body: {
      ...common(work, prompt, features),
      ...salted,
      prompt: prompt.tokens,
      max_tokens: prompt.maxTokens,
      ...(features.confidence && { logprobs: 1 }),
    },
  };
}

function common(work: Generation, { ahead }: AskedPrompt, { model, priority, ignoreEnd, adapters }: Features): object {
  const { temperature, topP, topK, seed } = work.sampling;
  const stop = stops(work);
  return {
    // An adapter is no model of its own there, but a field.
    ...{ model, ...loraRequest(work.model, adapters) },
    temperature,
    ...(topP < 1 && { top_p: topP }),
    // Greedy is the best one of all: not every version takes a temperature of 0 for that.
    ...(temperature === 0 ? { top_k: 1 } : topK > 0 && { top_k: topK }),
    ...(seed !== undefined && { seed }),
    // The agent cuts at the stop string itself, and needs to see it for that.
    ...(stop.length > 0 && { stop, include_stop_str_in_output: true }),
    ...(priority && { priority: priorityOf(ahead ? "ahead" : work.lane) }),
    ...(ignoreEnd && { ignore_eos: true }),
    stream: true,
    stream_options: { include_usage: true, continuous_usage_stats: true },
  };
}

/** Its number must be the same in every request. */
export function loraRequest(model: string, adapters: Readonly<Record<string, string>>): { lora_request?: object } {
  const number = Object.keys(adapters).indexOf(model);
  if (number < 0) return {};
  return { lora_request: { lora_name: model, lora_int_id: number + 1, lora_path: adapters[model] } };
}
