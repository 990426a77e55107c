// sockets: WebSockets of the page in, sessions out: /session carries the messages of CompletionService.Session as JSON, one a
// text frame, after a first frame that says who calls (`{"authorization": "Bearer KEY"}`, or `{}` where nobody is asked). Only the
// page that came from this port may open one. Bounded: sockets by count, a frame by bytes, what is read ahead and written behind.
import type { IncomingMessage } from "node:http";
import type { Duplex as Socket } from "node:stream";
import type { FastifyInstance } from "fastify";
import { type WebSocket, WebSocketServer } from "ws";
import { isLoopbackHost } from "../../lib/address.ts";
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Duplex } from "../../lib/grpc/duplex.ts";
import type { Header } from "../../lib/keys/presented.ts";
import type { Log } from "../../lib/log.ts";
import type { ClientMessage, ServerMessage } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Router } from "../router.ts";
import { streamOver } from "./socket-duplex.ts";

export interface SocketOptions {
  readonly messageBytesMax: number;
  readonly socketsMax: number;
  /** The port is this machine's own, and nobody is asked who they are: the Host must be a name of loopback, as for requests. */
  readonly loopback: boolean;
}

export interface SocketDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly ingress: Pick<Router["ingress"], "caller" | "helloMs">;
  readonly session: (stream: Duplex<ClientMessage, ServerMessage>, tenant: string, check: () => void) => Promise<void>;
}

const path = "/session";
/** Of RFC 6455, and of ours (4000 and up): the SlipstreamError's code is the reason, its message no more than a frame may hold. */
const closed = { normally: 1000, refused: 4000 } as const;
const reasonBytesMax = 123;
const pingMs = 30_000;

export interface Sockets {
  /** Opens no more, and waits until those that are open have ended: each session is told, and ends by itself. */
  drain(): Promise<void>;
}

export function serveSockets(app: FastifyInstance, options: SocketOptions, deps: SocketDeps): Sockets {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: options.messageBytesMax, clientTracking: true });
  let draining = false;
  app.server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const refusal = whyNot(request, options.loopback, draining || sockets.clients.size >= options.socketsMax);
    if (refusal === undefined) return sockets.handleUpgrade(request, socket, head, (opened) => void hold(opened, deps));
    // Node has let go of the socket: unheard, a reset would end the process; unended, a peer that stays would hold it.
    socket.on("error", () => socket.destroy());
    socket.once("finish", () => socket.destroy());
    socket.end(`HTTP/1.1 ${refusal}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  });
  // Sessions end by themselves within their grace; what is left when the port is closed is nobody's.
  app.addHook("preClose", (done) => {
    for (const each of sockets.clients) each.terminate();
    done();
  });
  return {
    async drain() {
      draining = true;
      await Promise.all([...sockets.clients].map((each) => new Promise((resolve) => each.once("close", resolve))));
    },
  };
}

function whyNot({ url, headers }: IncomingMessage, loopback: boolean, full: boolean): string | undefined {
  if (url !== path) return "404 Not Found";
  // A page whose name was pointed at this machine is of one origin with its own Host.
  if (loopback && !isLoopbackHost(headers.host)) return "403 Forbidden";
  if (!sameOrigin(headers.origin, headers.host)) return "403 Forbidden";
  return full ? "503 Service Unavailable" : undefined;
}

/** What is no browser says no Origin, and is asked who it is like anybody. */
function sameOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return true;
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}

async function hold(socket: WebSocket, deps: SocketDeps): Promise<void> {
  using alive = pinged(socket, deps.clock);
  void alive;
  const { first, stream } = streamOver(socket);
  try {
    const { tenant, check } = deps.ingress.caller(await whoCalls(first, deps));
    await deps.session(stream, tenant, check);
    socket.close(closed.normally);
  } catch (thrown) {
    const error = SlipstreamError.from(thrown);
    if (error.code === "internal") deps.log.error({ err: error.cause ?? error }, "a session of the console failed");
    const why = error.code === "internal" ? "internal: see the router's log" : `${error.code}: ${error.message}`;
    socket.close(
      closed.refused,
      Buffer.from(why)
        .subarray(0, reasonBytesMax)
        .toString()
        .replace(/\uFFFD$/, ""),
    );
  }
}

/** By the first frame, within the time that a Hello has. */
async function whoCalls(first: Promise<string | undefined>, { clock, ingress }: SocketDeps): Promise<Header> {
  const text = await new Promise<string | undefined>((resolve, reject) => {
    const late = clock.timer(ingress.helloMs, () =>
      reject(new SlipstreamError("invalid_request", `authorization: did not come within ${ingress.helloMs} ms`)),
    );
    void first.then((said) => {
      late[Symbol.dispose]();
      resolve(said);
    });
  });
  if (text === undefined) throw new SlipstreamError("cancelled", "the page went away");
  const said = parsed(text);
  if (!said) throw new SlipstreamError("invalid_request", "the first frame is not a JSON object");
  const { authorization } = said;
  return (name) => (name === "authorization" && typeof authorization === "string" ? authorization : undefined);
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** A machine that went to sleep says no goodbye: who does not answer until the next ping is gone. */
function pinged(socket: WebSocket, clock: Clock): Disposable {
  let answered = true;
  let timer: Disposable;
  const arm = () => {
    timer = clock.timer(pingMs, () => {
      if (!answered) return socket.terminate();
      answered = false;
      socket.ping();
      arm();
    });
  };
  socket.on("pong", () => {
    answered = true;
  });
  arm();
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}
