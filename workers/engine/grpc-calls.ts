// grpc-calls: a generation's request in, the messages of its answer out, over an engine's gRPC service; leaving it resets its stream in
// the same tick. Other questions are answered whole, or fail as typed errors. One HTTP/2 connection for all.
import type { DescMessage, DescMethodServerStreaming, DescMethodUnary, MessageShape } from "@bufbuild/protobuf";
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { GrpcClient } from "../../lib/grpc/client.ts";
import type { StreamReader } from "./http.ts";
import type { Wire } from "./running.ts";

export interface Asking {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

export class GrpcCalls<I extends DescMessage, O extends DescMessage> implements Wire<MessageShape<O>> {
  readonly client: GrpcClient;
  readonly #address: string;
  readonly #generate: DescMethodServerStreaming<I, O>;

  constructor(
    options: { readonly url: string },
    deps: { readonly clock: Clock; readonly generate: DescMethodServerStreaming<I, O> },
  ) {
    this.#address = addressIn(options.url);
    this.#generate = deps.generate;
    this.client = new GrpcClient({ address: this.#address }, deps);
  }

  stream(
    _path: string,
    body: object,
    reader: StreamReader<MessageShape<O>>,
    metadata: Readonly<Record<string, string>>,
  ): () => void {
    const leaving = new AbortController();
    void this.#read(body as MessageShape<I>, reader, { metadata, signal: leaving.signal });
    return () => leaving.abort();
  }

  async ask<Q extends DescMessage, A extends DescMessage>(
    method: DescMethodUnary<Q, A>,
    question: MessageShape<Q>,
    { signal, timeoutMs = 5_000 }: Asking = {},
  ): Promise<MessageShape<A>> {
    try {
      return await this.client.unary(method, question, { deadlineMs: timeoutMs, ...(signal && { signal }) });
    } catch (thrown) {
      throw this.#failure(thrown, method.name, false);
    }
  }

  close(): void {
    this.client.close();
  }

  async #read(
    request: MessageShape<I>,
    reader: StreamReader<MessageShape<O>>,
    options: { readonly metadata: Readonly<Record<string, string>>; readonly signal: AbortSignal },
  ): Promise<void> {
    let begun = false;
    try {
      for await (const message of this.client.serverStream(this.#generate, request, options)) {
        begun = true;
        if (!options.signal.aborted) reader.chunk(message);
      }
      if (!options.signal.aborted) reader.end(undefined);
    } catch (thrown) {
      if (!options.signal.aborted) reader.end(this.#failure(thrown, this.#generate.name, begun));
    }
  }

  /** What it says of a request is the asker's; that nobody answers is told as such. */
  #failure(thrown: unknown, method: string, begun: boolean): SlipstreamError {
    const error = SlipstreamError.from(thrown);
    const { code } = error;
    if (code === "invalid_request" || code === "not_found" || code === "overloaded" || code === "unsupported") return error;
    const says = `the engine at ${this.#address}: ${method} ${error.message.slice(0, 200)}`;
    if (begun) return new SlipstreamError("engine_failed", `the engine's answer broke off (${says})`, { cause: thrown });
    // A connection that is not there is for the watch what a refused one is.
    const cause = code === "unavailable" ? { code: "ECONNREFUSED" } : thrown;
    return new SlipstreamError(code === "unavailable" || code === "deadline_exceeded" ? "unavailable" : "engine_failed", says, {
      cause,
    });
  }
}

export function isGrpc(url: string): boolean {
  return url.startsWith("grpc://");
}

function addressIn(url: string): string {
  const read = URL.canParse(url) ? new URL(url) : undefined;
  if (read?.protocol !== "grpc:" || read.port === "")
    throw new SlipstreamError("config", `the engine's URL ${JSON.stringify(url)} is not like grpc://127.0.0.1:50051`);
  return read.host;
}
