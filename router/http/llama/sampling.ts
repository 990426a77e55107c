// sampling: the fields that llama.cpp's `/completion` and `/infill` have for its sampler and its slots: honoured, refused by name,
// or taken without effect, because a router decides it itself.
import { z } from "zod";
import { never, only, several, stops, tokensOrAll } from "../fields.ts";
import type { WishedSampling } from "../wish.ts";

export const llamaFields = {
  n_predict: z.union([z.literal(0), tokensOrAll]).nullish(),
  /** Some clients call it as OpenAI does. */
  max_tokens: tokensOrAll,
  n_cmpl: several,
  temperature: z.number().nullish(),
  top_k: z.number().int().nullish(),
  top_p: z.number().nullish(),
  /** Below 0: chance. */
  seed: z.number().int().nullish(),
  stop: stops,
  stream: z.boolean().nullish(),
  /** Dotted by slashes: what of the answer is wanted, at its root. */
  response_fields: z.array(z.string().max(128)).max(64, "more than 64").nullish(),
  t_max_prompt_ms: z.number().min(0, "must be at least 0").nullish(),
  t_max_predict_ms: z.number().min(0, "must be at least 0").nullish(),
  model: z.string().nullish(),
  // Which slot, which sampler before which, and where a block ends is decided here.
  id_slot: z.number().int().nullish(),
  cache_prompt: z.boolean().nullish(),
  samplers: z.union([z.array(z.string()), z.string()]).nullish(),
  n_indent: z.number().nullish(),
  n_probs: only(0),
  min_p: only(0),
  typical_p: only(1),
  repeat_penalty: only(1),
  presence_penalty: only(0),
  frequency_penalty: only(0),
  dry_multiplier: only(0),
  xtc_probability: only(0),
  mirostat: only(0),
  ignore_eos: only(false),
  logit_bias: z.array(z.unknown()).max(0, "is not supported").nullish(),
  grammar: only(""),
  json_schema: never(),
  lora: z.array(z.object({ id: z.number(), scale: only(0) })).nullish(),
};
const fields = z.object(llamaFields);
export type LlamaFields = z.output<typeof fields>;

export const samplingOf = (body: LlamaFields): WishedSampling => ({
  // 0 asks for no text at all, only that its prompt be computed.
  maxTokens: body.n_predict === 0 ? undefined : (body.n_predict ?? body.max_tokens ?? -1),
  temperature: body.temperature,
  topP: body.top_p,
  topK: body.top_k,
  seed: body.seed,
  stop: body.stop,
});

export const terms = { prefix: "prompt", "sampling.max_tokens": "n_predict", "sampling.seed": "seed" } as const;

/** Time for the prompt where a client bounds the text alone. */
const promptMs = 1_000;

/** When the answer has to be there, of a client that bounds how long it is written. */
export function deadlineOf({ t_max_prompt_ms, t_max_predict_ms }: LlamaFields): number {
  if (!t_max_predict_ms || t_max_predict_ms <= 1) return 0;
  return Math.round(Math.max(1, Math.min(600_000, (t_max_prompt_ms || promptMs) + t_max_predict_ms)));
}
