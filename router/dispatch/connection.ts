// connection: an address in, two welcomed streams to the worker there out, inline and bulk. Made anew with growing pauses when
// either breaks. States: connecting → ready → broken → connecting …, until closed. One try at a time.
import { create } from "@bufbuild/protobuf";
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Duplex } from "../../lib/grpc/duplex.ts";
import type { Log } from "../../lib/log.ts";
import type { Random } from "../../lib/random.ts";
import {
  Channel,
  type RouterFrame,
  RouterFrameSchema,
  type WorkerFrame,
  type WorkerWelcome,
} from "../../proto/gen/slipstream/v1/worker_pb.ts";

export type ChannelName = "inline" | "bulk";
export type Connect = (address: string, channel: ChannelName) => Duplex<WorkerFrame, RouterFrame>;

export interface ConnectionOptions {
  readonly address: string;
  readonly router: string;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** A worker that does not welcome us within this time is not there. */
  readonly helloTimeoutMs: number;
  /** A worker that stays away so long is not waited for any more. */
  readonly awayMaxMs: number;
  /** Versions this router speaks. */
  readonly protocol: { readonly min: number; readonly max: number };
}

export interface ConnectionDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly connect: Connect;
  readonly log: Log;
}

export interface ConnectionEvents {
  up(welcome: WorkerWelcome): void;
  frame(frame: WorkerFrame["frame"], channel: ChannelName): void;
  /** `ready`: it was up until now. */
  down(error: SlipstreamError, ready: boolean): void;
  /** It has been down for `awayMaxMs`. */
  away(): void;
}

type Streams = Record<ChannelName, Duplex<WorkerFrame, RouterFrame>>;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #deps: ConnectionDeps;
  readonly #events: ConnectionEvents;
  #streams: Streams | undefined;
  /** Streams that the worker has not welcomed. The inline one's welcome makes the connection ready. */
  #unwelcomed = new Set<ChannelName>();
  #ready = false;
  /** Start of the agent that the inline stream reached. */
  #instance = "";
  /** The one wait under way: for welcomes, or before the next try. */
  #timer: Disposable | undefined;
  #failures = 0;
  /** Since when it is down; undefined: up, or told to be away. */
  #downMs: number | undefined;

  constructor(options: ConnectionOptions, deps: ConnectionDeps, events: ConnectionEvents) {
    this.#options = options;
    this.#deps = deps;
    this.#events = events;
    this.#open();
  }

  get ready(): boolean {
    return this.#ready;
  }

  send(channel: ChannelName, frame: RouterFrame): void {
    this.#streams?.[channel].send(frame);
  }

  /** Tears it down from this side; it is made anew. */
  break(error: SlipstreamError): void {
    if (this.#streams) this.#broken(this.#streams, error);
  }

  close(): void {
    this.#timer?.[Symbol.dispose]();
    const streams = this.#streams;
    this.#streams = undefined;
    streams?.inline.end();
    streams?.bulk.end();
    this.#down(new SlipstreamError("draining", "the router is shutting down"));
  }

  #open(): void {
    const { connect, clock } = this.#deps;
    const { address, helloTimeoutMs } = this.#options;
    const streams = { inline: connect(address, "inline"), bulk: connect(address, "bulk") };
    this.#streams = streams;
    this.#unwelcomed = new Set(["inline", "bulk"]);
    this.#instance = "";
    this.#timer = clock.timer(helloTimeoutMs, () =>
      this.#broken(streams, new SlipstreamError("unavailable", "no welcome in time")),
    );
    for (const channel of ["inline", "bulk"] as const) {
      streams[channel].send(this.#hello(channel));
      void this.#read(streams, channel).then((error) => this.#broken(streams, error));
    }
  }

  #hello(channel: ChannelName): RouterFrame {
    const { protocol, router } = this.#options;
    const wire = channel === "inline" ? Channel.INLINE : Channel.BULK;
    const value = {
      protocolMin: protocol.min,
      protocolMax: protocol.max,
      router,
      channel: wire,
      takesFrames: true,
      handsOver: true,
    };
    return create(RouterFrameSchema, { frame: { case: "hello", value } });
  }

  /** Reads until the stream is over; resolves with why. */
  async #read(streams: Streams, channel: ChannelName): Promise<SlipstreamError> {
    try {
      for await (const { frame } of streams[channel].frames) {
        if (this.#streams !== streams) continue;
        if (frame.case === "frames") this.#frames(streams, frame.value.frames, channel);
        else this.#frame(streams, frame, channel);
      }
      return new SlipstreamError("worker_lost", "the worker closed the link");
    } catch (thrown) {
      return SlipstreamError.from(thrown);
    }
  }

  /** What was said in one tick. Credits first: who hears of an end sends the next at once, and must know what is left by then. */
  #frames(streams: Streams, frames: readonly WorkerFrame[], channel: ChannelName): void {
    for (const { frame } of frames) if (frame.case === "credits") this.#frame(streams, frame, channel);
    for (const { frame } of frames) if (frame.case !== "credits") this.#frame(streams, frame, channel);
  }

  #frame(streams: Streams, frame: WorkerFrame["frame"], channel: ChannelName): void {
    if (frame.case === "welcome") this.#welcome(streams, frame.value, channel);
    else if (this.#streams === streams) this.#events.frame(frame, channel);
  }

  #welcome(streams: Streams, welcome: WorkerWelcome, channel: ChannelName): void {
    const { min, max } = this.#options.protocol;
    if (welcome.protocol < min || welcome.protocol > max) {
      const why = `the worker chose protocol ${welcome.protocol}; this router speaks ${min}–${max}`;
      streams.inline.end(new SlipstreamError("protocol", why));
      return;
    }
    // A name that stands for several workers, or one that started anew in between.
    if (this.#instance !== "" && welcome.instance !== this.#instance) {
      this.#broken(streams, new SlipstreamError("protocol", "the two streams reached different workers"));
      return;
    }
    this.#instance = welcome.instance;
    const first = this.#unwelcomed.delete(channel);
    if (this.#unwelcomed.size === 0) this.#timer?.[Symbol.dispose]();
    // The bulk stream's welcome repeats the inline one's.
    if (!first || channel === "bulk") return;
    this.#ready = true;
    this.#failures = 0;
    this.#downMs = undefined;
    const { address } = this.#options;
    this.#deps.log.info({ worker: welcome.worker, address, engine: welcome.engine }, "worker joined");
    this.#events.up(welcome);
  }

  #broken(streams: Streams, error: SlipstreamError): void {
    if (this.#streams !== streams) return;
    this.#timer?.[Symbol.dispose]();
    this.#streams = undefined;
    streams.inline.end(error);
    streams.bulk.end(error);
    const { clock, random, log } = this.#deps;
    const { backoffMinMs, backoffMaxMs, awayMaxMs, address } = this.#options;
    if (this.#ready || this.#failures === 0) log.warn({ address, code: error.code, why: error.message }, "link to worker is down");
    if (this.#ready) this.#downMs = clock.now();
    this.#down(new SlipstreamError("worker_lost", "the link to the worker broke", { cause: error }));
    if (this.#downMs !== undefined && clock.now() - this.#downMs >= awayMaxMs) {
      this.#downMs = undefined;
      this.#events.away();
    }
    // Full jitter over a doubling range: routers that lost the same worker do not come back as one.
    const range = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    this.#timer = clock.timer(backoffMinMs / 2 + random.next() * range, () => this.#open());
  }

  #down(error: SlipstreamError): void {
    const ready = this.#ready;
    this.#ready = false;
    this.#events.down(error, ready);
  }
}
