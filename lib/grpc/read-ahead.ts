// grpc/read-ahead: the reading side of a grpc-js stream as an AsyncIterable. Bounded: the peer is paused after `max`
// unread frames and resumed when half of them are read. Every frame that arrived is given out before the end or the error.
import { Mailbox } from "../structures/mailbox.ts";
import { pulled } from "../structures/pulled.ts";

/** The part of a grpc-js stream that reading needs; both ends have it. */
export interface ReadableFrames {
  on(event: string, listener: (value: never) => void): unknown;
  pause(): unknown;
  resume(): unknown;
  readonly readableEnded: boolean;
  readonly destroyed: boolean;
}

export interface ReadAhead<T> {
  readonly frames: AsyncIterable<T>;
  /** Ends now: what the stream itself still holds is lost, what was handed over is not. */
  end(error?: unknown): void;
  /** The stream got its status: ends once what it still holds is handed over. */
  settle(error?: unknown): void;
}

export function readAhead<T>(stream: ReadableFrames, max: number): ReadAhead<T> {
  // The bound is kept by pausing; one stream holds at most its own high-water mark of frames beyond it.
  const inbox = new Mailbox<T>({ max: Number.POSITIVE_INFINITY, full: "refuse" });
  let paused = false;
  let settled = false;
  let last: unknown;

  stream.on("data", (frame: T) => {
    inbox.push(frame);
    if (inbox.length < max || paused || settled) return;
    paused = true;
    stream.pause();
  });
  stream.on("end", () => inbox.end(last));
  stream.on("close", () => inbox.end(last));

  const frames = (): AsyncGenerator<T, void> =>
    pulled<T, void>({
      step: () => {
        const value = inbox.take();
        if (value === undefined) return inbox.over ? { done: true, value: undefined } : undefined;
        if (paused && inbox.length < max / 2) {
          paused = false;
          stream.resume();
        }
        return { done: false, value };
      },
      wait: (wake) => inbox.whenFilled(wake),
      over: () => {},
    });
  return {
    frames: { [Symbol.asyncIterator]: frames },
    end: (error) => inbox.end(error),
    settle: (error) => {
      settled = true;
      last ??= error;
      if (stream.readableEnded || stream.destroyed) inbox.end(last);
      else stream.resume();
    },
  };
}
