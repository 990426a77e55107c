// front: a Serving as an OpenAI-compatible server on loopback: streamed `/v1/completions`, and what routers before such servers ask
// them about: models, health, load, metrics, tokens. An unknown path is a 404: some routers try one after the other.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { SlipstreamError } from "../../lib/errors.ts";
import { pieces } from "../../workers/engine/simulated/tokens.ts";
import type { Serving } from "./serving.ts";

const bodyBytesMax = 4 << 20;
/** Longer than any router waits before it uses a connection again. */
const keepAliveMs = 120_000;
const contextTokens = 8_192;

export class Front {
  readonly #serving: Serving;
  readonly #server: Server;
  readonly #key: string | undefined;

  /** `key`: what callers must show; absent: nobody is asked. */
  constructor(serving: Serving, options: { readonly key?: string } = {}) {
    this.#serving = serving;
    this.#key = options.key;
    this.#server = createServer({ keepAliveTimeout: keepAliveMs, noDelay: true }, (request, response) => {
      this.#handle(request, response).catch((thrown) => fail(response, thrown));
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "").split("?")[0] ?? "";
    if (request.method === "GET") return this.#tell(path, response);
    if (this.#key !== undefined && request.headers.authorization !== `Bearer ${this.#key}`)
      throw new SlipstreamError("unauthenticated", "an API key is wanted");
    const body = parse(await read(request));
    if (path === "/v1/completions") return this.#complete(body, request, response);
    if (path === "/tokenize") {
      const tokens = pieces(String(body["prompt"] ?? "")).map(numberOf);
      return json(response, { count: tokens.length, max_model_len: contextTokens, tokens, token_strs: null });
    }
    json(response, { error: { message: "Not Found", type: "NotFoundError", code: 404 } }, 404);
  }

  async #complete(body: Record<string, unknown>, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { prompt, max_tokens: maxTokens = 16, stop = [], stream } = body;
    if (typeof prompt !== "string") throw new SlipstreamError("invalid_request", "prompt: a text is wanted", { field: "prompt" });
    if (stream !== true) throw new SlipstreamError("invalid_request", "stream: only true is served here", { field: "stream" });
    const ends = new AbortController();
    response.on("close", () => {
      if (!response.writableFinished) ends.abort(new SlipstreamError("cancelled", "the client went away"));
    });
    const model = this.#serving.model;
    const ask = {
      ...{ prompt, maxTokens: Number(maxTokens), session: String(request.headers["x-session-id"] ?? "") },
      stop: (Array.isArray(stop) ? stop : [stop]).map(String).filter((each) => each !== ""),
    };
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    response.flushHeaders();
    await this.#serving.complete(ask, ends.signal, ({ id, text }) => {
      const choices = [{ index: 0, text, logprobs: null, finish_reason: null }];
      response.write(`data: ${JSON.stringify({ id, object: "text_completion", created: 0, model, choices })}\n\n`);
    });
    response.end("data: [DONE]\n\n");
  }

  #tell(path: string, response: ServerResponse): void {
    const { model, running, waiting } = this.#serving;
    const info = {
      model_path: model,
      model_id: model,
      served_model_name: model,
      is_generation: true,
      version: "0.32.0",
      dp_size: 1,
    };
    if (path === "/health" || path === "/health_generate" || path === "/ping") json(response, {});
    else if (path === "/v1/models")
      json(response, {
        object: "list",
        data: [{ id: model, object: "model", created: 0, owned_by: "slipstream", max_model_len: contextTokens }],
      });
    else if (/^\/(get_)?(model|server)_info$/.test(path) || path === "/version") json(response, info);
    else if (path === "/get_load" || path === "/load") json(response, { server_load: running + waiting, load: running + waiting });
    else if (path === "/metrics") {
      response.writeHead(200, { "content-type": "text/plain; version=0.0.4" });
      response.end(this.#metrics());
    } else json(response, {}, 404);
  }

  /** By the names that vLLM gives them. */
  #metrics(): string {
    const { model, running, waiting, kvUsedShare } = this.#serving;
    const rows = { num_requests_running: running, num_requests_waiting: waiting, kv_cache_usage_perc: kvUsedShare };
    return Object.entries(rows)
      .map(([name, value]) => `# TYPE vllm:${name} gauge\nvllm:${name}{engine="0",model_name="${model}"} ${value}\n`)
      .join("");
  }
}

function numberOf(piece: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < piece.length; i++) hash = Math.imul(hash ^ piece.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % 50_000;
}

async function read(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > bodyBytesMax)
      throw new SlipstreamError("invalid_request", `body: longer than ${bodyBytesMax} bytes`, { field: "body" });
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new SlipstreamError("invalid_request", "body: is not JSON", { field: "body", cause });
  }
}

function json(response: ServerResponse, value: object, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

function fail(response: ServerResponse, thrown: unknown): void {
  const { code, message } = SlipstreamError.from(thrown);
  if (response.headersSent || response.destroyed) return void response.destroy();
  json(response, { error: { message, type: code } }, code === "invalid_request" ? 400 : code === "unauthenticated" ? 401 : 500);
}
