// openai: `POST /v1/completions` with a working `suffix`, streaming and not, and `GET /v1/models`, by the same path as
// everything else. Fields are honoured or refused by name. Text is raw: it ends at `stop`, `max_tokens` or the model's own end.
import { create } from "@bufbuild/protobuf";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { SlipstreamError } from "../../lib/errors.ts";
import { readRaw } from "../../lib/fim/raw-request.ts";
import { CompleteRequestSchema, SamplingSchema, Shape, TriggerKind } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Ending, Milestones, Trigger } from "../completion.ts";
import type { Router } from "../wire.ts";
import { tenantOf } from "./caller.ts";

const absent = () => z.null({ error: "is not supported" }).optional();

const body = z.object({
  model: z.string().default(""),
  prompt: z.union([z.string(), z.tuple([z.string()]).transform(([only]) => only)], { error: "must be one string" }),
  suffix: z.string().nullish(),
  max_tokens: z.number().int().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().int().nullish(),
  seed: z.number().int().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  user: z.string().nullish(),
  n: z.literal(1, { error: "only 1 is supported" }).nullish(),
  best_of: z.literal(1, { error: "only 1 is supported" }).nullish(),
  echo: z.literal(false, { error: "is not supported" }).nullish(),
  logprobs: absent(),
  logit_bias: absent(),
  presence_penalty: z.literal(0, { error: "is not supported" }).nullish(),
  frequency_penalty: z.literal(0, { error: "is not supported" }).nullish(),
});
type Body = z.infer<typeof body>;

type Path = ReturnType<Router["run"]>;

const finishReasons = { stop: "stop", cut: "stop", length: "length", deadline: "length" } as const;

export function addOpenAi(app: FastifyInstance, router: Router): void {
  app.get("/v1/models", (request) => {
    const data = router
      .models(tenantOf(router, request))
      .map((id) => ({ id, object: "model", created: 0, owned_by: "slipstream" }));
    return { object: "list", data };
  });

  app.post("/v1/completions", async (request, reply) => {
    const asked = parse(request.body);
    const tenant = tenantOf(router, request);
    const trigger = inOpenAiTerms(() => toTrigger(router, asked, tenant, leaving(request), whoAsks(request, asked)));
    const at: Milestones = {};
    const answer = { id: `cmpl-${trigger.id}`, object: "text_completion", created: Math.floor(router.clock.wall() / 1000) };
    const path = router.run(trigger, at, [request.headers["traceparent"]].flat()[0]);
    return asked.stream ? stream(router, trigger, path, answer, asked, reply) : whole(trigger, path, answer);
  });
}

/** Aborts when the client leaves before it has its answer. */
function leaving(request: FastifyRequest): AbortSignal {
  const controller = new AbortController();
  request.raw.socket.once("close", () => controller.abort(new SlipstreamError("cancelled", "the client went away")));
  return controller.signal;
}

function parse(given: unknown): Body {
  const parsed = body.safeParse(given ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join(".") || "body";
  throw new SlipstreamError("invalid_request", `${field}: ${issue?.message ?? "is malformed"}`, { field });
}

/**
 * A client asks anew on another connection while the one before still waits, so that only the address tells it from others;
 * a proxy says for whom it calls.
 */
function whoAsks(request: FastifyRequest, asked: Body): string {
  const { "x-forwarded-for": forwarded, "user-agent": agent } = request.headers;
  return JSON.stringify([request.ip, forwarded, agent, asked.user]);
}

function toTrigger(router: Router, asked: Body, tenant: string, caller: AbortSignal, who: string): Trigger {
  const request = create(CompleteRequestSchema, {
    prefix: asked.prompt,
    suffix: asked.suffix ?? "",
    kind: TriggerKind.INVOKED,
    shape: Shape.BLOCK,
    stream: true,
    model: router.models(tenant).includes(asked.model) ? asked.model : otherModel(router, tenant, asked.model),
    sampling: create(SamplingSchema, {
      // 16 is OpenAI's documented default.
      maxTokens: Math.max(0, asked.max_tokens ?? 16),
      temperature: asked.temperature ?? 0,
      topP: asked.top_p ?? 1,
      topK: Math.max(0, asked.top_k ?? 0),
      ...(asked.seed == null ? {} : { seed: BigInt(Math.abs(asked.seed)) }),
      stop: asked.stop == null ? [] : [asked.stop].flat(),
    }),
  });
  // Without a suffix it is no cursor in a text, and evaluations ask such things side by side; or it is a prompt that the client
  // rendered for a model, which says where the cursor is.
  const raw = asked.suffix == null ? readRaw(request) : undefined;
  const place = raw === undefined || raw.reading === "prompt" ? who : "";
  const trigger = router.ingress.complete(raw?.request ?? request, tenant, caller, place, { raw: false });
  return { ...trigger, shape: "raw", ...(raw?.reading === "whole" ? { verbatim: true } : {}) };
}

/** Ingress names fields as our own messages do; here they are said as the caller wrote them. */
function inOpenAiTerms<T>(check: () => T): T {
  try {
    return check();
  } catch (thrown) {
    const error = SlipstreamError.from(thrown);
    const field = error.field === "prefix" ? "prompt" : error.field?.replace(/^sampling\./, "");
    if (field === undefined || error.field === undefined) throw error;
    const message = error.message.startsWith(error.field) ? field + error.message.slice(error.field.length) : error.message;
    throw new SlipstreamError(error.code, message, { field, cause: error });
  }
}

/** A name the fleet does not know is refused; no name, and names people leave in configurations, mean the default. */
function otherModel(router: Router, tenant: string, model: string): string {
  const names = router.models(tenant);
  if (model === "" || model === "slipstream" || model === "default" || names.length === 0) return "";
  // Where the policy names what this tenant may use, ingress says whether this is a model of it.
  if (router.policy.of(tenant).models) return model;
  throw new SlipstreamError("not_found", `model: no worker serves "${model}"; there are: ${names.join(", ")}`, {
    field: "model",
  });
}

const usageOf = ({ usage }: Ending) => ({
  prompt_tokens: usage.promptTokens,
  completion_tokens: usage.completionTokens,
  total_tokens: usage.promptTokens + usage.completionTokens,
  prompt_tokens_details: { cached_tokens: usage.cachedTokens },
});

/** Endings that say why there is no text become HTTP errors; an empty completion is an answer. */
function errorOf(ending: Ending): SlipstreamError | undefined {
  if (ending.error) return ending.error;
  const detail = ending.detail ?? ending.reason ?? ending.outcome;
  const retry = ending.retryAfterMs === undefined ? {} : { retryAfterMs: ending.retryAfterMs };
  if (ending.outcome === "refused")
    return new SlipstreamError(ending.reason === "quota" ? "overloaded" : "invalid_request", detail, retry);
  if (ending.outcome === "gated") return new SlipstreamError("overloaded", detail, retry);
  if (ending.outcome === "expired") return new SlipstreamError("deadline_exceeded", "no text before the deadline");
  if (ending.outcome === "cancelled" || ending.outcome === "superseded") return new SlipstreamError("cancelled", detail);
  return undefined;
}

const choice = (text: string, ending: Ending | undefined) => ({
  index: 0,
  text,
  logprobs: null,
  finish_reason: ending ? finishReasons[ending.finish ?? "stop"] : null,
});

async function whole(trigger: Trigger, path: Path, answer: object): Promise<object> {
  let text = "";
  for (;;) {
    const step = await path.next();
    if (!step.done) {
      text += step.value.text;
      continue;
    }
    const error = errorOf(step.value);
    if (error) throw error;
    return { ...answer, model: step.value.model ?? trigger.model, choices: [choice(text, step.value)], usage: usageOf(step.value) };
  }
}

async function stream(
  router: Router,
  trigger: Trigger,
  path: Path,
  answer: object,
  asked: Body,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const model = trigger.model || (router.models(trigger.tenant)[0] ?? "");
  const event = (value: object) => `data: ${JSON.stringify({ ...answer, model, ...value })}\n\n`;
  // The first step decides between an HTTP error and a stream: after the headers it is too late for a status.
  const first = await path.next();
  const early = first.done ? errorOf(first.value) : undefined;
  if (early) throw early;
  reply.hijack();
  reply.raw.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  for (let step = first; ; step = await path.next()) {
    if (!step.done) {
      if (!reply.raw.write(event({ choices: [choice(step.value.text, undefined)] }))) await drained(reply, trigger.signal);
      continue;
    }
    const error = errorOf(step.value);
    if (error) reply.raw.write(event({ error: { message: error.message, code: error.code } }));
    else {
      reply.raw.write(event({ choices: [choice("", step.value)] }));
      if (asked.stream_options?.include_usage) reply.raw.write(event({ choices: [], usage: usageOf(step.value) }));
    }
    reply.raw.end("data: [DONE]\n\n");
    return reply;
  }
}

function drained(reply: FastifyReply, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    reply.raw.once("drain", resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
