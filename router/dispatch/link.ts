// link: the two long-lived streams to one worker, inline and bulk, and the generations on them. Made anew with growing pauses
// when it breaks; what was on it then ends as `worker_lost`. States: connecting → ready → broken → connecting …, until closed.
import { create } from "@bufbuild/protobuf";
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Duplex } from "../../lib/grpc/duplex.ts";
import type { Log } from "../../lib/log.ts";
import type { Random } from "../../lib/random.ts";
import {
  type CancelAck,
  Channel,
  type Done,
  type RouterFrame,
  RouterFrameSchema,
  type Usage,
  type WorkerFrame,
  type WorkerWelcome,
} from "../../proto/gen/slipstream/v1/worker_pb.ts";
import type { Booking, Lane, Prompt, Work } from "../completion.ts";
import type { RouterMetrics } from "../metrics.ts";
import { creditsOf, deltaOf, errorOf, finishOf, loadOf, profileOf, routerFrame, submitFrame, usageOf } from "./frames.ts";
import { LinkGeneration } from "./generation.ts";

export type Connect = (address: string, channel: "inline" | "bulk") => Duplex<WorkerFrame, RouterFrame>;

/** Where links report their workers: the fleet. */
export interface Roster {
  joined(address: string, profile: ReturnType<typeof profileOf>): void;
  credits(address: string, credits: Record<Lane, number>): void;
  load(address: string, load: ReturnType<typeof loadOf>): void;
  draining(address: string, draining: boolean): void;
  left(address: string): void;
}

export interface LinkOptions {
  readonly address: string;
  readonly router: string;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** A worker that does not welcome us within this time is not there. */
  readonly helloTimeoutMs: number;
}

export interface LinkDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly connect: Connect;
  readonly roster: Roster;
  /** Told when a link comes up or goes down. */
  readonly changed: () => void;
  readonly log: Log;
  readonly metrics: Pick<
    RouterMetrics,
    | "link_reconnects_total"
    | "cancels_total"
    | "cancel_ack_seconds"
    | "completion_tokens_total"
    | "prompt_tokens_total"
    | "drafted_tokens_total"
  >;
}

type Name = "inline" | "bulk";
type Streams = Record<Name, Duplex<WorkerFrame, RouterFrame>>;
const protocol = { min: 1, max: 1 } as const;

export class Link {
  readonly #options: LinkOptions;
  readonly #deps: LinkDeps;
  readonly #live = new Map<bigint, LinkGeneration>();
  #streams: Streams | undefined;
  /** Streams that the worker has not welcomed. The inline one's welcome makes the link ready. */
  #unwelcomed = new Set<Name>();
  #ready = false;
  /** The one wait under way: for welcomes, or before the next try. */
  #timer: Disposable | undefined;
  #nextId = 1n;
  #failures = 0;

  constructor(options: LinkOptions, deps: LinkDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#open();
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** Generations whose end the worker has not told yet. */
  get outstanding(): number {
    return this.#live.size;
  }

  /** Sends the generation off now; its deltas and end come through the record's inbox. */
  submit(work: Work, prompt: Prompt, booking: Booking): LinkGeneration {
    const stream = this.#streams?.[channelOf(work.lane)];
    const { clock } = this.#deps;
    const generation = new LinkGeneration({
      id: this.#nextId++,
      worker: booking.placement.worker,
      booking,
      submittedMs: clock.now(),
    });
    if (!this.#ready || !stream) {
      generation.end({ error: new SlipstreamError("worker_lost", `the link to ${this.#options.address} is down`) });
      return generation;
    }
    this.#live.set(generation.id, generation);
    stream.send(
      submitFrame(generation.id, work, prompt, {
        deadlineMs: work.deadlineMs - clock.now(),
        draftDepthHint: booking.placement.draftDepthHint,
      }),
    );
    return generation;
  }

  /** Says Cancel now, once; the worker answers with CancelAck. */
  cancel(generation: LinkGeneration, lane: Lane, cause: string): void {
    if (!this.#live.has(generation.id) || generation.cancelledMs !== undefined) return;
    generation.cancelledMs = this.#deps.clock.now();
    this.#deps.metrics.cancels_total.inc({ cause });
    this.#streams?.[channelOf(lane)].send(
      routerFrame({ case: "cancel", value: { $typeName: "slipstream.v1.CancelGeneration", id: generation.id } }),
    );
  }

  /** More room for a generation whose reader caught up. */
  grant(generation: LinkGeneration, lane: Lane, bytes: number): void {
    if (bytes > 0 && this.#live.has(generation.id))
      this.#streams?.[channelOf(lane)].send(
        routerFrame({ case: "window", value: { $typeName: "slipstream.v1.Window", id: generation.id, bytes } }),
      );
  }

  /** This router's queued work per lane. */
  demand(depths: Readonly<Record<Lane, number>>): void {
    if (this.#ready) this.#streams?.inline.send(create(RouterFrameSchema, { frame: { case: "demand", value: depths } }));
  }

  close(): void {
    this.#timer?.[Symbol.dispose]();
    const streams = this.#streams;
    this.#streams = undefined;
    streams?.inline.end();
    streams?.bulk.end();
    this.#lost(new SlipstreamError("draining", "the router is shutting down"));
  }

  #open(): void {
    const { connect, clock } = this.#deps;
    const streams = { inline: connect(this.#options.address, "inline"), bulk: connect(this.#options.address, "bulk") };
    this.#streams = streams;
    this.#unwelcomed = new Set(["inline", "bulk"]);
    this.#timer = clock.timer(this.#options.helloTimeoutMs, () =>
      this.#broken(streams, new SlipstreamError("unavailable", "no welcome in time")),
    );
    for (const channel of ["inline", "bulk"] as const) {
      streams[channel].send(
        create(RouterFrameSchema, {
          frame: {
            case: "hello",
            value: {
              protocolMin: protocol.min,
              protocolMax: protocol.max,
              router: this.#options.router,
              channel: channel === "inline" ? Channel.INLINE : Channel.BULK,
            },
          },
        }),
      );
      void this.#read(streams, channel).then((error) => this.#broken(streams, error));
    }
  }

  /** Reads until the stream is over; resolves with why. */
  async #read(streams: Streams, channel: Name): Promise<SlipstreamError> {
    try {
      for await (const frame of streams[channel].frames) if (this.#streams === streams) this.#frame(frame, channel);
      return new SlipstreamError("worker_lost", "the worker closed the link");
    } catch (thrown) {
      return SlipstreamError.from(thrown);
    }
  }

  #frame({ frame }: WorkerFrame, channel: Name): void {
    const { address } = this.#options;
    const { roster } = this.#deps;
    if (frame.case === "welcome") this.#welcome(frame.value, channel);
    else if (frame.case === "credits") roster.credits(address, creditsOf(frame.value));
    else if (frame.case === "load") roster.load(address, loadOf(frame.value));
    else if (frame.case === "draining") roster.draining(address, true);
    else if (frame.case === "resume") roster.draining(address, false);
    else if (frame.case === "delta") this.#live.get(frame.value.id)?.delta(deltaOf(frame.value));
    else if (frame.case === "done") this.#done(frame.value);
    else if (frame.case === "refused") this.#ended(frame.value.id, frame.value.usage, () => ({ error: errorOf(frame.value) }));
    else if (frame.case === "cancelAck") this.#cancelled(frame.value);
    // KvChange is for a prefix map, should the fleet have one; frames of a newer agent are not for us.
  }

  #welcome(welcome: WorkerWelcome, channel: Name): void {
    const { address } = this.#options;
    if (welcome.protocol < protocol.min || welcome.protocol > protocol.max) {
      const why = `the worker chose protocol ${welcome.protocol}; this router speaks ${protocol.min}–${protocol.max}`;
      this.#streams?.inline.end(new SlipstreamError("protocol", why));
      return;
    }
    const first = this.#unwelcomed.delete(channel);
    if (this.#unwelcomed.size === 0) this.#timer?.[Symbol.dispose]();
    // The bulk stream's welcome repeats the inline one's.
    if (!first || channel === "bulk") return;
    this.#ready = true;
    this.#failures = 0;
    this.#deps.changed();
    this.#deps.roster.joined(address, profileOf(welcome));
    this.#deps.log.info({ worker: welcome.worker, address, engine: welcome.engine }, "worker joined");
  }

  #done({ id, finish, usage }: Done): void {
    this.#ended(id, usage, (generation) => ({
      end: { finish: finishOf(finish), usage: generation.usage, worker: generation.worker },
    }));
  }

  #cancelled({ id, usage }: CancelAck): void {
    this.#ended(id, usage, ({ cancelledMs }) => {
      if (cancelledMs === undefined)
        return { error: new SlipstreamError("engine_failed", "the worker stopped without being asked to") };
      this.#deps.metrics.cancel_ack_seconds.observe({}, (this.#deps.clock.now() - cancelledMs) / 1000);
      return { error: new SlipstreamError("cancelled", "cancelled by the router") };
    });
  }

  #ended(id: bigint, usage: Usage | undefined, ending: (generation: LinkGeneration) => Parameters<LinkGeneration["end"]>[0]): void {
    const generation = this.#live.get(id);
    if (!generation) return;
    this.#live.delete(id);
    generation.usage = usageOf(usage) ?? generation.usage;
    generation.end(ending(generation));
    this.#book(generation);
  }

  /** Tokens are booked where they were spent, once: also those of generations whose trigger was long gone. */
  #book({ usage, cancelledMs, delivered }: LinkGeneration): void {
    const { completion_tokens_total, prompt_tokens_total, drafted_tokens_total } = this.#deps.metrics;
    completion_tokens_total.inc({ fate: cancelledMs === undefined || delivered > 0 ? "used" : "wasted" }, usage.completionTokens);
    prompt_tokens_total.inc({ kv: "cached" }, usage.cachedTokens);
    prompt_tokens_total.inc({ kv: "recomputed" }, usage.recomputedTokens);
    drafted_tokens_total.inc({ fate: "accepted" }, usage.draftAccepted);
    drafted_tokens_total.inc({ fate: "rejected" }, Math.max(0, usage.drafted - usage.draftAccepted));
  }

  #broken(streams: Streams, error: SlipstreamError): void {
    if (this.#streams !== streams) return;
    this.#timer?.[Symbol.dispose]();
    this.#streams = undefined;
    streams.inline.end(error);
    streams.bulk.end(error);
    const { clock, random, log, metrics } = this.#deps;
    const { backoffMinMs, backoffMaxMs, address } = this.#options;
    if (this.#ready || this.#failures === 0) log.warn({ address, code: error.code, why: error.message }, "link to worker is down");
    if (this.#ready) metrics.link_reconnects_total.inc({});
    this.#lost(new SlipstreamError("worker_lost", "the link to the worker broke", { cause: error }));
    // Full jitter over a doubling range: routers that lost the same worker do not come back as one.
    const range = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    this.#timer = clock.timer(backoffMinMs / 2 + random.next() * range, () => this.#open());
  }

  #lost(error: SlipstreamError): void {
    const joined = this.#ready;
    this.#ready = false;
    if (joined) {
      this.#deps.roster.left(this.#options.address);
      this.#deps.changed();
    }
    for (const generation of this.#live.values()) {
      generation.end({ error });
      this.#book(generation);
    }
    this.#live.clear();
  }
}

function channelOf(lane: Lane): Name {
  return lane === "chat" || lane === "batch" ? "bulk" : "inline";
}
