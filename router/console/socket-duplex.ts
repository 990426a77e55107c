// socket-duplex: a WebSocket in; out come its first frame, which says who calls, and the Duplex of a session: JSON text frames that
// are ClientMessages in, ServerMessages out. A frame that is no message ends the stream, as gRPC would. Bounded both ways, as for
// gRPC: the page is paused, or cut off.
import { setMaxListeners } from "node:events";
import { fromJsonString, toJsonString } from "@bufbuild/protobuf";
import type { RawData, WebSocket } from "ws";
import { invalid, SlipstreamError } from "../../lib/errors.ts";
import type { Duplex } from "../../lib/grpc/duplex.ts";
import { Mailbox } from "../../lib/structures/mailbox.ts";
import { pulled } from "../../lib/structures/pulled.ts";
import {
  type ClientMessage,
  ClientMessageSchema,
  type ServerMessage,
  ServerMessageSchema,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";

const readAheadMax = 256;
/** Of frames that were read ahead, some before it is known who calls. */
const readAheadBytesMax = 8 << 20;
const waitBytes = 256 << 10;
const behindBytesMax = 8 << 20;

export interface SocketStream {
  /** Undefined: the page went away before it said one. */
  readonly first: Promise<string | undefined>;
  readonly stream: Duplex<ClientMessage, ServerMessage>;
}

export function streamOver(socket: WebSocket): SocketStream {
  // The bound is kept by pausing.
  const inbox = new Mailbox<{ readonly message: ClientMessage; readonly bytes: number }>({
    max: Number.POSITIVE_INFINITY,
    full: "refuse",
  });
  const gone = new AbortController();
  // Every live trigger of a session listens to the end of its stream.
  setMaxListeners(0, gone.signal);
  let took: ((text: string | undefined) => void) | undefined;
  const first = new Promise<string | undefined>((resolve) => {
    took = resolve;
  });
  const waiting: (() => void)[] = [];
  let paused = false;
  let aheadBytes = 0;
  const ahead = (share: number) => inbox.length >= readAheadMax * share || aheadBytes >= readAheadBytesMax * share;
  const over = (error?: SlipstreamError) => {
    took?.(undefined);
    inbox.end(error);
    if (!gone.signal.aborted) gone.abort(error ?? new SlipstreamError("cancelled", "the stream ended"));
    for (const wake of waiting.splice(0)) wake();
  };
  socket.on("message", (data: RawData, binary: boolean) => {
    if (took) {
      took(binary ? "" : String(data));
      took = undefined;
      return;
    }
    const text = String(data);
    const read = binary ? invalid("message", "is not a text frame") : messageOf(text);
    if (read instanceof SlipstreamError) return over(read);
    if (inbox.push({ message: read, bytes: text.length })) aheadBytes += text.length;
    if (paused || !ahead(1)) return;
    paused = true;
    socket.pause();
  });
  socket.on("close", () => over());
  socket.on("error", () => over());
  const stream: Duplex<ClientMessage, ServerMessage> = {
    frames: {
      [Symbol.asyncIterator]: () =>
        pulled<ClientMessage, void>({
          step: () => {
            const value = inbox.take();
            if (value === undefined) return inbox.over ? { done: true, value: undefined } : undefined;
            aheadBytes -= value.bytes;
            if (paused && !ahead(0.5)) {
              paused = false;
              socket.resume();
            }
            return { done: false, value: value.message };
          },
          wait: (wake) => inbox.whenFilled(wake),
          over: () => {},
        }),
    },
    signal: gone.signal,
    send(frame) {
      if (gone.signal.aborted) return false;
      if (socket.bufferedAmount > behindBytesMax) {
        socket.terminate();
        over(new SlipstreamError("overloaded", "the peer does not read its stream"));
        return false;
      }
      socket.send(toJsonString(ServerMessageSchema, frame), () => {
        if (socket.bufferedAmount <= waitBytes) for (const wake of waiting.splice(0)) wake();
      });
      return socket.bufferedAmount <= waitBytes;
    },
    drained: () =>
      gone.signal.aborted || socket.bufferedAmount <= waitBytes
        ? Promise.resolve()
        : new Promise((resolve) => void waiting.push(resolve)),
    end: (error) => over(error),
  };
  return { first, stream };
}

function messageOf(text: string): ClientMessage | SlipstreamError {
  try {
    return fromJsonString(ClientMessageSchema, text, { ignoreUnknownFields: true });
  } catch (thrown) {
    return invalid("message", thrown instanceof Error ? thrown.message : "cannot be read");
  }
}
