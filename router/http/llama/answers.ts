// answers: an ended trigger as llama.cpp's server tells it: text, what its prompt cost and how long both took. `response_fields`
// picks of it: a path by slashes becomes a field of that very name at the root.
import { z } from "zod";
import { type Ended, streamed, whole } from "../answer.ts";
import type { Call } from "../route.ts";
import { triggerOf, type Wish } from "../wish.ts";
import type { LlamaFields } from "./sampling.ts";

const timings = z.object({
  cache_n: z.number(),
  prompt_n: z.number(),
  prompt_ms: z.number(),
  prompt_per_token_ms: z.number(),
  prompt_per_second: z.number(),
  predicted_n: z.number(),
  predicted_ms: z.number(),
  predicted_per_token_ms: z.number(),
  predicted_per_second: z.number(),
});

const one = z.object({
  index: z.number(),
  content: z.string(),
  tokens: z.array(z.never()),
  id_slot: z.number(),
  stop: z.literal(true),
  model: z.string(),
  tokens_predicted: z.number(),
  tokens_evaluated: z.number(),
  tokens_cached: z.number(),
  truncated: z.boolean(),
  stop_type: z.enum(["eos", "limit"]),
  stopping_word: z.string(),
  generation_settings: z.looseObject({ n_ctx: z.number(), n_predict: z.number() }),
  timings,
});
/** Several where several were asked for, parts where parts were. */
export const llamaAnswer = z.union([one, z.array(one), z.record(z.string(), z.unknown())]);

const perSecond = (count: number, ms: number) => (ms > 0 ? (1000 * count) / ms : 0);
const perToken = (count: number, ms: number) => (count > 0 ? ms / count : 0);

function timingsOf({ trigger, ending, at, nowMs }: Ended): z.output<typeof timings> {
  const { recomputedTokens, cachedTokens, completionTokens } = ending.usage;
  const firstMs = at.firstTextMs ?? nowMs;
  const promptMs = firstMs - (at.placedMs ?? trigger.receivedMs);
  const predictedMs = nowMs - firstMs;
  return {
    cache_n: cachedTokens,
    prompt_n: recomputedTokens,
    prompt_ms: promptMs,
    prompt_per_token_ms: perToken(recomputedTokens, promptMs),
    prompt_per_second: perSecond(recomputedTokens, promptMs),
    predicted_n: completionTokens,
    predicted_ms: predictedMs,
    predicted_per_token_ms: perToken(completionTokens, predictedMs),
    predicted_per_second: perSecond(completionTokens, predictedMs),
  };
}

function answerOf(call: Call<LlamaFields>, ended: Ended, content: string, index: number): z.output<typeof one> {
  const { router, body } = call;
  const { ending, trigger } = ended;
  const model = ending.model ?? trigger.model;
  const { sampling } = trigger;
  return {
    index,
    content,
    tokens: [],
    id_slot: body.id_slot ?? -1,
    stop: true,
    model,
    tokens_predicted: ending.usage.completionTokens,
    tokens_evaluated: ending.usage.promptTokens,
    tokens_cached: ending.usage.cachedTokens,
    truncated: false,
    stop_type: ending.finish === "length" || ending.finish === "deadline" ? "limit" : "eos",
    stopping_word: "",
    generation_settings: {
      n_ctx: router.rooms.fleet.model(model)?.contextTokens ?? 0,
      n_predict: sampling.maxTokens,
      temperature: sampling.temperature,
      top_k: sampling.topK,
      top_p: sampling.topP,
      seed: sampling.seed ?? -1,
      stop: sampling.stop,
      stream: body.stream ?? false,
    },
    timings: timingsOf(ended),
  };
}

/** What is missing is left out. */
function picked(answer: object, wanted: readonly string[] | null | undefined): object {
  if (!wanted || wanted.length === 0) return answer;
  const found: [string, unknown][] = [];
  for (const path of wanted) {
    let value: unknown = answer;
    for (const key of path.split("/"))
      value = typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
    if (value !== undefined) found.push([path, value]);
  }
  return Object.fromEntries(found);
}

/** `quiet`: of an editor that asks at every key. */
export async function answer(call: Call<LlamaFields>, wish: Wish, quiet: boolean): Promise<unknown> {
  const { body } = call;
  const trigger = triggerOf(call, wish);
  const told = (ended: Ended, content: string, index: number) =>
    picked(answerOf(call, ended, content, index), body.response_fields);
  if (!body.stream) {
    const ended = await whole(call, trigger, { api: "llama", quiet });
    if ((body.n_cmpl ?? 1) === 1) return told(ended, ended.text, 0);
    return [ended.text, ...(ended.ending.alternatives ?? [])].map((text, index) => told(ended, text, index));
  }
  const event = (value: object) => `data: ${JSON.stringify(value)}\n\n`;
  return streamed(call, trigger, {
    api: "llama",
    quiet,
    type: "text/event-stream",
    piece: (content) => event({ index: 0, content, tokens: [], stop: false }),
    end: (ended) => event(told(ended, "", 0)),
  });
}
