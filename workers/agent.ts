// agent: the path of a generation through a worker: intake → slots → engine → emit → report. The frames of a router's stream
// in, its answers out: each Submit ends with exactly one Done, Refused or CancelAck, unless its stream is gone, and then its
// engine is stopped. Bounded by credits (slots/ledger.ts): what was not granted is refused.
import type { Clock } from "../lib/clock.ts";
import { SlipstreamError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import type { Prewarm, RouterFrame, Submit, Tokenize, WorkerFrame } from "../proto/gen/slipstream/v1/worker_pb.ts";
import type { Emit, Ending } from "./emit/emit.ts";
import type { Engine } from "./engine/engine.ts";
import { type Finished, type Generation, type Lane, noUsage, type Usage } from "./generation.ts";
import type { Intake } from "./intake/intake.ts";
import type { Kv } from "./kv/kv.ts";
import type { WorkerMetrics } from "./metrics.ts";
import { Outstanding } from "./outstanding.ts";
import { Presence } from "./presence.ts";
import type { Report } from "./report/report.ts";
import type { LedgerStream, Slots } from "./slots/slots.ts";
import type { EndedGeneration } from "./spans.ts";

export interface Rooms {
  readonly intake: Intake;
  readonly slots: Slots;
  readonly engine: Engine;
  readonly emit: Emit;
  readonly kv: Kv;
  readonly report: Report;
}

export interface AgentDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Pick<WorkerMetrics, "abort_seconds" | "first_delta_seconds">;
  /** Told of each generation when it is over, where somebody traces. */
  readonly ended?: (ended: EndedGeneration) => void;
}

/** One of a router's two streams, over gRPC or in memory. */
export interface Stream {
  readonly frames: AsyncIterable<RouterFrame>;
  send(frame: WorkerFrame): unknown;
  /** Tears the stream down from this side: reading its frames ends. */
  end(error: SlipstreamError): void;
}

interface Joined {
  readonly router: string;
  readonly credits: LedgerStream;
  /** By the router's id; bounded by its credits. */
  readonly open: Map<bigint, Outstanding>;
  /** Aborts when the stream is over. */
  readonly gone: AbortSignal;
  /** Its router says on it when it has moved its sessions, or sent what is to be computed ahead. */
  readonly settles: boolean;
  send(frame: WorkerFrame): void;
  end(error: SlipstreamError): void;
}

export class Agent {
  readonly #rooms: Rooms;
  readonly #deps: AgentDeps;
  readonly #streams = new Set<Joined>();
  /** Whether it takes work, and what routers are told of that. */
  readonly presence: Presence<Joined>;
  #tokenizing = 0;
  /** Drains that wait for the last generation. */
  #quiet: (() => void)[] = [];

  constructor(rooms: Rooms, deps: AgentDeps) {
    this.#rooms = rooms;
    this.#deps = deps;
    const { emit, slots } = rooms;
    this.presence = new Presence({ clock: deps.clock, emit, ledger: slots.ledger, streams: () => this.#streams });
  }

  /** Serves one stream until its frames end. Throws for a bad hello or a broken protocol; its generations end with it. */
  async serve(stream: Stream): Promise<void> {
    const { intake, slots, engine, emit, kv, report } = this.#rooms;
    const frames = stream.frames[Symbol.asyncIterator]();
    const first = await frames.next();
    const hello = intake.hello(first.done ? undefined : first.value);
    let live = true;
    const over = new AbortController();
    const say = (frame: WorkerFrame) => void (live && stream.send(frame));
    const together = hello.takesFrames ? emit.together(say) : undefined;
    const send = together ? (frame: WorkerFrame) => together.send(frame) : say;
    send(intake.welcome(hello, { engine, kvSequence: kv.sequence, wantsPrefixes: this.presence.wantsPrefixes }));
    using credits = slots.ledger.join(hello.router, hello.channel, send);
    using _reader = hello.channel === "bulk" ? kv.join(send) : report.join(send);
    const end = (error: SlipstreamError) => {
      together?.flush();
      stream.end(error);
    };
    const settles = hello.handsOver && hello.channel === "inline";
    const joined: Joined = { router: hello.router, credits, open: new Map(), gone: over.signal, settles, send, end };
    this.#streams.add(joined);
    this.presence.joined(joined);
    this.#deps.log.info({ router: hello.router, channel: hello.channel, protocol: hello.protocol }, "router connected");
    try {
      for (let next = await frames.next(); !next.done; next = await frames.next()) this.#take(next.value, joined);
    } finally {
      live = false;
      over.abort(new SlipstreamError("cancelled", "the router is gone"));
      this.#streams.delete(joined);
      this.presence.settled(joined);
      for (const open of joined.open.values()) open.stop({ why: "lost" });
      this.#deps.log.info({ router: hello.router, channel: hello.channel }, "router gone");
    }
  }

  /** Acts on a frame at once: nothing here waits, so that a Cancel is never behind another frame's work. */
  #take({ frame }: RouterFrame, stream: Joined): void {
    const { clock } = this.#deps;
    switch (frame.case) {
      case "submit":
        if (stream.open.has(frame.value.id)) throw new SlipstreamError("protocol", `submit.id: ${frame.value.id} is under way`);
        void this.#generate(frame.value, stream, clock.now());
        return;
      case "cancel":
        // Unknown: it has ended, and its closing frame is on the way.
        stream.open.get(frame.value.id)?.stop({ why: "cancel", atMs: clock.now() });
        return;
      case "window":
        stream.open.get(frame.value.id)?.window(frame.value.bytes);
        return;
      case "demand":
        stream.credits.demand(frame.value);
        return;
      case "prewarm":
        this.#prewarm(frame.value, stream);
        return;
      case "settled":
        this.presence.settled(stream);
        return;
      case "tokenize":
        void this.#tokenize(frame.value, stream);
        return;
      case "kvResend":
        this.#rooms.kv.resend(frame.value.fromSequence, stream.send);
        return;
      case "hello":
        throw new SlipstreamError("protocol", "hello: comes once, first");
      default:
        // A frame of a newer router: what this agent did not promise in its Welcome, that router can do without.
        return;
    }
  }

  /** The path of one generation, top to bottom. */
  async #generate(submit: Submit, stream: Joined, receivedMs: number): Promise<void> {
    const { intake, emit, kv, report } = this.#rooms;
    const emission = emit.start(submit, stream.send, () => this.#firstDelta(work?.lane, receivedMs));
    using open = new Outstanding({ emission }, this.#deps);
    stream.open.set(submit.id, open);
    let work: Generation | undefined;
    let usage = noUsage();
    let ending: Ending | undefined;
    try {
      work = intake.submit(submit, stream.router, receivedMs); //    1 wire → Generation, or refused with the field's name
      using claim = stream.credits.claim(work.lane); //              2 within its credits, or refused
      const finished = await this.#compute(work, open); //           3 a slot, then the engine, text leaving as it comes
      usage = finished.usage;
      if (usage.completionTokens > 0) kv.computed(work);
      claim.idle(); //                                               4 the slot is another's; the text may wait for its reader
      await open.drained();
      ending = open.ending(finished); //                             5 one closing frame
    } catch (thrown) {
      ending = this.#refused(thrown);
    }
    stream.open.delete(submit.id);
    if (ending) stream.send(emit.end(submit.id, ending, usage));
    report.ended(work?.lane, ending, usage); //                      6 booked, whatever the end
    this.#ended(submit.id, stream, work?.lane, ending, usage);
    if (work) this.#deps.ended?.(toldOf(work, ending, usage, this.#deps.clock.now()));
  }

  async #compute(work: Generation, open: Outstanding): Promise<Finished> {
    const { slots, engine, kv, report } = this.#rooms;
    const retire = () => open.stop({ why: "refuse", error: retired() });
    const entering = slots.enter(work, open.signal, retire);
    report.changed();
    kv.use(slots);
    using slot = await entering;
    if (!slot) return { kind: "aborted", usage: { ...noUsage(), queueMs: this.#deps.clock.now() - work.receivedMs } };
    open.expireAt(work.deadlineMs);
    const pieces = engine.generate(work, open.signal);
    let next = await pieces.next();
    for (; !next.done; next = await pieces.next()) open.take(next.value);
    next.value.usage.queueMs += slot.waitedMs;
    return next.value;
  }

  /** Takes no new work, tells every router, and waits for what runs; after `graceMs` the rest is refused. */
  async drain(graceMs: number): Promise<void> {
    this.presence.draining(graceMs);
    this.#rooms.slots.drain();
    using _late = this.#deps.clock.timer(graceMs, () => {
      const error = new SlipstreamError("draining", "the worker ended before the generation did");
      for (const { open } of this.#streams) for (const one of open.values()) one.stop({ why: "refuse", error });
    });
    if (this.outstanding > 0) await new Promise<void>((resolve) => this.#quiet.push(resolve));
  }

  /** Ends every stream; the routers connect elsewhere. */
  close(): void {
    for (const { end } of [...this.#streams]) end(new SlipstreamError("draining", "the worker is shutting down; connect anew"));
    this.#rooms.kv.close();
  }

  /** Takes work again after its engine was away: the hot prefixes are computed anew. */
  resume(): void {
    this.#rooms.kv.reheat();
    this.stay();
  }

  /** Takes work again, and has all that it had. */
  stay(): void {
    this.#rooms.slots.resume();
    this.presence.resumed();
  }

  /** A wish: one that cannot be granted is only noted. */
  #prewarm(prewarm: Prewarm, { send }: Joined): void {
    const { intake, kv, emit } = this.#rooms;
    const ended = (warm: boolean) => void (prewarm.id > 0n && send(emit.prewarmed(prewarm.id, warm)));
    try {
      kv.warm({ ...intake.prewarm(prewarm), ended });
    } catch (thrown) {
      ended(false);
      const { code, field } = SlipstreamError.from(thrown);
      this.#deps.log.warn({ code, field }, "a prewarm makes no sense");
    }
  }

  /** Apart from generations: it has no slot, and few at once. */
  async #tokenize(asked: Tokenize, { send, gone }: Joined): Promise<void> {
    const { intake, engine, emit } = this.#rooms;
    if (this.#tokenizing >= tokenizingMax) return send(emit.noTokens(asked.id, tooMany()));
    this.#tokenizing += 1;
    try {
      const { model, segments } = intake.tokenize(asked);
      if (!engine.tokenize) throw new SlipstreamError("unsupported", "the engine does not tell its tokens");
      send(emit.tokens(asked.id, await engine.tokenize(model, segments, gone)));
    } catch (thrown) {
      send(emit.noTokens(asked.id, SlipstreamError.from(thrown)));
    } finally {
      this.#tokenizing -= 1;
    }
  }

  /** Generations under way, of every router. */
  get outstanding(): number {
    let sum = 0;
    for (const { open } of this.#streams) sum += open.size;
    return sum;
  }

  #refused(thrown: unknown): Ending {
    const error = SlipstreamError.from(thrown);
    if (error.code === "internal") this.#deps.log.error({ err: error.cause ?? error }, "a generation failed by a mistake of ours");
    return { kind: "refused", error };
  }

  #firstDelta(lane: Lane | undefined, receivedMs: number): void {
    const seconds = (this.#deps.clock.now() - receivedMs) / 1_000;
    this.#deps.metrics?.first_delta_seconds.observe({ lane: lane ?? "inline" }, seconds);
  }

  #ended(id: bigint, stream: Joined, lane: Lane | undefined, ending: Ending | undefined, usage: Usage): void {
    if (ending?.kind === "cancelled") this.#deps.metrics?.abort_seconds.observe({}, ending.abortMs / 1_000);
    const how = ending?.kind === "refused" ? { code: ending.error.code } : {};
    this.#deps.log.debug({ id: String(id), router: stream.router, lane, end: ending?.kind ?? "lost", ...how, usage }, "generation");
    const { slots, kv } = this.#rooms;
    kv.use(slots);
    if (this.outstanding === 0) for (const resolve of this.#quiet.splice(0)) resolve();
  }
}

function toldOf(work: Generation, ending: Ending | undefined, usage: Usage, endedMs: number): EndedGeneration {
  const end = ending?.kind === "refused" ? ending.error.code : (ending?.kind ?? "lost");
  return { work, usage, end, failed: ending?.kind === "refused", endedMs };
}

/** Texts looked up at once, of all routers: a vocabulary is one, and generations need it too. */
const tokenizingMax = 8;

function tooMany(): SlipstreamError {
  return new SlipstreamError("overloaded", `${tokenizingMax} texts are being looked up already`, { retryAfterMs: 1_000 });
}

function retired(): SlipstreamError {
  return new SlipstreamError("overloaded", "retired for inline work");
}
