// request: a Generation and its prompt's tokens in, the body of vLLM's POST /v1/completions out. Pure. Here the sign of its
// priority is hidden (smaller is sooner there), and what of Sampling it calls otherwise.
import { type Generation, type Lane, lanes } from "../../generation.ts";
import { stops } from "../stop-strings.ts";

export interface RequestFeatures {
  /** Started with --scheduling-policy priority: without it any priority but 0 is refused. */
  readonly priority: boolean;
  /** Probabilities of the chosen tokens are asked for. */
  readonly confidence: boolean;
  /** For measurements: goes on past the end of the text. */
  readonly ignoreEnd: boolean;
}

/** Between two lanes, so that an operator's own requests can go between. */
const priorityStep = 10;

function priorityOf(lane: Lane | "warm"): number {
  return priorityStep * (lane === "warm" ? lanes.length : lanes.indexOf(lane));
}

export function completionBody(
  work: Generation,
  prompt: { readonly tokens: readonly number[]; readonly maxTokens: number; readonly requestId: string },
  features: RequestFeatures,
): object {
  const { temperature, topP, topK, seed } = work.sampling;
  const stop = stops(work);
  return {
    model: work.model,
    prompt: prompt.tokens,
    max_tokens: prompt.maxTokens,
    temperature,
    ...(topP < 1 && { top_p: topP }),
    ...(topK > 0 && { top_k: topK }),
    ...(seed !== undefined && { seed }),
    // The agent cuts at the stop string itself, and needs to see it for that.
    ...(stop.length > 0 && { stop, include_stop_str_in_output: true }),
    ...(work.cacheSalt !== "" && { cache_salt: work.cacheSalt }),
    ...(features.priority && { priority: priorityOf(work.lane) }),
    ...(features.confidence && { logprobs: 0 }),
    ...(features.ignoreEnd && { ignore_eos: true }),
    request_id: prompt.requestId,
    stream: true,
    stream_options: { include_usage: true, continuous_usage_stats: true },
  };
}

/** The same for POST /inference/v1/generate, which takes tokens and gives tokens. */
export function tokensBody(
  work: Generation,
  prompt: { readonly tokens: readonly number[]; readonly maxTokens: number; readonly requestId: string },
  features: Omit<RequestFeatures, "confidence">,
): object {
  const { temperature, topP, topK, seed } = work.sampling;
  const stop = stops(work);
  return {
    model: work.model,
    token_ids: prompt.tokens,
    sampling_params: {
      ...{ max_tokens: prompt.maxTokens, temperature },
      ...(topP < 1 && { top_p: topP }),
      ...(topK > 0 && { top_k: topK }),
      ...(seed !== undefined && { seed }),
      ...(stop.length > 0 && { stop, include_stop_str_in_output: true }),
      ...(features.ignoreEnd && { ignore_eos: true }),
    },
    ...(work.cacheSalt !== "" && { cache_salt: work.cacheSalt }),
    ...(features.priority && { priority: priorityOf(work.lane) }),
    request_id: prompt.requestId,
    stream: true,
    stream_options: { include_usage: true, continuous_usage_stats: true },
  };
}

/** Names under which the engine knows a request of ours: each of its pages puts its own before and behind. */
export function idsAtEngine(requestId: string): readonly string[] {
  return [`cmpl-${requestId}-0`, `generate-tokens-${requestId}`];
}

/** Computes the KV of a prefix, behind everything that somebody waits for. */
export function warmBody(
  model: string,
  tokens: readonly number[],
  cacheSalt: string,
  features: Pick<RequestFeatures, "priority">,
): object {
  return {
    ...{ model, prompt: tokens, max_tokens: 1, temperature: 0 },
    ...(cacheSalt !== "" && { cache_salt: cacheSalt }),
    ...(features.priority && { priority: priorityOf("warm") }),
  };
}
