// generate: Ollama's `/api/generate`: prompt, suffix and options in, lines of JSON out (streamed unless asked otherwise). Without a
// prompt it is a client that wants the model loaded, and is told that it is.
import { z } from "zod";
import { writtenTime } from "../../../lib/clock.ts";
import { type Ended, streamed, whole } from "../answer.ts";
import { only, stops, tokensOrAll } from "../fields.ts";
import type { Call } from "../route.ts";
import { finishOf } from "../usage.ts";
import { modelOf, triggerOf } from "../wish.ts";

/** Of a model's loading and memory there is nothing to set here; those fields are taken and mean nothing. */
const options = z.looseObject({
  num_predict: tokensOrAll,
  temperature: z.number().nullish(),
  top_k: z.number().int().nullish(),
  top_p: z.number().nullish(),
  seed: z.number().int().nullish(),
  stop: stops,
  min_p: only(0),
  typical_p: only(1),
  tfs_z: only(1),
  repeat_penalty: only(1),
  presence_penalty: only(0),
  frequency_penalty: only(0),
  mirostat: only(0),
});

export const generateBody = z.object({
  model: z.string().default(""),
  prompt: z.string().nullish(),
  suffix: z.string().nullish(),
  stream: z.boolean().nullish(),
  /** The prompt is one already. One that is none is no conversation here either: chat is `/v1/chat/completions`. */
  raw: z.boolean().nullish(),
  keep_alive: z.union([z.string(), z.number()]).nullish(),
  options: options.nullish(),
  system: only(""),
  template: only(""),
  format: only(""),
  images: z.array(z.unknown()).max(0, "is not supported").nullish(),
  think: only(false),
});

export const generateAnswer = z.object({
  model: z.string(),
  created_at: z.string(),
  response: z.string(),
  done: z.literal(true),
  done_reason: z.enum(["stop", "length", "load", "unload"]),
  total_duration: z.number().optional(),
  load_duration: z.number().optional(),
  prompt_eval_count: z.number().optional(),
  prompt_eval_duration: z.number().optional(),
  eval_count: z.number().optional(),
  eval_duration: z.number().optional(),
});

const terms = {
  prefix: "prompt",
  "sampling.max_tokens": "options.num_predict",
  "sampling.temperature": "options.temperature",
  "sampling.top_k": "options.top_k",
  "sampling.top_p": "options.top_p",
  "sampling.stop": "options.stop",
} as const;

const nanoseconds = (ms: number) => Math.round(ms * 1e6);

function lastOf({ trigger, ending, at, nowMs }: Ended) {
  const firstMs = at.firstTextMs ?? nowMs;
  const placedMs = at.placedMs ?? trigger.receivedMs;
  return {
    done: true,
    done_reason: finishOf(ending),
    total_duration: nanoseconds(nowMs - trigger.receivedMs),
    load_duration: 0,
    prompt_eval_count: ending.usage.promptTokens,
    prompt_eval_duration: nanoseconds(firstMs - placedMs),
    eval_count: ending.usage.completionTokens,
    eval_duration: nanoseconds(nowMs - firstMs),
  };
}

export async function generate(call: Call<z.output<typeof generateBody>>): Promise<unknown> {
  const { router, body, tenant, reply } = call;
  const created = () => writtenTime(router.clock.wall());
  const { prompt, suffix } = body;
  if (!prompt && !suffix) {
    const model = modelOf(call, body) || (router.models(tenant)[0] ?? "");
    const reason = body.keep_alive === 0 || body.keep_alive === "0" ? "unload" : "load";
    if (body.stream ?? true) void reply.type("application/x-ndjson");
    const loaded = { model, created_at: created(), response: "", done: true, done_reason: reason };
    return (body.stream ?? true) ? `${JSON.stringify(loaded)}\n` : loaded;
  }
  const given = body.options ?? {};
  const trigger = triggerOf(call, {
    prefix: prompt ?? "",
    suffix,
    model: body.model,
    sampling: {
      maxTokens: given.num_predict ?? -1,
      temperature: given.temperature,
      topP: given.top_p,
      topK: given.top_k,
      seed: given.seed,
      stop: given.stop,
    },
    shape: "raw",
    terms,
  });
  if (!(body.stream ?? true)) {
    const ended = await whole(call, trigger, { api: "ollama" });
    const model = ended.ending.model ?? trigger.model;
    return { model, created_at: created(), response: ended.text, ...lastOf(ended) };
  }
  const model = body.model || trigger.model || (router.models(tenant)[0] ?? "");
  const line = (value: object) => `${JSON.stringify({ model, created_at: created(), ...value })}\n`;
  return streamed(call, trigger, {
    api: "ollama",
    type: "application/x-ndjson",
    piece: (response) => line({ response, done: false }),
    end: (ended) => line({ response: "", ...lastOf(ended) }),
  });
}
