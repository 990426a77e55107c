// openapi: the table of routes as an OpenAPI 3.1 document: every field of every body as it is checked, every answer as it is
// made. Served at /openapi.json, and kept as docs/reference/openapi.json. Pure.
import { z } from "zod";
import { version } from "../../lib/version.ts";
import { errorAnswers } from "./refusals.ts";
import { type Api, apis, type Route } from "./route.ts";
import { routes as everyRoute } from "./routes.ts";

type Json = Record<string, unknown>;

const bodySchema = (schema: z.ZodType) => schemaOf(schema, "input");
const answerSchema = (schema: z.ZodType) => schemaOf(schema, "output");

function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, target: "draft-2020-12", unrepresentable: "any" });
  return rest;
}

const either = (schemas: readonly Json[]): Json => (schemas.length === 1 ? (schemas[0] as Json) : { anyOf: schemas });

export function openApi(routes: readonly Route[] = everyRoute): Json {
  const paths: Record<string, Json> = {};
  for (const { path, method } of routes) {
    const rows = routes.filter((row) => row.path === path && row.method === method);
    const written = path.replace(/:(\w+)/g, "{$1}");
    paths[written] = { ...paths[written], [method.toLowerCase()]: operationOf(written, rows) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Slipstream, compatible HTTP endpoints",
      version,
      summary: "Code completion for clients of OpenAI, llama.cpp, Mistral, DeepSeek, Ollama and Tabby.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: Object.entries(apis).map(([, name]) => ({ name })),
    security: [{ bearer: [] }, { "x-api-key": [] }, { "api-key": [] }, {}],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        "x-api-key": { type: "apiKey", in: "header", name: "X-API-Key" },
        "api-key": { type: "apiKey", in: "header", name: "api-key" },
      },
      schemas: Object.fromEntries(
        Object.entries(errorAnswers).map(([api, schema]) => [errorName(api as Api), answerSchema(schema)]),
      ),
    },
  };
}

const errorName = (api: Api) => `${api}_error`;

/** `rows`: every route of the path and method. */
function operationOf(path: string, rows: readonly Route[]): Json {
  const bodies = rows.flatMap(({ body }) => (body ? [bodySchema(body)] : []));
  const streams = [...new Set(rows.flatMap((row) => row.streams ?? []))];
  const text = rows.some(({ answer }) => answer instanceof z.ZodLiteral);
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const [{ api, method } = { api: "openai", method: "GET" }] = rows;
  return {
    operationId: `${method.toLowerCase()}${path.replace(/\W+/g, "_")}`,
    tags: [...new Set(rows.map((row) => apis[row.api]))],
    summary: rows.map((row) => (rows.length === 1 ? row.summary : `${apis[row.api]}: ${row.summary}`)).join(" "),
    ...(rows.every(({ open }) => open) ? { security: [{}] } : {}),
    ...(names.length > 0
      ? { parameters: names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })) }
      : {}),
    ...(bodies.length > 0 ? { requestBody: { required: true, content: { "application/json": { schema: either(bodies) } } } } : {}),
    responses: {
      200: {
        description: streams.length > 0 ? "Whole, or a stream where `stream` says so." : "As asked.",
        content: {
          [text ? "text/plain" : "application/json"]: { schema: either(rows.map(({ answer }) => answerSchema(answer))) },
          ...Object.fromEntries(streams.map((type) => [type, { schema: { type: "string" } }])),
        },
      },
      default: errorOf(rows.length > 1 ? [...new Set(rows.map((row) => row.api))] : [api as Api]),
    },
  };
}

function errorOf(of: readonly Api[]): Json {
  const asText = of.filter((api) => api === "tabby");
  const asJson = of.filter((api) => api !== "tabby");
  const refs = asJson.map((api) => ({ $ref: `#/components/schemas/${errorName(api)}` }));
  return {
    description: "A refusal or a failure (docs/reference/errors.md); 429 and 503 say with Retry-After when to ask again.",
    content: {
      ...(refs.length > 0 ? { "application/json": { schema: either(refs) } } : {}),
      ...(asText.length > 0 ? { "text/plain": { schema: { $ref: `#/components/schemas/${errorName("tabby")}` } } } : {}),
    },
  };
}
