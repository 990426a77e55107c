// llama: llama.cpp's own endpoints in, answers as llama.vscode, llama.vim and Continue's llama.cpp provider read them out:
// `/infill` for editors, `/completion` for prompts, and what clients look at first. Slots are the workers' business here: `id_slot`
// is taken and means nothing, so that two people never fight for slot 0. A client that never cancels is understood all the same.
import { create } from "@bufbuild/protobuf";
import { z } from "zod";
import { SlipstreamError } from "../../../lib/errors.ts";
import { version } from "../../../lib/version.ts";
import { GenerateRequestSchema } from "../../../proto/gen/slipstream/v1/completion_pb.ts";
import { only } from "../fields.ts";
import { messages, turnsOf } from "../messages.ts";
import { type Call, get, post, type Route } from "../route.ts";
import { answer, llamaAnswer } from "./answers.ts";
import { deadlineOf, llamaFields, samplingOf, terms } from "./sampling.ts";
import { tokenize } from "./tokenize.ts";

/** Chunks that one request may carry; the last ones are the newest. */
const extraMax = 64;

const infillBody = z.object({
  ...llamaFields,
  input_prefix: z.string({ error: "must be a text" }),
  input_suffix: z.string({ error: "must be a text" }),
  input_extra: z.array(z.object({ text: z.string(), filename: z.string().nullish() })).nullish(),
  /** Of the current line, what stands before the cursor. */
  prompt: z.string().nullish(),
});

const completionBody = z.object({ ...llamaFields, prompt: z.string({ error: "must be one text" }) });

const completion = {
  summary: "Completes a prompt; a raw infilling prompt is taken apart.",
  body: completionBody,
  answer: llamaAnswer,
  streams: "text/event-stream",
  handle: (call: Call<z.output<typeof completionBody>>) => {
    const { body } = call;
    const wish = { prefix: body.prompt, model: body.model ?? "", anyModel: true, n: body.n_cmpl, shape: "raw" as const, terms };
    const deadlineMs = deadlineOf(body);
    return answer(call, { ...wish, sampling: samplingOf(body), warm: body.n_predict === 0, deadlineMs }, body.n_predict === 0);
  },
} as const;

export const llamaRoutes: readonly Route[] = [
  post("llama", "/infill", {
    summary: "Completes at a cursor, for editors; with `n_predict` 0 the prompt is only computed ahead.",
    body: infillBody,
    answer: llamaAnswer,
    streams: "text/event-stream",
    handle: (call) => {
      const { body } = call;
      const files = (body.input_extra ?? []).slice(-extraMax).map(({ text, filename }) => ({ text, path: filename ?? "" }));
      const warm = body.n_predict === 0;
      return answer(
        call,
        {
          prefix: body.input_prefix + (body.prompt ?? ""),
          suffix: body.input_suffix,
          files,
          model: body.model ?? "",
          anyModel: true,
          sampling: samplingOf(body),
          n: body.n_cmpl,
          shape: "block",
          warm,
          deadlineMs: warm ? 0 : deadlineOf(body),
          terms: { ...terms, prefix: "input_prefix", suffix: "input_suffix", snippets: "input_extra" },
        },
        true,
      );
    },
  }),
  post("llama", "/completion", completion),
  post("llama", "/completions", completion),
  post("llama", "/apply-template", {
    summary: "A conversation as the model would be given it.",
    body: z.object({ messages }),
    answer: z.object({ prompt: z.string() }),
    handle: ({ router, body }) => ({
      prompt: router.ingress.conversation(create(GenerateRequestSchema, { messages: turnsOf(body.messages) })),
    }),
  }),
  post("llama", "/tokenize", {
    summary: "The tokens of a text, as the model's worker has them.",
    body: z.object({
      content: z.string({ error: "must be a text" }),
      add_special: only(false),
      parse_special: z.boolean().nullish(),
      with_pieces: z.boolean().nullish(),
    }),
    answer: z.object({
      tokens: z.array(z.union([z.number(), z.object({ id: z.number(), piece: z.union([z.string(), z.array(z.number())]) })])),
    }),
    handle: tokenize,
  }),
  get("llama", "/health", {
    summary: "Is a worker linked?",
    open: true,
    answer: z.object({ status: z.literal("ok") }),
    handle: ({ router }) => {
      if (router.missing().length > 0) throw new SlipstreamError("no_worker", "Loading model", { retryAfterMs: 1_000 });
      return { status: "ok" };
    },
  }),
  get("llama", "/props", {
    summary: "What there is to work with: model, context, slots.",
    answer: z.object({
      default_generation_settings: z.looseObject({ n_ctx: z.number() }),
      total_slots: z.number(),
      model_alias: z.string(),
      model_path: z.string(),
      chat_template: z.string(),
      modalities: z.object({ vision: z.literal(false), audio: z.literal(false) }),
      build_info: z.string(),
      is_sleeping: z.literal(false),
    }),
    handle: ({ router, tenant }) => {
      const [model = ""] = router.models(tenant);
      const served = router.rooms.fleet.model(model);
      const { inline } = router.ingress.tokensMax;
      const params = { n_predict: inline, temperature: 0, top_k: 0, top_p: 1, stop: [], max_tokens: inline };
      return {
        default_generation_settings: { n_ctx: served?.contextTokens ?? 0, params },
        total_slots: router.rooms.fleet.snapshot().slots.all,
        model_alias: model,
        // Where a worker has its weights is its own affair.
        model_path: model,
        chat_template: "",
        modalities: { vision: false, audio: false },
        build_info: `slipstream ${version}`,
        is_sleeping: false,
      };
    },
  }),
];
