// chat: `/v1/chat/completions`: messages in, one text out, whole or as chunks, in the chat lane and its pool.
import { create } from "@bufbuild/protobuf";
import { z } from "zod";
import { GenerateRequestSchema } from "../../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Trigger } from "../../completion.ts";
import { streamed, whole } from "../answer.ts";
import { leaving } from "../caller.ts";
import { never, only, tokensOrAll, wanted } from "../fields.ts";
import { messages, turnsOf } from "../messages.ts";
import type { Call } from "../route.ts";
import { finishOf, usageAnswer, usageOf } from "../usage.ts";
import { admitted, inTermsOf, modelOf, samplingOf } from "../wish.ts";

export const chatBody = z.object({
  model: z.string().default(""),
  messages,
  // llama.cpp's editors say -1 for no bound.
  max_tokens: tokensOrAll,
  max_completion_tokens: tokensOrAll,
  ...wanted,
  n: only(1),
  logprobs: only(false),
  top_logprobs: never(),
  logit_bias: never(),
  presence_penalty: only(0),
  frequency_penalty: only(0),
  tools: z.array(z.unknown()).max(0, "is not supported").nullish(),
  response_format: z.object({ type: z.literal("text", { error: "only text is supported" }) }).nullish(),
});

export const chatAnswer = z.object({
  id: z.string(),
  object: z.literal("chat.completion"),
  created: z.number(),
  model: z.string(),
  choices: z.array(
    z.object({
      index: z.literal(0),
      message: z.object({ role: z.literal("assistant"), content: z.string() }),
      logprobs: z.null(),
      finish_reason: z.enum(["stop", "length"]),
    }),
  ),
  usage: usageAnswer,
});

type Body = z.output<typeof chatBody>;

export async function chat(call: Call<Body>): Promise<unknown> {
  const { router, body, tenant } = call;
  const trigger = triggerOf(call);
  const answer = { id: `chatcmpl-${trigger.id}`, created: Math.floor(router.clock.wall() / 1000) };
  if (!body.stream) {
    const { text, ending } = await whole(call, trigger, { api: "openai" });
    const told = { role: "assistant", content: text };
    const choices = [{ index: 0, message: told, logprobs: null, finish_reason: finishOf(ending) }];
    return { ...answer, object: "chat.completion", model: ending.model ?? trigger.model, choices, usage: usageOf(ending) };
  }
  const model = trigger.model || (router.models(tenant)[0] ?? "");
  const event = (value: object) => `data: ${JSON.stringify({ ...answer, object: "chat.completion.chunk", model, ...value })}\n\n`;
  const delta = (given: object, finish_reason: string | null) => ({
    choices: [{ index: 0, delta: given, logprobs: null, finish_reason }],
  });
  return streamed(call, trigger, {
    api: "openai",
    type: "text/event-stream",
    last: "data: [DONE]\n\n",
    piece: (content, first) => event(delta(first ? { role: "assistant", content } : { content }, null)),
    end: ({ ending }) => {
      const usage = body.stream_options?.include_usage ? event({ choices: [], usage: usageOf(ending) }) : "";
      return `${event(delta({}, finishOf(ending)))}${usage}data: [DONE]\n\n`;
    },
  });
}

function triggerOf(call: Call<Body>): Trigger {
  const { router, body, tenant, reply } = call;
  return inTermsOf({}, () => {
    const model = modelOf(call, body);
    const request = create(GenerateRequestSchema, {
      messages: turnsOf(body.messages),
      model,
      sampling: samplingOf(
        {
          maxTokens: body.max_completion_tokens ?? body.max_tokens,
          temperature: body.temperature,
          topP: body.top_p,
          topK: body.top_k,
          seed: body.seed,
          stop: body.stop,
        },
        router.ingress.tokensMax.chat,
        false,
      ),
    });
    return admitted(call, () => router.ingress.generate(request, tenant, leaving(reply)), "chat");
  });
}
