// route: the nouns of the HTTP port: an endpoint as a row of the one table of routes (routes.ts), from which the server, the
// OpenAPI document and the tests are made, and a call of it, whose body has been checked.
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Router } from "../router.ts";

/** Whose clients an endpoint is for: it decides the shape of errors and of streams. */
export const apis = {
  openai: "OpenAI",
  llama: "llama.cpp",
  mistral: "Mistral",
  deepseek: "DeepSeek",
  ollama: "Ollama",
  tabby: "Tabby",
} as const;
export type Api = keyof typeof apis;

/** One call of an endpoint. */
export interface Call<Body = undefined> {
  readonly router: Router;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly tenant: string;
  readonly body: Body;
}

export interface Route {
  readonly api: Api;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly summary: string;
  /** Nobody is asked who they are. */
  readonly open?: boolean;
  /** Absent: it has none. */
  readonly body?: z.ZodType;
  /** Of several routes of one path: is it this one's body? The one without takes the rest. */
  readonly told?: (body: object) => boolean;
  readonly answer: z.ZodType;
  readonly streams?: "text/event-stream" | "application/x-ndjson";
  readonly handle: (call: Call<never>) => unknown;
}

/** A row whose handler gets what its schema makes of the body. */
export function post<B extends z.ZodType>(
  api: Api,
  path: string,
  row: Omit<Route, "api" | "method" | "path" | "body" | "handle"> & {
    readonly body: B;
    readonly handle: (call: Call<z.output<B>>) => unknown;
  },
): Route {
  return { ...row, api, path, method: "POST" };
}

export function get(
  api: Api,
  path: string,
  row: Omit<Route, "api" | "method" | "path" | "body" | "told" | "handle"> & { readonly handle: (call: Call) => unknown },
): Route {
  return { ...row, api, path, method: "GET" };
}
