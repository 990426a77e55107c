// request: a Generation and its prompt's tokens in, the body of Triton's POST /v2/models/NAME/generate_stream out, for the tensorrt_llm
// model of its TensorRT-LLM backend, which takes tokens. Pure. Names as the backend's inputs have them (triton_backend/
// inflight_batcher_llm/src/utils.h of TensorRT-LLM). It is the one wire of TensorRT-LLM that carries for how long blocks are to be kept.
import type { Generation } from "../../../generation.ts";
import type { AskedPrompt } from "../../served.ts";

/** 0 to 100; what nobody says is 35 there. */
const keepPriority = { held: 70, passing: 20 } as const;
/** A session that asks no more is forgotten like others: about as long as one pauses to think. */
const keepMs = 60_000;

export function tritonBody(work: Generation, prompt: AskedPrompt): object {
  const { temperature, topP, topK, seed } = work.sampling;
  return {
    input_ids: prompt.tokens,
    input_lengths: prompt.tokens.length,
    request_output_len: prompt.maxTokens,
    streaming: true,
    beam_width: 1,
    temperature: temperature === 0 ? 1 : temperature,
    // Greedy is the best one of all; a temperature of 0 divides by it there.
    runtime_top_k: temperature === 0 ? 1 : topK,
    runtime_top_p: topP,
    ...(seed !== undefined && { random_seed: seed }),
    ...retention(work, prompt),
  };
}

/** A session's prompt comes again with the next key: it is given up later than what nobody asks for twice. */
export function retention({ lane, affinity }: Pick<Generation, "lane" | "affinity">, { tokens, ahead }: AskedPrompt): object {
  const held = ahead || (affinity !== "" && (lane === "inline" || lane === "chat"));
  return {
    retention_token_range_starts: [0],
    retention_token_range_ends: [tokens.length],
    retention_token_range_priorities: [held ? keepPriority.held : keepPriority.passing],
    ...(held && { retention_token_range_durations_ms: [keepMs] }),
    // What was generated is typed anew, or not at all.
    retention_decode_priority: keepPriority.passing,
  };
}
