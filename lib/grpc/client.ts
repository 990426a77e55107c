// grpc/client: calls as promises, async generators and Duplexes. One channel a client; errors come back as SlipstreamError.
import type {
  DescMessage,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageShape,
} from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { type Clock, systemClock } from "../clock.ts";
import { SlipstreamError } from "../errors.ts";
import { answersBut, type ClientTls, whyNot } from "../tls/client.ts";
import { type Duplex, duplexOver, type ObjectStream } from "./duplex.ts";
import { type ReadableFrames, readAhead } from "./read-ahead.ts";
import { methodDefinition } from "./service.ts";
import { fromStatus } from "./status.ts";

/** Answers of a server stream that may wait for their reader here. */
const messagesAheadMax = 64;

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** From now. */
  readonly deadlineMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

export class GrpcClient {
  readonly #client: grpc.Client;
  readonly #address: string;
  readonly #secure: boolean;
  readonly #clock: Clock;

  /**
   * Without `tls` in the clear. `keepAliveMs`: a peer that is silent for so long is pinged, and given up when it is silent for
   * as long again.
   */
  constructor(
    options: { address: string; messageBytesMax?: number; keepAliveMs?: number; tls?: ClientTls | undefined },
    deps: { clock?: Clock } = {},
  ) {
    this.#clock = deps.clock ?? systemClock;
    this.#address = options.address;
    this.#secure = options.tls !== undefined;
    const max = options.messageBytesMax ?? 16 << 20;
    this.#client = new grpc.Client(options.address, credentialsOf(options.tls), {
      ...(options.tls?.serverName === undefined ? {} : { "grpc.ssl_target_name_override": options.tls.serverName }),
      "grpc.max_receive_message_length": max,
      "grpc.max_send_message_length": max,
      "grpc.keepalive_time_ms": options.keepAliveMs ?? 30_000,
      "grpc.keepalive_timeout_ms": options.keepAliveMs ?? 10_000,
      // A peer that restarts is found again within seconds; the default waits up to two minutes.
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 3_000,
      // A proxy named in the environment is not for links inside a machine or a cluster.
      "grpc.enable_http_proxy": 0,
      // Links are long-lived and own their retries; a shared sub-channel would tie their fates together.
      "grpc.use_local_subchannel_pool": 1,
    });
  }

  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageShape<I>,
    options: CallOptions = {},
  ): Promise<MessageShape<O>> {
    const { path, requestSerialize, responseDeserialize } = methodDefinition(method);
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadataOf(options),
        this.#callOptions(options),
        (error: grpc.ServiceError | null, response?: MessageShape<O>) => {
          release();
          if (error) reject(this.#failed(call, error));
          else resolve(response as MessageShape<O>);
        },
      );
      const release = onAbort(options.signal, () => call.cancel());
    });
  }

  async *serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageShape<I>,
    options: CallOptions = {},
  ): AsyncGenerator<MessageShape<O>, void> {
    const { path, requestSerialize, responseDeserialize } = methodDefinition(method);
    const call = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadataOf(options),
      this.#callOptions(options),
    );
    const inbox = readAhead<MessageShape<O>>(call as unknown as ReadableFrames, messagesAheadMax);
    call.on("error", (error: grpc.ServiceError) => inbox.settle(this.#failed(call, error)));
    const release = onAbort(options.signal, () => call.cancel());
    try {
      yield* inbox.frames;
    } finally {
      release();
      call.cancel();
    }
  }

  duplex<I extends DescMessage, O extends DescMessage>(
    method: DescMethodBiDiStreaming<I, O>,
    options: CallOptions = {},
  ): Duplex<MessageShape<O>, MessageShape<I>> {
    const { path, requestSerialize, responseDeserialize } = methodDefinition(method);
    const call = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      metadataOf(options),
      this.#callOptions(options),
    );
    const duplex = duplexOver<MessageShape<O>, MessageShape<I>>(call as unknown as ObjectStream, {
      end: () => call.end(),
      fail: () => call.cancel(),
      cut: () => call.cancel(),
    });
    call.on("error", (error: grpc.ServiceError) => duplex.settle(this.#failed(call, error)));
    call.on("status", (status: grpc.StatusObject) => {
      if (status.code === grpc.status.OK) duplex.settle();
    });
    const release = onAbort(options.signal, () => duplex.end(SlipstreamError.from(options.signal?.reason)));
    duplex.signal.addEventListener("abort", release, { once: true });
    return duplex;
  }

  close(): void {
    this.#client.close();
  }

  /**
   * grpc-js sends a call that was cancelled, or whose deadline passed, in the tick of its making, and then forgets it: the
   * server would work on it for ever. Cancelled once more a turn later it is reset.
   */
  #failed(call: { cancel(): void }, error: grpc.ServiceError): SlipstreamError {
    setImmediate(() => call.cancel());
    const why = /^No connection established/.test(error.details) ? whyNot(error.details, this.#secure) : undefined;
    return why === undefined ? fromStatus(error) : answersBut(this.#address, why, error);
  }

  #callOptions(options: CallOptions): grpc.CallOptions {
    return options.deadlineMs === undefined ? {} : { deadline: this.#clock.wall() + options.deadlineMs };
  }
}

function credentialsOf(tls: ClientTls | undefined): grpc.ChannelCredentials {
  return tls ? grpc.credentials.createFromSecureContext(tls.context) : grpc.credentials.createInsecure();
}

function metadataOf(options: CallOptions): grpc.Metadata {
  return grpc.Metadata.fromHttp2Headers({ ...options.metadata });
}

function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (!signal) return () => {};
  if (signal.aborted) {
    act();
    return () => {};
  }
  signal.addEventListener("abort", act, { once: true });
  return () => signal.removeEventListener("abort", act);
}
