// serving: the table of routes made into a server's paths. Who calls is known before a body is read; of several routes of one
// path the body's shape decides; errors are told as the clients of that API read them.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Router } from "../router.ts";
import { tenantOf } from "./caller.ts";
import { parsed } from "./fields.ts";
import { fromHttp, refusalOf } from "./refusals.ts";
import type { Api, Call, Route } from "./route.ts";
import { routes as everyRoute } from "./routes.ts";

/** What is known of a request besides what it holds. */
const known = new WeakMap<FastifyRequest, { tenant: string; api: Api }>();

export function serve(app: FastifyInstance, router: Router, routes: readonly Route[] = everyRoute): void {
  readBodies(app);
  app.setErrorHandler((thrown: unknown, request, reply) => {
    const error = fromHttp(thrown);
    if (error.code === "internal") router.log.error({ err: error.cause ?? error }, "an HTTP request failed");
    const { status, type, body } = refusalOf(known.get(request)?.api ?? apiOf(request.url), error);
    const retryMs = error.retryAfterMs ?? (status === 429 || status === 503 ? 1_000 : undefined);
    if (retryMs !== undefined) void reply.header("retry-after", Math.max(1, Math.ceil(retryMs / 1000)));
    return reply.code(status).type(type).send(body);
  });
  app.setNotFoundHandler((request) => {
    throw new SlipstreamError("not_found", `no such path: ${request.method} ${request.url.slice(0, 200)}`);
  });
  for (const route of routes) {
    const rows = routes.filter(({ method, path }) => method === route.method && path === route.path);
    if (rows[0] === route) add(app, router, route, rows);
  }
}

/** `rows`: every route of the path, this one first. */
function add(app: FastifyInstance, router: Router, { api, method, path }: Route, rows: readonly Route[]): void {
  const open = rows.every((row) => row.open);
  app.route({
    method,
    url: path,
    onRequest: (request, _reply, done) => {
      known.set(request, { tenant: "", api });
      known.set(request, { tenant: open ? "" : tenantOf(router, request), api });
      done();
    },
    handler: (request, reply) => handle(router, request, reply, rows),
  });
}

async function handle(router: Router, request: FastifyRequest, reply: FastifyReply, rows: readonly Route[]): Promise<unknown> {
  const { body } = request;
  const shape = typeof body === "object" && body !== null ? body : {};
  const row = rows.find(({ told }) => told?.(shape)) ?? rows.find(({ told }) => !told) ?? (rows[0] as Route);
  const tenant = known.get(request)?.tenant ?? "";
  known.set(request, { tenant, api: row.api });
  const call: Call<unknown> = { router, request, reply, tenant, body: row.body ? parsed(row.body, body) : undefined };
  return row.handle(call as Call<never>);
}

/** Ollama's and llama.cpp's servers read a body as JSON whatever its type says, and people call them so. */
function readBodies(app: FastifyInstance): void {
  const json = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (request, body, done) =>
    body === "" ? done(null, undefined) : json(request, body as string, done),
  );
}

/** Of paths that there are not. */
const apiOf = (url: string): Api => (url.startsWith("/api/") ? "ollama" : "openai");
