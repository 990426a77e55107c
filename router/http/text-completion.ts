// text-completion: a completion in the `text_completion` shape that OpenAI gave it and DeepSeek, proxies and editors took over:
// whole, or as events that end with [DONE]. Several texts for one place come as several choices, those that differ.
import { z } from "zod";
import type { Ending } from "../completion.ts";
import { type Ended, type Manner, streamed, whole } from "./answer.ts";
import { never, only, several, tokens, wanted } from "./fields.ts";
import type { Api, Call } from "./route.ts";
import { finishOf, usageAnswer, usageOf } from "./usage.ts";
import { triggerOf, type Wish } from "./wish.ts";

/** What all who take this shape have in common. */
export const textCompletionBody = {
  model: z.string().default(""),
  prompt: z.union([z.string(), z.tuple([z.string()]).transform(([only]) => only)], { error: "must be one text" }),
  suffix: z.string().nullish(),
  max_tokens: tokens,
  ...wanted,
  n: several,
  best_of: only(1),
  echo: only(false),
  logprobs: never(),
  logit_bias: never(),
  presence_penalty: only(0),
  frequency_penalty: only(0),
};
const common = z.object(textCompletionBody);
export type TextCompletion = z.output<typeof common>;

export const textCompletionAnswer = z.object({
  id: z.string(),
  object: z.literal("text_completion"),
  created: z.number(),
  model: z.string(),
  choices: z.array(
    z.object({ index: z.number(), text: z.string(), logprobs: z.null(), finish_reason: z.enum(["stop", "length"]).nullable() }),
  ),
  usage: usageAnswer.loose().optional(),
});

/** OpenAI's documented default. */
const tokensLeftOut = 16;

export const wishOf = (body: TextCompletion): Wish => ({
  prefix: body.prompt,
  suffix: body.suffix,
  model: body.model,
  sampling: {
    maxTokens: body.max_tokens ?? tokensLeftOut,
    temperature: body.temperature,
    topP: body.top_p,
    topK: body.top_k,
    seed: body.seed,
    stop: body.stop,
  },
  n: body.n,
  shape: "raw",
  user: body.user,
  terms: { prefix: "prompt" },
});

const choice = (index: number, text: string, ending: Ending | undefined) => ({
  index,
  text,
  logprobs: null,
  finish_reason: ending ? finishOf(ending) : null,
});

/** `usageFor`: as this API counts. */
export async function completeText(
  call: Call<TextCompletion>,
  wish: Wish,
  api: Api,
  usageFor: (ending: Ending) => object = usageOf,
): Promise<unknown> {
  const { router, body, tenant } = call;
  const trigger = triggerOf(call, wish);
  const answer = { id: `cmpl-${trigger.id}`, object: "text_completion", created: Math.floor(router.clock.wall() / 1000) };
  if (!body.stream) {
    const { text, ending } = await whole(call, trigger, { api });
    const texts = [text, ...(ending.alternatives ?? [])];
    const choices = texts.map((each, index) => choice(index, each, ending));
    return { ...answer, model: ending.model ?? trigger.model, choices, usage: usageFor(ending) };
  }
  const model = trigger.model || (router.models(tenant)[0] ?? "");
  const event = (value: object) => `data: ${JSON.stringify({ ...answer, model, ...value })}\n\n`;
  const manner: Manner = {
    api,
    type: "text/event-stream",
    last: "data: [DONE]\n\n",
    piece: (text) => event({ choices: [choice(0, text, undefined)] }),
    end: ({ ending }: Ended) => {
      const others = (ending.alternatives ?? []).map((text, i) => event({ choices: [choice(i + 1, text, ending)] }));
      const usage = body.stream_options?.include_usage ? event({ choices: [], usage: usageFor(ending) }) : "";
      return `${event({ choices: [choice(0, "", ending)] })}${others.join("")}${usage}data: [DONE]\n\n`;
    },
  };
  return streamed(call, trigger, manner);
}
