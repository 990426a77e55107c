// grpc/server: handlers as async functions and generators on a grpc-js server. Each call gets a signal that aborts when the
// client leaves or its deadline passes; what a handler throws becomes a status. Health and reflection come with every server.
import { setMaxListeners } from "node:events";
import { constants } from "node:http2";
import type {
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageShape,
} from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import { parseAddress } from "../address.ts";
import { SlipstreamError } from "../errors.ts";
import { listening } from "../listen.ts";
import { grpcCredentials, type TlsOffer } from "../tls/server.ts";
import { type Duplex, duplexOver, type ObjectStream } from "./duplex.ts";
import { addReflection } from "./reflection.ts";
import { serviceDefinition } from "./service.ts";
import { toStatus } from "./status.ts";

/** What a handler knows of its call. */
export interface Call {
  /** Aborts when the call is over: the client left, its gRPC deadline passed, or the answer is sent. */
  readonly signal: AbortSignal;
  /** Lower-case metadata, first value each. */
  readonly metadata: (name: string) => string | undefined;
  readonly peer: string;
}

export type Handlers<S extends DescService> = {
  readonly [K in keyof S["method"]]: S["method"][K] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, call: Call) => Promise<MessageShape<O>>
    : S["method"][K] extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageShape<I>, call: Call) => AsyncIterable<MessageShape<O>>
      : S["method"][K] extends DescMethodBiDiStreaming<infer I, infer O>
        ? (stream: Duplex<MessageShape<I>, MessageShape<O>>, call: Call) => Promise<void>
        : never;
};

export interface ServerOptions {
  readonly address: string;
  readonly messageBytesMax: number;
  /** Streams that one connection may hold open at once. */
  readonly streamsPerConnectionMax: number;
  /** Absent: in the clear. */
  readonly offer?: TlsOffer | undefined;
}

export interface GrpcServer {
  readonly name: string;
  readonly port: number;
  /** Shown by the standard health service, for all services at once. */
  setServing(serving: boolean): void;
  /** Asks every client to make its connection anew; what runs on the old one goes on, `withinMs` at most. New ones are taken. */
  sendAway(withinMs: number): void;
  /** Takes no new calls and waits for those that run. */
  drain(): Promise<void>;
  close(): void;
}

type Failure = (error: SlipstreamError) => void;

type AnyHandler = (input: unknown, call: Call) => unknown;

/** Adds one service to `server`. Errors that are ours by mistake go to `failed` as well as to the caller. */
function addService<S extends DescService>(server: grpc.Server, service: S, handlers: Handlers<S>, failed: Failure): void {
  const refuse = (thrown: unknown) => {
    const error = SlipstreamError.from(thrown);
    if (error.code === "internal") failed(error);
    return toStatus(error);
  };
  const made: Record<string, unknown> = {};
  for (const method of service.methods) {
    // The mapped type pairs each handler with its method's kind; the loop cannot see that.
    const handler = handlers[method.localName as keyof typeof handlers] as unknown as AnyHandler;
    if (method.methodKind === "unary") made[method.localName] = unaryCall(handler, refuse);
    else if (method.methodKind === "server_streaming") made[method.localName] = serverStreamCall(handler, refuse);
    else made[method.localName] = duplexCall(handler, refuse);
  }
  server.addService(serviceDefinition(service), made as grpc.UntypedServiceImplementation);
}

type Refuse = (thrown: unknown) => grpc.StatusObject;

function unaryCall(handler: AnyHandler, refuse: Refuse) {
  return (call: grpc.ServerUnaryCall<unknown, unknown>, reply: grpc.sendUnaryData<unknown>) => {
    const answer = async () => handler(call.request, callOf(call));
    answer().then(
      (response) => reply(null, response),
      (thrown: unknown) => reply(refuse(thrown)),
    );
  };
}

function serverStreamCall(handler: AnyHandler, refuse: Refuse) {
  return (call: grpc.ServerWritableStream<unknown, unknown>) => {
    const context = callOf(call);
    const answer = async () => pump(handler(call.request, context) as AsyncIterable<unknown>, call, context.signal);
    answer().then(
      () => call.end(),
      (thrown: unknown) => endWith(call, refuse(thrown)),
    );
  };
}

function duplexCall(handler: AnyHandler, refuse: Refuse) {
  return (call: grpc.ServerDuplexStream<unknown, unknown>) => {
    const context = callOf(call);
    let answered = false;
    const duplex = duplexOver(call as unknown as ObjectStream, {
      end: () => {
        answered = true;
        call.end();
      },
      fail: (error) => endWith(call, refuse(error)),
      cut: () => cut(call),
    });
    call.on("data", () => forget(call));
    const left = () => duplex.over(answered ? undefined : SlipstreamError.from(context.signal.reason));
    context.signal.addEventListener("abort", left, { once: true });
    const answer = async () => handler(duplex, context);
    answer().then(
      () => {
        duplex.end();
        duplex.over();
      },
      (thrown: unknown) => {
        // A mistake of ours is told even when the caller has left.
        if (duplex.signal.aborted) refuse(thrown);
        else duplex.end(SlipstreamError.from(thrown));
      },
    );
  };
}

/** Ends a stream with a status, after what was written. `destroy(error)` would drop the status. */
function endWith(call: { emit(event: "error", error: Error): boolean }, status: grpc.StatusObject): void {
  call.emit("error", Object.assign(new Error(status.details), status));
}

/**
 * Ends a stream whose peer does not read: a status would wait behind the data for ever, so the HTTP/2 stream is reset.
 * grpc-js has no public way to it; without the private one the stream ends when the peer goes away.
 */
function cut(call: grpc.ServerDuplexStream<unknown, unknown>): void {
  const inner = (call as unknown as { call?: { stream?: { close?(code: number): void } } }).call;
  inner?.stream?.close?.(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  call.destroy();
}

/** Of a message: what is worth letting go of. */
const messageBytesKept = 1_024;
const noBytes = Buffer.alloc(0);

/**
 * grpc-js keeps the bytes of a stream's last message until the next one comes: a document's, for hours in a window that is
 * only open. There is no public way to let them go; without the private one they stay.
 */
function forget(call: unknown): void {
  const { decoder } = (call as { call?: { decoder?: Decoder } }).call ?? {};
  // Between two messages alone: else they are the beginning of the next.
  if (decoder?.readState !== 0 || !(Number(decoder.readMessageSize) > messageBytesKept)) return;
  decoder.readPartialMessage = [];
  decoder.readCompressFlag = noBytes;
}

interface Decoder {
  readonly readState?: number;
  readonly readMessageSize?: number;
  readPartialMessage?: Buffer[];
  readCompressFlag?: Buffer;
}

interface AnyCall {
  readonly metadata: grpc.Metadata;
  getPeer(): string;
  on(event: "cancelled", listener: () => void): unknown;
}

function callOf(call: AnyCall): Call {
  const controller = new AbortController();
  // One call may carry many generations, each of which listens.
  setMaxListeners(0, controller.signal);
  call.on("cancelled", () => controller.abort(new SlipstreamError("cancelled", "the client went away or its deadline passed")));
  return {
    signal: controller.signal,
    metadata: (name) => call.metadata.get(name)[0]?.toString(),
    peer: call.getPeer(),
  };
}

/** Writes a generator to a stream at the reader's pace; returns the generator when the client leaves. */
async function pump(
  messages: AsyncIterable<unknown>,
  call: grpc.ServerWritableStream<unknown, unknown>,
  signal: AbortSignal,
): Promise<void> {
  let wake = () => {};
  call.on("drain", () => wake());
  signal.addEventListener("abort", () => wake(), { once: true });
  for await (const message of messages) {
    if (signal.aborted) return;
    if (!call.write(message) && !signal.aborted)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
}

export interface Mount {
  readonly service: DescService;
  add(server: grpc.Server, failed: Failure): void;
}

/** A service with its handlers, to be served. */
export function mount<S extends DescService>(service: S, handlers: Handlers<S>): Mount {
  return { service, add: (server, failed) => addService(server, service, handlers, failed) };
}

export async function startGrpcServer(
  options: ServerOptions,
  deps: { name: string; mounts: readonly Mount[]; failed: Failure },
): Promise<GrpcServer> {
  grpc.setLogger(quieter);
  const server = new grpc.Server({
    "grpc.max_receive_message_length": options.messageBytesMax,
    "grpc.max_send_message_length": options.messageBytesMax,
    "grpc.max_concurrent_streams": options.streamsPerConnectionMax,
    // Half-open connections are found within a minute.
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 20_000,
    "grpc-node.max_session_memory": 64,
  });
  for (const { add } of deps.mounts) add(server, deps.failed);
  const names = ["", ...deps.mounts.map(({ service }) => service.typeName)];
  const health = new HealthImplementation(Object.fromEntries(names.map((name) => [name, "NOT_SERVING" as const])));
  health.addToServer(server);
  addReflection(
    server,
    deps.mounts.map(({ service }) => service),
  );
  const port = await listening(deps.name, options.address, () => bind(server, options));
  return {
    name: deps.name,
    port,
    setServing: (serving) => {
      for (const name of names) health.setStatus(name, serving ? "SERVING" : "NOT_SERVING");
    },
    sendAway: (withinMs) => server.drain(`${parseAddress(options.address).host}:${port}`, withinMs),
    drain: () => new Promise((resolve) => server.tryShutdown(() => resolve())),
    close: () => server.forceShutdown(),
  };
}

/** grpc-js prints a line of its own about a port it cannot have; ours is a sentence (lib/listen.ts). */
const quieter: Partial<Console> = {
  ...console,
  error: (...line: unknown[]) => {
    if (!String(line[0]).includes("No address added")) console.error(...line);
  },
};

function bind(server: grpc.Server, { address, offer }: ServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, grpcCredentials(offer), (error, port) => (error ? reject(error) : resolve(port)));
  });
}
