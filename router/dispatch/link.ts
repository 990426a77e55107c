// link: the two streams to one worker: Submit, Cancel, Window and Demand out, its frames in, each to whom it concerns: those of a
// generation to what is owed (owed.ts), those of the worker to the roster. What is on it when it breaks ends as `worker_lost`, and
// so does what a worker keeps silent about while others speak; whoever waited asks elsewhere. A worker that does not acknowledge
// a Cancel loses the link, and with it the credit it kept.
import { create } from "@bufbuild/protobuf";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Mailbox } from "../../lib/structures/mailbox.ts";
import { RouterFrameSchema, type WorkerFrame, type WorkerWelcome } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import { type Booking, type Lane, noLanes, type Prompt, type Segment, type Work } from "../completion.ts";
import type { RouterMetrics } from "../metrics.ts";
import type { BreakerOptions } from "./breaker.ts";
import { type ChannelName, Connection, type ConnectionDeps, type ConnectionOptions } from "./connection.ts";
import { creditsOf, deltaOf, type Limits, limitsOf, loadOf, profileOf, routerFrame, submitFrame } from "./frames.ts";
import { type Item, LinkGeneration } from "./generation.ts";
import { Health } from "./health.ts";
import { Owed, type OwedDeps } from "./owed.ts";
import type { Peers } from "./peers.ts";
import { type Ahead, Prewarming } from "./prewarming.ts";
import type { Roster } from "./roster.ts";
import { type Tokenized, Tokenizing } from "./tokenizing.ts";

export interface LinkOptions extends ConnectionOptions {
  readonly breaker: BreakerOptions;
  /** A Cancel that is not acknowledged within this time breaks the link. */
  readonly ackMaxMs: number;
  /** A worker that owes something and says nothing for so long is silent, if others speak. */
  readonly silentMinMs: number;
}

export interface LinkDeps extends ConnectionDeps, Pick<OwedDeps, "answered"> {
  readonly roster: Roster;
  /** Told when a link comes up or goes down. */
  readonly changed: () => void;
  /** Told when its worker may be asked again, or no more: why, or because one is asked to try it. */
  readonly barred: (link: Link, why: string | undefined) => void;
  /** May it be left alone for being silent, or late: could others do its work now? */
  readonly spare: (link: Link, why: "silent" | "late") => boolean;
  /** Workers like this one, by what it says it is. */
  readonly peers: (profile: ReturnType<typeof profileOf>) => Peers;
  readonly metrics: OwedDeps["metrics"] & Pick<RouterMetrics, "link_reconnects_total" | "cancels_total">;
}

/** A link that owes something is looked at so often; a look that comes later than this says nothing of the worker. */
const watchMs = 100;
const watchLateMs = 50;
/** Times the time in which workers answer: silent. */
const silentTimes = 4;

export class Link {
  readonly address: string;
  readonly health: Health;
  readonly #options: LinkOptions;
  readonly #deps: LinkDeps;
  readonly #connection: Connection;
  readonly #owed: Owed;
  readonly #tokenizing: Tokenizing;
  readonly #prewarming: Prewarming;
  /** It says what became of a Prewarm. */
  #prewarms = false;
  /** Models whose tokens it tells. */
  #tokenizes: ReadonlySet<string> = new Set();
  #nextId = 1n;
  /** While the link is up: each lane's credits come on the lane's own stream. */
  #credits = noLanes;
  #limits: Limits = limitsOf(undefined);
  #demand = noLanes;
  /** As it said at the last welcome; "": there was none. */
  worker = "";
  slots = 0;
  /** Those like it, since then. */
  peers: Peers | undefined;
  #heardMs = 0;
  #watch: Disposable | undefined;

  constructor(options: LinkOptions, deps: LinkDeps) {
    this.#options = options;
    this.#deps = deps;
    this.address = options.address;
    const { clock } = deps;
    this.health = new Health(options.breaker, { clock, changed: (why) => deps.barred(this, why) });
    this.#owed = new Owed({ ...deps, health: this.health, spare: () => deps.spare(this, "late") });
    this.#tokenizing = new Tokenizing(deps);
    this.#prewarming = new Prewarming(deps);
    this.#connection = new Connection(options, deps, {
      up: (welcome) => this.#up(welcome),
      frame: (frame, channel) => this.#frame(frame, channel),
      down: (error, ready) => this.#down(error, ready),
      away: () => deps.roster.gone(this.address),
    });
  }

  get ready(): boolean {
    return this.#connection.ready;
  }

  /** Generations whose end the worker has not told yet. */
  get outstanding(): number {
    return this.#owed.size;
  }

  /** Of these, those that somebody still wants. */
  get wanted(): number {
    let count = 0;
    for (const { cancelledMs } of this.#owed.all()) if (cancelledMs === undefined) count += 1;
    return count;
  }

  /** Since when it has said nothing while it owed something. */
  get silentMs(): number {
    const { sinceMs } = this.#owed;
    return sinceMs === undefined ? 0 : this.#deps.clock.now() - Math.max(this.#heardMs, sinceMs);
  }

  /** Sends the generation off now; its deltas and end come to `inbox`. */
  submit(work: Work, prompt: Prompt, booking: Booking, inbox: Mailbox<Item>): LinkGeneration {
    const { clock } = this.#deps;
    const { worker } = booking.placement;
    const { lane, bill } = work;
    const submittedMs = clock.now();
    const generation = new LinkGeneration({ id: this.#nextId++, worker, lane, booking, submittedMs, inbox, bill });
    if (!this.ready) {
      generation.end({ error: new SlipstreamError("worker_lost", `the link to ${this.address} is down`) });
      return generation;
    }
    const { promptBytesMax, maxTokensMax } = this.#limits;
    if (prompt.bytes > promptBytesMax) {
      const problem = `the prompt has ${prompt.bytes} bytes, ${worker} takes ${promptBytesMax}`;
      generation.end({ error: new SlipstreamError("invalid_request", problem, { field: "prompt" }) });
      return generation;
    }
    this.#owed.add(generation);
    this.health.asked();
    this.#connection.send(
      channelOf(lane),
      submitFrame(generation.id, work, prompt, {
        deadlineMs: work.deadlineMs - clock.now(),
        maxTokensMax,
      }),
    );
    this.#watch ??= this.#look();
    return generation;
  }

  /** Can it say what the tokens of a text are, for this model? */
  tokenizes(model: string): boolean {
    return this.ready && this.#tokenizes.has(model);
  }

  tokenize(model: string, segments: readonly Segment[]): Promise<Tokenized> {
    return this.#tokenizing.ask(model, segments, (frame) => this.#connection.send("bulk", frame));
  }

  /** Asks for a prompt to be computed ahead of who asks for it; resolves whether it is warm. */
  prewarm(ahead: Ahead): Promise<boolean> {
    if (!this.ready || !this.#prewarms) return Promise.resolve(false);
    return this.#prewarming.ask(ahead, (frame) => this.#connection.send("bulk", frame));
  }

  /** Its sessions are elsewhere, as far as they can be. */
  settled(): void {
    if (this.ready)
      this.#connection.send("inline", routerFrame({ case: "settled", value: { $typeName: "slipstream.v1.Settled" } }));
  }

  /** Says Cancel now, once; the worker answers with CancelAck. */
  cancel(generation: LinkGeneration, cause: string): void {
    if (!this.#owed.has(generation) || generation.cancelledMs !== undefined) return;
    const { clock, metrics } = this.#deps;
    generation.cancelledMs = clock.now();
    generation.hedged = cause === "hedged";
    if (generation.firstMs === undefined) {
      this.health.unasked();
      // Where all are late nobody is: what was given up counts as far as it was waited for.
      if (generation.lane === "inline") this.health.promptness.atLeast(clock.now() - generation.submittedMs);
    }
    metrics.cancels_total.inc({ cause });
    const value = { $typeName: "slipstream.v1.CancelGeneration" as const, id: generation.id };
    this.#connection.send(channelOf(generation.lane), routerFrame({ case: "cancel", value }));
  }

  /** More room for a generation whose reader caught up. */
  grant(generation: LinkGeneration, bytes: number): void {
    if (bytes === 0 || !this.#owed.has(generation)) return;
    const value = { $typeName: "slipstream.v1.Window" as const, id: generation.id, bytes };
    this.#connection.send(channelOf(generation.lane), routerFrame({ case: "window", value }));
  }

  /** This router's queued work per lane; said again to a worker that comes back. */
  demand(depths: Readonly<Record<Lane, number>>): void {
    this.#demand = depths;
    if (this.ready) this.#connection.send("inline", create(RouterFrameSchema, { frame: { case: "demand", value: depths } }));
  }

  close(): void {
    this.#connection.close();
    this.health.close();
  }

  #frame(frame: WorkerFrame["frame"], channel: ChannelName): void {
    const { roster, clock } = this.#deps;
    this.#heardMs = clock.now();
    if (frame.case === "delta") this.#owed.delta(frame.value.id, deltaOf(frame.value));
    else if (frame.case === "done") this.#owed.done(frame.value);
    else if (frame.case === "refused") this.#owed.refused(frame.value);
    else if (frame.case === "cancelAck") this.#owed.cancelled(frame.value);
    else if (frame.case === "tokens") this.#tokenizing.answered(frame.value);
    else if (frame.case === "prewarmed") this.#prewarming.answered(frame.value);
    else if (frame.case === "load") {
      this.health.speed.said(frame.value, this.#heardMs);
      roster.load(this.address, loadOf(frame.value));
    } else if (frame.case === "credits") {
      // The other stream's may be older: it says its own lanes in order, and no others.
      const { inline, chat, speculative, batch } = creditsOf(frame.value);
      this.#credits = { ...this.#credits, ...(channel === "inline" ? { inline, speculative } : { chat, batch }) };
      roster.credits(this.address, this.#credits);
    } else if (frame.case === "draining") roster.draining(this.address, true, frame.value.handOverMs);
    else if (frame.case === "resume") roster.draining(this.address, false);
  }

  #up(welcome: WorkerWelcome): void {
    this.#heardMs = this.#deps.clock.now();
    this.#limits = limitsOf(welcome);
    this.#prewarms = welcome.capabilities.includes("prewarm");
    this.#tokenizes = new Set(welcome.capabilities.includes("tokenize") ? welcome.models.map(({ name }) => name) : []);
    const profile = profileOf(welcome);
    this.worker = profile.name;
    this.slots = profile.slots;
    this.peers = this.#deps.peers(profile);
    this.health.among(this.peers);
    this.#deps.roster.joined(this.address, profile);
    this.#deps.changed();
    // Those of the bulk stream, or of the same tick, may have come before.
    if (this.#credits !== noLanes) this.#deps.roster.credits(this.address, this.#credits);
    if (this.#demand !== noLanes) this.demand(this.#demand);
  }

  #down(error: SlipstreamError, ready: boolean): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
    this.#credits = noLanes;
    if (ready) {
      if (error.code !== "draining") {
        this.#deps.metrics.link_reconnects_total.inc({});
        if (this.#owed.size > 0) this.health.failed("lost");
      }
      this.health.lost();
      this.#deps.roster.left(this.address);
      this.#deps.changed();
    }
    this.#owed.broken(error);
    this.#tokenizing.broken(error);
    this.#prewarming.broken();
  }

  /** Looks at what the worker owes, as long as it owes something. */
  #look(): Disposable {
    const { clock } = this.#deps;
    const dueMs = clock.now() + watchMs;
    return clock.timer(watchMs, () => {
      this.#watch = undefined;
      if (this.#owed.size === 0) return;
      // When this process itself was late, what the worker said may still wait to be read.
      if (clock.now() - dueMs <= watchLateMs) this.#judge();
      if (this.ready) this.#watch ??= this.#look();
    });
  }

  #judge(): void {
    const { ackMaxMs, silentMinMs } = this.#options;
    const now = this.#deps.clock.now();
    for (const { cancelledMs } of this.#owed.all()) {
      if (now - (cancelledMs ?? now) < ackMaxMs) continue;
      this.health.trip("no_ack");
      this.#connection.break(new SlipstreamError("worker_lost", `no CancelAck within ${ackMaxMs} ms`));
      return;
    }
    const usual = (this.peers?.firsts.expectedMs ?? 0) * silentTimes;
    if (this.silentMs < Math.max(silentMinMs, usual) || !this.#deps.spare(this, "silent")) return;
    this.health.trip("silent");
    for (const generation of this.#owed.all()) {
      if (generation.cancelledMs !== undefined) continue;
      generation.giveUp(new SlipstreamError("worker_lost", "the worker says nothing"));
      this.cancel(generation, "silent");
    }
  }
}

function channelOf(lane: Lane): ChannelName {
  return lane === "chat" || lane === "batch" ? "bulk" : "inline";
}
