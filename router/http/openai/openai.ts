// openai: `/v1/completions` with a working `suffix`, `/v1/chat/completions` and `/v1/models` in, answers as OpenAI's clients read
// them out. Copilot's editors ask `/v1/engines/ENGINE/completions`, with the language and other code in `extra`. Fields are
// honoured or refused by name. Text is raw: it ends at `stop`, `max_tokens` or the model's own end.
import { z } from "zod";
import { SlipstreamError } from "../../../lib/errors.ts";
import { type Call, get, post, type Route } from "../route.ts";
import { completeText, textCompletionAnswer, textCompletionBody, wishOf } from "../text-completion.ts";
import { isDefault } from "../wish.ts";
import { chat, chatAnswer, chatBody } from "./chat.ts";

const body = z.object(textCompletionBody);

/** What Copilot's editors send beside a completion's own fields. */
const engineBody = z.object({
  ...textCompletionBody,
  extra: z
    .object({
      language: z.string().nullish(),
      context: z.array(z.string()).nullish(),
    })
    .nullish(),
});

const model = z.object({
  id: z.string(),
  object: z.literal("model"),
  created: z.number(),
  owned_by: z.string(),
  max_model_len: z.number().optional(),
  // Mistral's clients read a model's card from the same path.
  type: z.literal("base"),
  capabilities: z.record(z.string(), z.boolean()),
});
const capabilities = { completion_chat: true, completion_fim: true, function_calling: false, fine_tuning: false, vision: false };

export const openAiRoutes: readonly Route[] = [
  post("openai", "/v1/completions", {
    summary: "Completes a prompt, before a `suffix` where there is one; a raw infilling prompt is taken apart.",
    body,
    answer: textCompletionAnswer,
    streams: "text/event-stream",
    handle: (call) => completeText(call, wishOf(call.body), "openai"),
  }),
  post("openai", "/v1/engines/:engine/completions", {
    summary: "The same for Copilot's editors: whatever engine they name is the tenant's default model.",
    body: engineBody,
    answer: textCompletionAnswer,
    streams: "text/event-stream",
    handle: (call) => {
      const { extra } = call.body;
      const files = (extra?.context ?? []).map((text) => ({ path: "", text }));
      const { engine } = call.request.params as { engine: string };
      const wish = { ...wishOf(call.body), model: engine, anyModel: true, language: extra?.language ?? "", files };
      return completeText(
        call,
        { ...wish, terms: { prefix: "prompt", language: "extra.language", snippets: "extra.context" } },
        "openai",
      );
    },
  }),
  post("openai", "/v1/chat/completions", {
    summary: "Chat: messages in, text out, in the chat lane.",
    body: chatBody,
    answer: chatAnswer,
    streams: "text/event-stream",
    handle: chat,
  }),
  get("openai", "/v1/models", {
    summary: "The models that the caller may name.",
    answer: z.object({ object: z.literal("list"), data: z.array(model) }),
    handle: (call) => ({ object: "list", data: call.router.models(call.tenant).map((id) => modelOf(call, id)) }),
  }),
  get("openai", "/v1/models/:model", {
    summary: "One of them.",
    answer: model,
    handle: (call) => {
      const { model: id } = call.request.params as { model: string };
      const names = call.router.models(call.tenant);
      if (names.includes(id)) return modelOf(call, id);
      const [first] = names;
      // A client that asks for its model's card finds it by the name that it completes with.
      if (isDefault(id) && first !== undefined) return { ...modelOf(call, first), id };
      throw new SlipstreamError("not_found", `model: there is no "${id.slice(0, 128)}"`, { field: "model" });
    },
  }),
];

function modelOf({ router }: Call<unknown>, id: string) {
  const served = router.rooms.fleet.model(id);
  return {
    id,
    object: "model",
    created: 0,
    owned_by: "slipstream",
    type: "base",
    capabilities,
    ...(served ? { max_model_len: served.contextTokens } : {}),
  };
}
