// triton: a server that speaks Triton's generate extension for the tensorrt_llm model of NVIDIA's TensorRT-LLM backend, before a pretend
// engine: tokens in, tokens out, an output of one element without its list, no word of how it ended. It does not hear that a client
// has left (its documents: cancellation over gRPC and the C API), so that an answer nobody reads is computed to its end.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { priorityUsual, type StandInModel } from "./model.ts";
import { type StandInOptions, standInModel } from "./stand-in.ts";

export interface TritonBody {
  readonly input_ids: readonly number[];
  readonly input_lengths: number;
  readonly request_output_len: number;
  readonly streaming: boolean;
  readonly runtime_top_k?: number;
  readonly temperature?: number;
  readonly retention_token_range_starts?: readonly number[];
  readonly retention_token_range_ends?: readonly number[];
  readonly retention_token_range_priorities?: readonly number[];
  readonly retention_token_range_durations_ms?: readonly number[];
  readonly retention_decode_priority?: number;
}

interface Options extends StandInOptions {
  /** Asked for by what stands before it. */
  readonly key?: string;
}

const modelName = "tensorrt_llm";

export class StandInTriton {
  readonly requests: TritonBody[] = [];
  readonly engine: StandInModel;
  fault: "error_event" | "refused" | "silent" | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #key: string | undefined;

  private constructor(engine: StandInModel, key: string | undefined) {
    this.engine = engine;
    this.#key = key;
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  static async start({ key, ...options }: Options = {}, clock: Clock = systemClock): Promise<StandInTriton> {
    const stand = new StandInTriton(await standInModel(options, clock), key);
    await new Promise<void>((resolve, reject) => {
      stand.#server.once("error", reject);
      stand.#server.listen(options.port ?? 0, "127.0.0.1", resolve);
    });
    return stand;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v2/models/${modelName}`;
  }

  get running(): number {
    return this.engine.running;
  }

  async kill(): Promise<void> {
    this.engine.kill();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const path = request.url ?? "";
    if (this.#key !== undefined && request.headers.authorization !== `Bearer ${this.#key}`) return end(response, 401, "");
    if (path === `/v2/models/${modelName}/ready`) return end(response, 200, "");
    if (path !== `/v2/models/${modelName}/generate_stream`) return end(response, 404, JSON.stringify({ error: "Not Found" }));
    this.#generate(JSON.parse(Buffer.concat(parts).toString("utf8")) as TritonBody, response);
  }

  #generate(body: TritonBody, response: ServerResponse): void {
    this.requests.push(body);
    const { input_ids: tokens, request_output_len: maxTokens } = body;
    const fault = this.fault;
    this.fault = undefined;
    if (fault === "refused") {
      end(response, 400, JSON.stringify({ error: "unexpected shape for input 'input_ids'" }));
      return;
    }
    if (fault === "silent") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end();
      return;
    }
    const event = (data: object) => {
      if (!response.destroyed) response.write(`data: ${JSON.stringify(data)}\n\n`);
    };
    try {
      this.engine.submit({ tokens, maxTokens, stop: [], salt: "", adapter: "", priority: priorityUsual }, (step) => {
        if (fault === "error_event") event({ error: "in ensemble 'tensorrt_llm', failed to run" });
        const ids = step.tokens.length === 1 ? step.tokens[0] : step.tokens;
        if (step.tokens.length > 0)
          event({ model_name: modelName, model_version: "1", output_ids: ids, sequence_length: step.given.length });
        if (step.finish !== undefined && !response.destroyed) response.end();
      });
    } catch (thrown) {
      end(response, 400, JSON.stringify({ error: (thrown as Error).message }));
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
  }
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(text);
}
