// grpc/duplex: one side of a bidirectional stream: frames to read, `send` to write at once. Bounded both ways: reading
// pauses the peer after `readAheadMax` frames, and a peer that does not read is cut off after `writeBehindMax`.
import { setMaxListeners } from "node:events";
import { SlipstreamError } from "../errors.ts";
import { type ReadableFrames, readAhead } from "./read-ahead.ts";

export interface Duplex<In, Out> {
  /** Frames of the peer, in order; throws a SlipstreamError when the stream broke. One reader at a time. */
  readonly frames: AsyncIterable<In>;
  /** Writes now. False: the buffer is filling; wait for `drained` if there is a choice. After the end it does nothing. */
  send(frame: Out): boolean;
  /** Resolves when `send` may say true again, or the stream is over. */
  drained(): Promise<void>;
  /** No more frames from this side; with an error the stream is torn down. */
  end(error?: SlipstreamError): void;
  /** Aborts when the stream is over, for whatever reason. */
  readonly signal: AbortSignal;
}

export interface DuplexLimits {
  readonly readAheadMax: number;
  readonly writeBehindMax: number;
}

const defaultDuplexLimits: DuplexLimits = { readAheadMax: 256, writeBehindMax: 8192 };

/** The part of a grpc-js stream that both ends share. */
export interface ObjectStream extends ReadableFrames {
  write(frame: unknown): boolean;
  readonly writableLength: number;
  readonly writableNeedDrain: boolean;
}

/** How one end of a call is brought to its end; client and server differ. */
export interface Ending {
  /** Politely, after what was written. */
  end(): void;
  /** With an error, after what was written where the end can still say so. */
  fail(error: SlipstreamError): void;
  /** At once: what was written and not yet sent is dropped. */
  cut(error: SlipstreamError): void;
}

export interface OwnedDuplex<In, Out> extends Duplex<In, Out> {
  /** The call is over and nothing more can be read. */
  over(error?: SlipstreamError): void;
  /** The call got its status; frames that came before it can still be read. */
  settle(error?: SlipstreamError): void;
}

/** A Duplex over a grpc-js stream. */
export function duplexOver<In, Out>(stream: ObjectStream, ending: Ending, limits = defaultDuplexLimits): OwnedDuplex<In, Out> {
  const inbox = readAhead<In>(stream, limits.readAheadMax);
  const controller = new AbortController();
  // Every live trigger of a session, and every generation on a link, listens for its end.
  setMaxListeners(0, controller.signal);
  let closed = false;
  const waiting: (() => void)[] = [];

  const wake = () => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  const abort = (error?: SlipstreamError) => {
    closed = true;
    if (!controller.signal.aborted) controller.abort(error ?? new SlipstreamError("cancelled", "the stream ended"));
    wake();
  };
  const over = (error?: SlipstreamError) => {
    inbox.end(error);
    abort(error);
  };
  const settle = (error?: SlipstreamError) => {
    inbox.settle(error);
    abort(error);
  };
  stream.on("drain", wake);
  stream.on("close", () => abort());

  return {
    frames: inbox.frames,
    signal: controller.signal,
    send(frame) {
      if (closed) return false;
      if (stream.writableLength < limits.writeBehindMax) return stream.write(frame);
      const error = new SlipstreamError("overloaded", "the peer does not read its stream");
      closed = true;
      ending.cut(error);
      over(error);
      return false;
    },
    drained: () =>
      closed || !stream.writableNeedDrain
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.push(resolve);
          }),
    end(error) {
      if (error && !controller.signal.aborted) {
        closed = true;
        ending.fail(error);
        over(error);
      } else if (!closed) {
        closed = true;
        ending.end();
        // A stream that was ended says no "drain" any more.
        wake();
      }
    },
    over,
    settle,
  };
}
