// dispatch: a Prompt and a Booking in, Deltas and one Generated out, by the link to the booked worker. Cancel is sent in the
// same tick as the trigger's signal aborts or its reader leaves. An inline generation whose worker stalls is sent a second time,
// to a worker with a free slot, and the first to answer is read: at most a share of all. A worker whose generations end badly
// is left alone for a while. Holds one link a worker address; each bounded by its credits.
import { SlipstreamError } from "../../lib/errors.ts";
import type { Booking, Delta, Generated, Lane, Prompt, Segment, Work } from "../completion.ts";
import type { RouterMetrics } from "../metrics.ts";
import type { BreakerOptions } from "./breaker.ts";
import type { LinkGeneration } from "./generation.ts";
import { Hedging, type HedgingOptions } from "./hedging.ts";
import { Link, type LinkDeps } from "./link.ts";
import { newPeers, type Peers } from "./peers.ts";
import type { Ahead } from "./prewarming.ts";
import { Race, type Watcher } from "./race.ts";
import { Stalls } from "./stalls.ts";
import type { Tokenized } from "./tokenizing.ts";

export type { Connect } from "./connection.ts";

export interface DispatchOptions {
  readonly workers: readonly string[];
  readonly router: string;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  readonly helloTimeoutMs: number;
  readonly awayMaxMs: number;
  readonly protocol: { readonly min: number; readonly max: number };
  readonly breaker: BreakerOptions;
  readonly ackMaxMs: number;
  readonly silentMinMs: number;
  /** A worker that is so much later than workers are stalls. */
  readonly hedgeAfterMs: number;
  readonly hedging: HedgingOptions;
}

/** What dispatch is shipped with; tests ask for less patience. */
export const dispatchDefaults: Omit<DispatchOptions, "workers" | "router"> = {
  backoffMinMs: 50,
  backoffMaxMs: 5_000,
  helloTimeoutMs: 5_000,
  awayMaxMs: 10_000,
  protocol: { min: 1, max: 1 },
  breaker: { failuresMax: 3, openMinMs: 250, openMaxMs: 10_000 },
  // Engines stop within a step; this many times longer is one that does not stop.
  ackMaxMs: 5_000,
  silentMinMs: 250,
  hedgeAfterMs: 20,
  hedging: { share: 0.05, burst: 10 },
};

/** Who else could do it, asked when the first worker stalls. */
export interface Second {
  /**
   * A credit of a worker that would start at once, if there is one; or when to ask again, where it would take longer than the
   * first has been late by, so that the first may well answer before.
   */
  book(lateMs: number): Booking | { readonly againMs: number } | undefined;
  /** This one answered first. */
  won(worker: string): void;
}

export interface DispatchDeps extends Omit<LinkDeps, "changed" | "barred" | "answered" | "spare" | "peers"> {
  /** Address of a worker's link, by the worker's name. */
  readonly address: (worker: string) => string | undefined;
  /** Told when a worker may be asked again. */
  readonly capacity: () => void;
  readonly metrics: LinkDeps["metrics"] & Pick<RouterMetrics, "links" | "hedges_total" | "breaker_opened_total" | "workers_barred">;
}

/** Of the workers that are up, how many may be left alone for being late; one always. */
const barredShareMax = 1 / 3;
/** Of their slots, how many the others may have in use with its work besides their own. */
const carriedShareMax = 0.75;

export class Dispatch {
  readonly #links = new Map<string, Link>();
  readonly #linkDeps: LinkDeps;
  #wanted: ReadonlySet<string> = new Set();
  readonly #options: DispatchOptions;
  readonly #deps: DispatchDeps;
  readonly #hedging: Hedging;
  /** Workers of one pool and model, by both names: those that links were made to, as long as one is there. */
  readonly #peers = new Map<string, Peers>();
  #barred: ReadonlySet<string> = new Set();
  /** What is asked a second time when its first worker stalls. */
  readonly #races = new Map<LinkGeneration, { readonly race: Race; readonly prompt: Prompt; readonly second: Second }>();

  constructor(options: DispatchOptions, deps: DispatchDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#hedging = new Hedging(options.hedging);
    this.#linkDeps = {
      ...deps,
      changed: () => this.#changed(),
      barred: (link, why) => this.#bar(link, why),
      answered: (generation) => this.#answered(generation),
      spare: (link, why) => this.#spare(link) && (why === "silent" || this.#carried(link)),
      peers: (profile) => this.#peersOf(profile),
    };
    this.retarget(options.workers);
  }

  /** Links are held to these from now on. Who is no more among them is left when its link is down: until then it is there. */
  retarget(addresses: readonly string[]): void {
    this.#wanted = new Set(addresses);
    for (const address of addresses)
      if (!this.#links.has(address)) this.#links.set(address, new Link({ ...this.#options, address }, this.#linkDeps));
    this.#leave();
  }

  /** Links that are up, of all. */
  get links(): { readonly ready: number; readonly all: number } {
    return { ready: [...this.#links.values()].filter((link) => link.ready).length, all: this.#links.size };
  }

  get outstanding(): number {
    return [...this.#links.values()].reduce((sum, link) => sum + link.outstanding, 0);
  }

  /** Workers that are left alone now: kept, because every placement asks. */
  get barred(): ReadonlySet<string> {
    return this.#barred;
  }

  /** The tokens of a text, by whichever worker tells them. */
  async tokenize(model: string, segments: readonly Segment[]): Promise<Tokenized> {
    const link = [...this.#links.values()].find((each) => each.tokenizes(model));
    if (link) return link.tokenize(model, segments);
    throw new SlipstreamError("unsupported", `content: no worker tells the tokens of "${model}"`, { field: "content" });
  }

  /** Resolves whether the worker has computed it; false where it cannot say so. */
  prewarm(worker: string, ahead: Ahead): Promise<boolean> {
    return this.#link(worker)?.prewarm(ahead) ?? Promise.resolve(false);
  }

  /** Told to a worker that will leave: its sessions are elsewhere. */
  settled(worker: string): void {
    this.#link(worker)?.settled();
  }

  /** Is this one? */
  bars(worker: string): boolean {
    return this.#link(worker)?.health.barred ?? false;
  }

  /**
   * Submits now and reads later. Throws the trigger's Retired when it is ended, `worker_lost` or the worker's own refusal
   * otherwise. Leaving the generator early cancels the generation.
   */
  generate(work: Work, prompt: Prompt, booking: Booking, second?: Second, watcher?: Watcher): AsyncGenerator<Delta, Generated> {
    const link = this.#link(booking.placement.worker);
    if (!link || work.signal.aborted) {
      booking.release();
      const why = work.signal.aborted
        ? work.signal.reason
        : new SlipstreamError("worker_lost", "the worker left before it was asked");
      watcher?.broke(why);
      return failing(why);
    }
    const race = new Race(work, (winner, losers) => this.#won(winner, winner !== generation, losers, second), watcher);
    const generation = link.submit(work, prompt, booking, race.inbox);
    race.enter(link, generation);
    this.#hedging.sent();
    if (second && work.lane === "inline" && this.#links.size > 1) {
      this.#races.set(generation, { race, prompt, second });
      link.peers?.stalls.watch(generation);
    }
    return race.read();
  }

  demand(depths: Readonly<Record<Lane, number>>): void {
    for (const link of this.#links.values()) link.demand(depths);
  }

  close(): void {
    for (const { stalls } of this.#peers.values()) stalls.close();
    for (const link of this.#links.values()) link.close();
    this.#races.clear();
  }

  #peersOf({ pool, models }: Parameters<LinkDeps["peers"]>[0]): Peers {
    const name = [pool, ...models.map((model) => model.name)].join("\n");
    let peers = this.#peers.get(name);
    if (!peers) {
      const { clock } = this.#deps;
      // Later than workers are of late, by more than may be.
      const afterMs = (expectedMs: number | undefined) =>
        expectedMs === undefined ? undefined : expectedMs + this.#options.hedgeAfterMs;
      const stalled = (generation: LinkGeneration, lateMs: number) => this.#hedge(generation, lateMs);
      peers = newPeers((firsts) => new Stalls({ clock, afterMs: () => afterMs(firsts.expectedMs), stalled }));
      this.#peers.set(name, peers);
    }
    return peers;
  }

  /** Asks a second worker, if there is one; says when to look again, where it is too soon. */
  #hedge(generation: LinkGeneration, lateMs: number): number | undefined {
    const asked = this.#races.get(generation);
    if (!asked?.race.undecided) {
      this.#races.delete(generation);
      return undefined;
    }
    const { race, prompt, second } = asked;
    const { metrics } = this.#deps;
    const booked = this.#hedging.allowed ? second.book(lateMs + this.#options.hedgeAfterMs) : undefined;
    if (booked && "againMs" in booked) return booked.againMs;
    this.#races.delete(generation);
    const link = booked && this.#link(booked.placement.worker);
    if (!booked || !link || booked.placement.worker === generation.worker) {
      booked?.release();
      metrics.hedges_total.inc({ end: "not_sent" });
      return undefined;
    }
    this.#hedging.take();
    metrics.hedges_total.inc({ end: "sent" });
    race.enter(link, link.submit(race.work, prompt, booked, race.inbox));
    return undefined;
  }

  #won(winner: LinkGeneration, hedge: boolean, losers: readonly LinkGeneration[], second: Second | undefined): void {
    if (hedge) second?.won(winner.worker);
    if (hedge || losers.length > 0) this.#deps.metrics.hedges_total.inc({ end: hedge ? "won" : "lost" });
    // Whoever was asked first and has said nothing is the one that is late.
    for (const loser of losers) {
      const link = this.#link(loser.worker);
      if (hedge && loser.firstMs === undefined && link && this.#spare(link) && this.#carried(link)) link.health.failed("stalled");
    }
  }

  #answered(generation: LinkGeneration): void {
    if (this.#races.delete(generation)) this.#link(generation.worker)?.peers?.stalls.answered(generation);
  }

  #bar(link: Link, why: string | undefined): void {
    const { metrics, log, capacity } = this.#deps;
    this.#recount();
    if (!link.health.barred) capacity();
    if (why === undefined) return;
    metrics.breaker_opened_total.inc({ why });
    log.warn({ address: link.address, why }, "worker is left alone for a while");
  }

  /**
   * Others are up, may be asked, and speak; and those left alone are few. Where many are late, it is the load: fewer workers
   * would make it worse.
   */
  #spare(link: Link): boolean {
    const ready = [...this.#links.values()].filter((other) => other.ready);
    const others = ready.filter((other) => other !== link && !other.health.barred);
    const most = Math.max(1, Math.floor(ready.length * barredShareMax));
    return others.length >= ready.length - most && others.some((other) => other.silentMs < this.#options.silentMinMs);
  }

  /**
   * Its like have slots for its work besides their own. Where they have not, it is the load that makes it late, and a worker less makes
   * it worse: what its sessions have resident there is computed anew, just when there is no time for it.
   */
  #carried(link: Link): boolean {
    let [slots, wanted] = [0, link.wanted];
    for (const other of this.#links.values()) {
      if (other === link || other.peers !== link.peers || !other.ready || other.health.barred) continue;
      slots += other.slots;
      wanted += other.wanted;
    }
    return wanted <= carriedShareMax * slots;
  }

  #link(worker: string): Link | undefined {
    return this.#links.get(this.#deps.address(worker) ?? "");
  }

  /** By name, and where a worker has two links by the one it is asked on. */
  #recount(): void {
    const links = [...this.#links.values()].filter(({ health }) => health.barred);
    this.#barred = new Set(links.flatMap(({ worker }) => (this.bars(worker) ? [worker] : [])));
    this.#deps.metrics.workers_barred.set({}, links.length);
  }

  #changed(): void {
    this.#count();
    this.#recount();
    // Not in the midst of a link's own doing.
    if ([...this.#links.keys()].some((address) => !this.#wanted.has(address))) this.#deps.clock.timer(0, () => this.#leave());
  }

  #leave(): void {
    for (const [address, link] of this.#links) {
      if (this.#wanted.has(address) || link.ready) continue;
      this.#links.delete(address);
      link.close();
    }
    const left = new Set([...this.#links.values()].map(({ peers }) => peers));
    for (const [name, peers] of this.#peers) {
      if (left.has(peers)) continue;
      peers.stalls.close();
      this.#peers.delete(name);
    }
    this.#count();
  }

  #count(): void {
    const { ready, all } = this.links;
    this.#deps.metrics.links.set({ state: "ready" }, ready);
    this.#deps.metrics.links.set({ state: "down" }, all - ready);
  }
}

// biome-ignore lint/correctness/useYield: it is a generator that has nothing to yield.
async function* failing(error: unknown): AsyncGenerator<Delta, Generated> {
  throw error;
}
