// http: HTTP requests in, answers out as the clients of each API expect them: OpenAI's, llama.cpp's, Mistral's, DeepSeek's,
// Ollama's and Tabby's endpoints (routes.ts), their OpenAPI document, and the status page. Same path, identity, quotas and errors
// as gRPC. Host and Origin are checked, pages elsewhere are let in only where they are listed. Bounded: headers by Node (16 KiB),
// bodies, connections, the time a request may take to arrive; connections that are too many are closed, and counted.
import { type FastifyInstance, fastify } from "fastify";
import { parseAddress } from "../../lib/address.ts";
import { listening } from "../../lib/listen.ts";
import { httpServer, type TlsOffer } from "../../lib/tls/server.ts";
import type { Router } from "../router.ts";
import type { Status } from "../status.ts";
import { tenantOf } from "./caller.ts";
import { type GuardOptions, guard } from "./guard.ts";
import { openApi } from "./openapi.ts";
import { statusPage } from "./page.ts";
import { serve } from "./serving.ts";

export interface HttpOptions extends GuardOptions {
  readonly bodyBytesMax: number;
  readonly connectionsMax: number;
  /** Absent: in the clear. */
  readonly offer?: TlsOffer | undefined;
}

export interface HttpServer {
  readonly name: string;
  readonly port: number;
  /** Takes no new requests, waits for those that run, then cuts connections that only stand open. */
  drain(): Promise<void>;
}

/** A request that takes longer to arrive is nobody's that types. */
const headersMs = 10_000;
const requestMs = 30_000;
/** Between two keys of one editor: longer than most pauses, so that few keys open a connection. */
const keepAliveMs = 75_000;

export async function startHttp(
  options: HttpOptions,
  deps: { router: Router; status: () => Promise<Status> },
): Promise<HttpServer> {
  const { router, status } = deps;
  const app = fastify({
    ...{ logger: false, bodyLimit: options.bodyBytesMax, forceCloseConnections: "idle" },
    serverFactory: (handler) => bounded(httpServer(options.offer, handler), options, router),
  });
  guard(app, options);
  const drained = drainer(app);
  app.get("/", async (request, reply) => {
    tenantOf(router, request);
    const { port } = app.server.address() as { port: number };
    return reply.type("text/html; charset=utf-8").send(statusPage(await status(), example(port, options.offer !== undefined)));
  });
  const document = JSON.stringify(openApi());
  app.get("/openapi.json", (_request, reply) => reply.type("application/json; charset=utf-8").send(document));
  // A connection that is kept would bring the next request here.
  app.addHook("onSend", async (_request, reply) => {
    if (router.draining.aborted) reply.header("connection", "close");
  });
  serve(app, router);
  const { host, port } = parseAddress(options.address);
  await listening("HTTP", options.address, () => app.listen({ host, port }));
  return { name: "http", port: (app.server.address() as { port: number }).port, drain: drained };
}

function bounded(server: ReturnType<typeof httpServer>, { connectionsMax }: HttpOptions, { metrics }: Router) {
  server.maxConnections = connectionsMax;
  server.headersTimeout = headersMs;
  server.requestTimeout = requestMs;
  server.keepAliveTimeout = keepAliveMs;
  server.on("drop", () => metrics.http_connections_dropped_total.inc({}));
  return server;
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
