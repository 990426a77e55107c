// refusals: an error of our table in, status and body as the clients of an API read them out. The message names the field; what
// is a mistake of ours tells only that.
import { z } from "zod";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Api } from "./route.ts";

export interface Refusal {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const messageOf = (error: SlipstreamError) => (error.code === "internal" ? "internal error; see the server's log" : error.message);

const json = (status: number, body: unknown): Refusal => ({
  status,
  type: "application/json; charset=utf-8",
  body: JSON.stringify(body),
});

/** OpenAI's own words by status; the code is ours. */
const openAiTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
};
const openAiType = (status: number) => openAiTypes[status] ?? (status < 500 ? "invalid_request_error" : "server_error");

const llamaTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "unavailable_error",
  501: "not_supported_error",
  503: "unavailable_error",
};
const llamaType = (status: number) => llamaTypes[status] ?? (status < 500 ? "invalid_request_error" : "server_error");

const openAiError = (error: SlipstreamError) => ({
  error: { message: messageOf(error), type: openAiType(error.row.http), param: error.field ?? null, code: error.code },
});

const shapes: Readonly<Record<Api, (error: SlipstreamError) => Refusal>> = {
  openai: (error) => json(error.row.http, openAiError(error)),
  deepseek: (error) => json(error.row.http, openAiError(error)),
  llama: (error) =>
    json(error.row.http, { error: { code: error.row.http, message: messageOf(error), type: llamaType(error.row.http) } }),
  // Its server validates with FastAPI, whose 422 lists the fields; all else is an object of its own.
  mistral: (error) =>
    error.code === "invalid_request"
      ? json(422, { detail: [{ type: "value_error", loc: ["body", ...(error.field?.split(".") ?? [])], msg: error.message }] })
      : json(error.row.http, {
          ...{ object: "error", message: messageOf(error), type: openAiType(error.row.http) },
          ...{ param: error.field ?? null, code: error.code },
        }),
  ollama: (error) => json(error.row.http, { error: messageOf(error) }),
  // Its clients show the body as it is.
  tabby: (error) => ({ status: error.row.http, type: "text/plain; charset=utf-8", body: messageOf(error) }),
};

const openAiShape = z.object({
  error: z.object({ message: z.string(), type: z.string(), param: z.string().nullable(), code: z.string() }),
});

/** The shapes above. */
export const errorAnswers: Readonly<Record<Api, z.ZodType>> = {
  openai: openAiShape,
  deepseek: openAiShape,
  llama: z.object({ error: z.object({ code: z.number(), message: z.string(), type: z.string() }) }),
  mistral: z.union([
    z.object({ detail: z.array(z.object({ type: z.string(), loc: z.array(z.string()), msg: z.string() })) }),
    z.object({
      object: z.literal("error"),
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string(),
    }),
  ]),
  ollama: z.object({ error: z.string() }),
  tabby: z.string(),
};

export function refusalOf(api: Api, error: SlipstreamError): Refusal {
  return shapes[api](error);
}

/** As an event of a stream that had begun: its headers have said 200 already. */
export function errorEvent(api: Api, error: SlipstreamError): string {
  const { body } = refusalOf(api === "mistral" || api === "tabby" ? "openai" : api, error);
  return api === "ollama" ? `${body}\n` : `data: ${body}\n\n`;
}

/** Fastify's own refusals (malformed JSON, too large, wrong type) as ours. */
export function fromHttp(thrown: unknown): SlipstreamError {
  const status = (thrown as { statusCode?: number }).statusCode;
  if (thrown instanceof SlipstreamError || status === undefined || status >= 500) return SlipstreamError.from(thrown);
  return new SlipstreamError("invalid_request", `body: ${thrown instanceof Error ? thrown.message : "is malformed"}`, {
    field: "body",
    cause: thrown,
  });
}
