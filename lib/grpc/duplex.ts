// grpc/duplex: one side of a bidirectional stream: frames to read, `send` to write at once. Bounded both ways: reading
// pauses the peer after `readAheadMax` frames, and a peer that does not read is cut off after `writeBehindMax`.
import { SlipstreamError } from "../errors.ts";
import { Mailbox } from "../structures/mailbox.ts";

export interface Duplex<In, Out> {
  /** Frames of the peer, in order; throws a SlipstreamError when the stream broke. */
  readonly frames: AsyncIterable<In>;
  /** Writes now. False: the buffer is filling; wait for `drained` if there is a choice. After the end it does nothing. */
  send(frame: Out): boolean;
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

export const defaultDuplexLimits: DuplexLimits = { readAheadMax: 256, writeBehindMax: 8192 };

/** The part of a grpc-js stream that both ends share. */
export interface ObjectStream {
  on(event: string, listener: (value: never) => void): unknown;
  pause(): unknown;
  resume(): unknown;
  write(frame: unknown): boolean;
  readonly writableLength: number;
}

/** A Duplex over a grpc-js stream. `finish` ends or tears down this side; `convert` makes the stream's errors ours. */
export function duplexOver<In, Out>(
  stream: ObjectStream,
  finish: (error?: SlipstreamError) => void,
  convert: (error: unknown) => SlipstreamError,
  limits = defaultDuplexLimits,
): Duplex<In, Out> & { over(error?: SlipstreamError): void } {
  const inbox = new Mailbox<In>({ max: Number.POSITIVE_INFINITY, full: "refuse" });
  const controller = new AbortController();
  let paused = false;
  let ended = false;
  const waiting: (() => void)[] = [];

  const over = (error?: SlipstreamError) => {
    ended = true;
    inbox.end(error);
    if (!controller.signal.aborted) controller.abort(error ?? new SlipstreamError("cancelled", "the stream ended"));
    for (const wake of waiting.splice(0)) wake();
  };
  stream.on("data", (frame: In) => {
    inbox.push(frame);
    if (inbox.length >= limits.readAheadMax && !paused) {
      paused = true;
      stream.pause();
    }
  });
  stream.on("end", () => inbox.end());
  stream.on("error", (error: unknown) => over(convert(error)));
  stream.on("drain", () => {
    for (const wake of waiting.splice(0)) wake();
  });

  async function* frames(): AsyncGenerator<In, void> {
    for await (const frame of inbox) {
      if (paused && inbox.length < limits.readAheadMax / 2) {
        paused = false;
        stream.resume();
      }
      yield frame;
    }
  }
  const end = (error?: SlipstreamError) => {
    if (ended) return;
    ended = true;
    finish(error);
    if (error) over(error);
  };
  return {
    frames: { [Symbol.asyncIterator]: frames },
    signal: controller.signal,
    send(frame) {
      if (ended) return false;
      if (stream.writableLength > limits.writeBehindMax) {
        end(new SlipstreamError("overloaded", "the peer does not read its stream"));
        return false;
      }
      return stream.write(frame);
    },
    drained: () =>
      ended || stream.writableLength === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.push(resolve);
          }),
    end,
    over,
  };
}
