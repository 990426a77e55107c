// pipe: a bidirectional stream without a network: two Duplexes that behave as the two ends of a gRPC stream do, with
// latency from the clock, order kept, and each frame encoded and decoded. `cut` and `stall` are its faults. Frames under
// way are bounded by `unreadMax`: a peer that does not read is cut off, as on a socket.
import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { Clock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import type { Duplex } from "../lib/grpc/duplex.ts";
import type { Random } from "../lib/random.ts";
import { Mailbox } from "../lib/structures/mailbox.ts";

export interface PipeOptions<Up extends DescMessage, Down extends DescMessage> {
  /** What the client sends, and what the server sends. */
  readonly up: Up;
  readonly down: Down;
  /** One way; each frame takes up to `jitterMs` more. */
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly unreadMax?: number;
}

export interface Pipe<Up extends DescMessage, Down extends DescMessage> {
  readonly client: Duplex<MessageShape<Down>, MessageShape<Up>>;
  readonly server: Duplex<MessageShape<Up>, MessageShape<Down>>;
  /** The connection breaks: both ends see it now, frames under way are gone. */
  cut(): void;
  /** What is sent from now on arrives, in order, when `ms` have passed. */
  stall(ms: number): void;
  /** The client takes nothing from the stream until `ms` have passed; what arrives waits. */
  stopReading(ms: number): void;
}

/** Whoever watches one direction. */
export interface Watch<Frame> {
  /** As it is sent; it will arrive at `arrivesMs` unless the connection breaks before. */
  sent?(frame: Frame, arrivesMs: number): void;
  /** False: the frame is lost. Only a planted bug does that: a stream that lives loses nothing. */
  pass?(frame: Frame): boolean;
  arrived?(frame: Frame): void;
}

interface Deps<Up extends DescMessage, Down extends DescMessage> {
  readonly clock: Clock;
  readonly random: Random;
  readonly up?: Watch<MessageShape<Up>>;
  readonly down?: Watch<MessageShape<Down>>;
}

export function pipe<Up extends DescMessage, Down extends DescMessage>(
  options: PipeOptions<Up, Down>,
  deps: Deps<Up, Down>,
): Pipe<Up, Down> {
  const { clock } = deps;
  const client = new End<MessageShape<Down>>();
  const server = new End<MessageShape<Up>>();
  let stalledUntilMs = 0;
  const latency = () => options.latencyMs + deps.random.next() * options.jitterMs;
  const lane = () => {
    let lastMs = 0;
    return (arrive: () => void) => {
      lastMs = Math.max(lastMs, clock.now() + latency(), stalledUntilMs);
      clock.timer(lastMs - clock.now(), arrive);
      return lastMs;
    };
  };

  const side = <In, Out extends DescMessage>(
    own: End<In>,
    peer: End<MessageShape<Out>>,
    schema: Out,
    watch: Watch<MessageShape<Out>> | undefined,
    serves: boolean,
  ): Duplex<In, MessageShape<Out>> => {
    const transmit = lane();
    const unreadMax = options.unreadMax ?? 8_192;
    let ended = false;
    const end = (error?: SlipstreamError) => {
      if (ended || own.signal.aborted) return;
      ended = true;
      // A server's end is the end of the call; a client's clean end only says that no more frames follow.
      if (error || serves) own.over(error);
      const seen = error && (serves ? error : new SlipstreamError("cancelled", "the client went away"));
      transmit(() => (error || serves ? peer.over(seen) : peer.inbox.end()));
    };
    return {
      frames: own,
      signal: own.signal,
      send(frame) {
        if (ended || own.signal.aborted) return false;
        if (peer.unread >= unreadMax) {
          end(new SlipstreamError("overloaded", "the peer does not read its stream"));
          return false;
        }
        const bytes = toBinary(schema, frame);
        peer.unread += 1;
        const arrivesMs = transmit(() => {
          const copy = fromBinary(schema, bytes);
          if ((watch?.pass?.(copy) ?? true) && peer.inbox.push(copy)) watch?.arrived?.(copy);
          else peer.unread -= 1;
        });
        watch?.sent?.(frame, arrivesMs);
        return peer.unread < unreadMax / 2;
      },
      drained: () => peer.whenRead(unreadMax / 4, own.signal),
      end,
    };
  };
  return {
    client: side(client, server, options.up, deps.up, false),
    server: side(server, client, options.down, deps.down, true),
    cut() {
      client.over(new SlipstreamError("unavailable", "the connection broke"));
      server.over(new SlipstreamError("cancelled", "the connection broke"));
    },
    stall(ms) {
      stalledUntilMs = Math.max(stalledUntilMs, clock.now() + ms);
    },
    stopReading(ms) {
      client.paused = clock.sleep(ms, client.signal).catch(() => {});
    },
  };
}

/** What one end receives. */
class End<In> implements AsyncIterable<In> {
  readonly inbox = new Mailbox<In>({ max: Number.POSITIVE_INFINITY, full: "refuse" });
  /** Nothing is taken out before this is over. */
  paused: Promise<void> | undefined;
  readonly #controller = new AbortController();
  #waiting: (() => void)[] = [];
  #unread = 0;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Frames sent to this end that it has not read. */
  get unread(): number {
    return this.#unread;
  }
  set unread(count: number) {
    this.#unread = count;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  over(error?: SlipstreamError): void {
    this.inbox.end(error);
    if (!this.signal.aborted) this.#controller.abort(error ?? new SlipstreamError("cancelled", "the stream ended"));
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async whenRead(below: number, gone: AbortSignal): Promise<void> {
    while (this.#unread > below && !this.signal.aborted && !gone.aborted) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<In, void> {
    for await (const frame of this.inbox) {
      await this.paused;
      this.paused = undefined;
      this.unread -= 1;
      yield frame;
    }
  }
}
