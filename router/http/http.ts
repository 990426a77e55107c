// http: the HTTP port: status page and OpenAI-compatible completions. Same path, identity and errors as gRPC; errors are JSON
// as OpenAI's clients read them. Host and Origin are checked; bodies are bounded; no CORS.
import { type FastifyInstance, fastify } from "fastify";
import { parseAddress } from "../../lib/address.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { listening } from "../../lib/listen.ts";
import { httpServer, type TlsOffer } from "../../lib/tls/server.ts";
import type { Status } from "../status.ts";
import type { Router } from "../wire.ts";
import { tenantOf } from "./caller.ts";
import { guard } from "./guard.ts";
import { addOpenAi } from "./openai.ts";
import { statusPage } from "./page.ts";

export interface HttpOptions {
  readonly address: string;
  readonly hosts: readonly string[];
  readonly bodyBytesMax: number;
  /** Absent: in the clear. */
  readonly offer?: TlsOffer | undefined;
}

export interface HttpServer {
  readonly name: string;
  readonly port: number;
  /** Takes no new requests, waits for those that run, then cuts connections that only stand open. */
  drain(): Promise<void>;
}

export async function startHttp(
  options: HttpOptions,
  deps: { router: Router; status: () => Promise<Status> },
): Promise<HttpServer> {
  const app = fastify({
    ...{ logger: false, bodyLimit: options.bodyBytesMax, forceCloseConnections: "idle" },
    serverFactory: (handler) => httpServer(options.offer, handler),
  });
  guard(app, options);
  app.setErrorHandler((thrown: unknown, _request, reply) => {
    const error = fromHttp(thrown);
    if (error.code === "internal") deps.router.log.error({ err: error.cause ?? error }, "an HTTP request failed");
    if (error.retryAfterMs !== undefined) void reply.header("retry-after", Math.ceil(error.retryAfterMs / 1000));
    const message = error.code === "internal" ? "internal error; see the server's log" : error.message;
    return reply.code(error.row.http).send({ error: { message, type: error.code, param: error.field ?? null, code: error.code } });
  });
  app.setNotFoundHandler((request) => {
    throw new SlipstreamError("not_found", `no such path: ${request.method} ${request.url.slice(0, 200)}`);
  });
  app.get("/", async (request, reply) => {
    tenantOf(deps.router, request);
    const { port } = app.server.address() as { port: number };
    return reply.type("text/html; charset=utf-8").send(statusPage(await deps.status(), example(port, options.offer !== undefined)));
  });
  addOpenAi(app, deps.router);
  const drained = drainer(app);
  const { host, port } = parseAddress(options.address);
  await listening("HTTP", options.address, () => app.listen({ host, port }));
  return { name: "http", port: (app.server.address() as { port: number }).port, drain: drained };
}

/** A browser opens connections ahead of its requests; Node counts those as busy and would wait for them a minute long. */
function drainer(app: FastifyInstance): () => Promise<void> {
  let running = 0;
  let quiet: () => void = () => {};
  app.addHook("onRequest", (_request, reply, done) => {
    running += 1;
    reply.raw.once("close", () => {
      running -= 1;
      if (running === 0) quiet();
    });
    done();
  });
  return async () => {
    const closed = app.close();
    if (running > 0)
      await new Promise<void>((resolve) => {
        quiet = resolve;
      });
    app.server.closeAllConnections();
    await closed;
  };
}

const example = (port: number, secure: boolean) =>
  `npx slipstream complete FILE:LINE:COL

curl http${secure ? "s" : ""}://127.0.0.1:${port}/v1/completions -H 'content-type: application/json' \\
  -d '{"prompt": "function add(a, b) {\\n  return ", "suffix": "\\n}\\n"}'`;

/** Fastify's own refusals (malformed JSON, too large, wrong type) as ours. */
function fromHttp(thrown: unknown): SlipstreamError {
  const status = (thrown as { statusCode?: number }).statusCode;
  if (thrown instanceof SlipstreamError || status === undefined || status >= 500) return SlipstreamError.from(thrown);
  return new SlipstreamError("invalid_request", `body: ${thrown instanceof Error ? thrown.message : "is malformed"}`, {
    field: "body",
    cause: thrown,
  });
}
