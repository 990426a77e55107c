// mistral: `/v1/fim/completions`, and without the version, in; a chat completion's shape out, as Mistral's clients and those who
// took its Codestral up read it: text in `message.content`, streamed in `delta.content`, usage with the last event.
import { z } from "zod";
import { streamed, whole } from "../answer.ts";
import { only, stops, tokens } from "../fields.ts";
import { type Call, post, type Route } from "../route.ts";
import { finishOf, usageAnswer, usageOf } from "../usage.ts";
import { triggerOf } from "../wish.ts";

const body = z.object({
  model: z.string().default(""),
  prompt: z.string({ error: "must be a text" }),
  suffix: z.string().nullish(),
  max_tokens: tokens,
  min_tokens: only(0),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  random_seed: z.number().int().min(0, "must be at least 0").nullish(),
  stop: stops,
  stream: z.boolean().nullish(),
});
type Body = z.output<typeof body>;

const answer = z.object({
  id: z.string(),
  object: z.literal("chat.completion"),
  created: z.number(),
  model: z.string(),
  choices: z.array(
    z.object({
      index: z.literal(0),
      message: z.object({ role: z.literal("assistant"), content: z.string(), tool_calls: z.null() }),
      finish_reason: z.enum(["stop", "length"]),
    }),
  ),
  usage: usageAnswer,
});

async function fim(call: Call<Body>): Promise<unknown> {
  const { router, body: asked, tenant } = call;
  const trigger = triggerOf(call, {
    prefix: asked.prompt,
    suffix: asked.suffix,
    model: asked.model,
    sampling: {
      maxTokens: asked.max_tokens ?? -1,
      temperature: asked.temperature,
      topP: asked.top_p,
      seed: asked.random_seed,
      stop: asked.stop,
    },
    shape: "raw",
    terms: { prefix: "prompt", "sampling.seed": "random_seed" },
  });
  const told = { id: `cmpl-${trigger.id}`, created: Math.floor(router.clock.wall() / 1000) };
  if (!asked.stream) {
    const { text, ending } = await whole(call, trigger, { api: "mistral" });
    const message = { role: "assistant", content: text, tool_calls: null };
    const choices = [{ index: 0, message, finish_reason: finishOf(ending) }];
    return { ...told, object: "chat.completion", model: ending.model ?? trigger.model, choices, usage: usageOf(ending) };
  }
  const model = trigger.model || (router.models(tenant)[0] ?? "");
  const event = (delta: object, finish_reason: string | null, more: object = {}) =>
    `data: ${JSON.stringify({ ...told, object: "chat.completion.chunk", model, choices: [{ index: 0, delta, finish_reason }], ...more })}\n\n`;
  return streamed(call, trigger, {
    api: "mistral",
    type: "text/event-stream",
    last: "data: [DONE]\n\n",
    piece: (content, first) => event(first ? { role: "assistant", content } : { content }, null),
    end: ({ ending }) => `${event({ content: "" }, finishOf(ending), { usage: usageOf(ending) })}data: [DONE]\n\n`,
  });
}

const row = {
  summary: "Completes between `prompt` and `suffix`.",
  body,
  answer,
  streams: "text/event-stream",
  handle: fim,
} as const;

export const mistralRoutes: readonly Route[] = [
  post("mistral", "/v1/fim/completions", row),
  post("mistral", "/fim/completions", row),
];
