// fleet: what links report of their workers in, an immutable FleetView out. Off the path: links write here, schedule reads a
// snapshot. Own bookings count at once, before a worker could say so. Remembers which worker holds a session (leases.ts), which
// beginnings many have in common (shared.ts) and what it was sent (warmth.ts). Bounded by the number of links, and by both.
import type { Clock } from "../../lib/clock.ts";
import {
  type Asking,
  type FleetView,
  type Lane,
  lanes,
  type Placement,
  type Prompt,
  type Remembered,
  type ServedModel,
  type SharedBeginning,
  type Spent,
  type WorkerView,
} from "../completion.ts";
import { Away } from "./away.ts";
import { type LeaseException, type LeaseOptions, Leases } from "./leases.ts";
import { servedModel } from "./served.ts";
import { SharedBeginnings, type SharedOptions } from "./shared.ts";
import { Warmth, type WarmthOptions } from "./warmth.ts";
import {
  ewma,
  type Known,
  newWorker,
  none,
  noteUse,
  outstandingOf,
  type PerLane,
  perLane,
  shareInUse,
  viewOf,
  type WorkerLoad,
  type WorkerProfile,
} from "./worker.ts";

export type { LeaseException } from "./leases.ts";
export type { WorkerProfile } from "./worker.ts";

export interface FleetOptions {
  readonly leases: LeaseOptions;
  readonly warmth: WarmthOptions;
  readonly shared: SharedOptions;
}

export interface FleetDeps {
  readonly clock: Clock;
  /** Told when a worker may take more than before. */
  readonly capacity: () => void;
  /** Given each lease that other routers should know of. */
  readonly leased?: (exception: LeaseException) => void;
  /** A worker is there, perhaps a new one. */
  readonly joined?: (worker: WorkerProfile) => void;
  /** A worker said that it will drain, in `ms`; 0: it stays, drains now, or is gone. */
  readonly leaving?: (worker: string, ms: number) => void;
}

/** A pace measured over fewer tokens is the first step's alone. */
const paceTokensMin = 3;

export class Fleet {
  readonly #deps: FleetDeps;
  readonly #leases: Leases;
  readonly #warmth: Warmth;
  readonly #shared: SharedBeginnings;
  /**
   * By link address, in the order of joining. A worker that comes back at another address before its old link is known to be
   * dead is there twice: the newest counts.
   */
  readonly #known = new Map<string, Known>();
  /** By name, the newest of each. */
  #named = new Map<string, { readonly address: string; readonly known: Known }>();
  #roster: Known[] = [];
  #rosters = 0;
  readonly #away = new Away();
  #lost: FleetView["away"] = [];
  readonly #answerTokens = perLane(ewma);
  /** Of the roster, as last looked at; what has changed since; and the sums over them. */
  #views: WorkerView[] = [];
  readonly #dirty = new Set<Known>();
  #totals = { free: { ...none }, slots: { all: 0, used: 0 } };
  #view: FleetView | undefined;

  constructor(options: FleetOptions, deps: FleetDeps) {
    this.#deps = deps;
    this.#leases = new Leases(options.leases, {
      told: (exception) => deps.leased?.(exception),
      counted: (worker) => this.#changed(this.#named.get(worker)?.known),
    });
    this.#warmth = new Warmth(options.warmth);
    this.#shared = new SharedBeginnings(options.shared);
  }

  joined(address: string, profile: WorkerProfile): void {
    this.#away.forget(address);
    this.#known.delete(address);
    this.#known.set(address, newWorker(profile, this.#deps.clock.now()));
    this.#recount();
    this.#deps.joined?.(profile);
  }

  credits(address: string, credits: PerLane): void {
    this.#update(address, (known) => {
      known.credits = credits;
    });
  }

  load(address: string, load: WorkerLoad): void {
    const known = this.#known.get(address);
    if (!known) return;
    known.load = load;
    known.loadMs = this.#deps.clock.now();
    known.bookedTokens = 0;
    known.foreign = Math.max(0, load.running - outstandingOf(known));
    noteUse(known, known.loadMs);
    this.#changed(known);
  }

  draining(address: string, draining: boolean, handOverMs = 0): void {
    this.#update(address, (known) => {
      known.draining = draining && handOverMs === 0;
      known.leaving = draining && handOverMs > 0;
    });
    const worker = this.#known.get(address)?.profile.name;
    if (worker !== undefined) this.#deps.leaving?.(worker, draining ? handOverMs : 0);
  }

  left(address: string): void {
    const known = this.#known.get(address);
    if (!known) return;
    this.#known.delete(address);
    this.#away.left(address, { ...known.profile, drained: known.draining || known.leaving });
    this.#deps.leaving?.(known.profile.name, 0);
    this.#recount();
    // Who waited for this worker alone may now go to one that it had avoided.
    this.#deps.capacity();
  }

  /** It is not waited for any more. */
  gone(address: string): void {
    if (this.#away.forget(address)) this.#recount();
  }

  /** What is remembered of who asks. */
  remembered({ session, document, prompt }: Pick<Asking, "session" | "document" | "prompt">): Remembered {
    const now = this.#deps.clock.now();
    const shared = () => this.#shared.of(prompt, now);
    return { ...this.#leases.holder(session, now), warm: this.#warmth.of(document, prompt, now), shared };
  }

  /** Has the worker that holds the session a slot for it at once, for that model? */
  hasRoom(session: string, lane: Lane, { model: name, pool }: Pick<Asking, "model" | "pool">): boolean {
    const { lease } = this.#leases.holder(session, this.#deps.clock.now());
    const known = lease === undefined ? undefined : this.#named.get(lease)?.known;
    if (!known || known.draining) return false;
    const { booked, credits, load, profile } = known;
    if ((pool !== undefined && pool !== profile.pool) || !profile.models.some((model) => model.name === name)) return false;
    return credits[lane] > booked[lane] && Math.max(outstandingOf(known), load.running) < profile.slots;
  }

  /** Takes one credit, and the session's lease with it; `release` gives the credit back, once. */
  book(
    { worker, lease, freshTokens }: Pick<Placement, "worker" | "lease" | "freshTokens">,
    { session, document, lane, prompt }: Pick<Asking, "session" | "document" | "lane" | "prompt">,
  ): (spent?: Spent) => void {
    const known = this.#named.get(worker)?.known;
    if (!known) return () => {};
    const { clock, capacity } = this.#deps;
    const since = clock.now();
    known.booked[lane] += 1;
    known.bookedTokens += freshTokens;
    noteUse(known, since);
    const { load } = known;
    if (lease !== "none") this.#leases.take(session, worker, lease, since, this.#rosters);
    this.#warmth.sent(document, worker, prompt, since);
    this.#shared.sent(session, worker, prompt, since);
    this.#changed(known);
    let held = true;
    return (spent) => {
      if (!held) return;
      held = false;
      const now = clock.now();
      known.booked[lane] -= 1;
      noteUse(known, now);
      // What its prompt took is over, and Load may not come to say so.
      if (known.load === load) known.bookedTokens -= freshTokens;
      known.service[lane].add(now - since, now);
      if (spent && spent.completionTokens >= paceTokensMin && spent.decodeMs > 0) {
        known.tokenMs.add(spent.decodeMs / spent.completionTokens, now);
        known.pacedMs = now;
      }
      this.#changed(known);
      capacity();
    };
  }

  /** Says to the other routers where sessions of this one are that are not where their hash says. */
  handOver(): void {
    this.#leases.tellAll(this.#deps.clock.now());
  }

  /** Sessions whose lease a worker has, the last used first. */
  heldBy(worker: string): string[] {
    return this.#leases.heldBy(worker);
  }

  /** The longest beginning of a prompt that other sessions' had too. */
  beginning(prompt: Pick<Prompt, "blocks">): SharedBeginning | undefined {
    return this.#shared.of(prompt, this.#deps.clock.now());
  }

  /** A worker has computed a prompt ahead. With a lease the session goes there. */
  warmed(
    worker: string,
    { session, document, prompt }: Pick<Asking, "session" | "document"> & { readonly prompt: Pick<Prompt, "bytes" | "blocks"> },
    lease: Placement["lease"],
  ): void {
    const now = this.#deps.clock.now();
    if (document !== "") this.#warmth.sent(document, worker, prompt, now);
    if (lease === "none") this.#shared.sent(session, worker, prompt, now);
    else this.#leases.take(session, worker, lease, now, this.#rosters);
  }

  /** So many tokens made an answer. */
  answered(lane: Lane, tokens: number): void {
    if (tokens > 0) this.#answerTokens[lane].add(tokens, this.#deps.clock.now());
    this.#view = undefined;
  }

  /** Another router placed a session elsewhere than its hash says. */
  leaseElsewhere(exception: LeaseException): void {
    this.#leases.apply(exception, this.#deps.clock.now());
  }

  snapshot(): FleetView {
    this.#view ??= this.#look();
    return this.#view;
  }

  /** The model that a call names, itself or by its pool ("": any), as the fleet serves it; the fastest worker's prefill rate counts. */
  model(name: string): ServedModel | undefined {
    return servedModel(name, this.snapshot().workers) ?? this.#away.model(name);
  }

  /** Share of late time in which the workers of this model or pool ("": any) had work for people, in the mean. */
  inUse(model: string): number {
    return shareInUse(this.#roster, model, this.#deps.clock.now());
  }

  /** Address of a worker's link. */
  address(worker: string): string | undefined {
    return this.#named.get(worker)?.address;
  }

  /** Which revision of its pool a worker is, or was when its link broke; "": not known, or it is gone for good. */
  revision(worker: string): string {
    return this.#named.get(worker)?.known.profile.revision ?? this.#away.revision(worker) ?? "";
  }

  /** Of a thousand workers one has changed: the rest is as it was. */
  #look(): FleetView {
    if (this.#dirty.size > 0) this.#views = this.#views.slice();
    for (const known of this.#dirty) {
      const view = viewOf(known, this.#leases.count(known.profile.name));
      this.#total(this.#views[known.index], -1);
      this.#total(view, 1);
      this.#views[known.index] = view;
    }
    this.#dirty.clear();
    const { free, slots } = this.#totals;
    const tokens = this.#answerTokens;
    const answerTokens = {
      ...{ inline: tokens.inline.value(0), chat: tokens.chat.value(0) },
      ...{ speculative: tokens.speculative.value(0), batch: tokens.batch.value(0) },
    };
    const [workers, roster, rosters, away] = [this.#views, this.#roster, this.#rosters, this.#lost];
    return { workers, roster, rosters, away, free: { ...free }, slots: { ...slots }, answerTokens };
  }

  #total(view: WorkerView | undefined, by: 1 | -1): void {
    if (!view || view.draining) return;
    const { free, slots } = this.#totals;
    for (const lane of lanes) free[lane] += by * view.free[lane];
    slots.all += by * view.slots;
    slots.used += by * Math.min(view.slots, Math.max(view.running, view.outstanding));
  }

  #update(address: string, change: (known: Known) => void): void {
    const known = this.#known.get(address);
    if (!known) return;
    change(known);
    this.#changed(known);
    this.#deps.capacity();
  }

  #changed(known: Known | undefined): void {
    if (known && known.index >= 0) this.#dirty.add(known);
    this.#view = undefined;
  }

  /** Workers came or went. */
  #recount(): void {
    this.#named = new Map();
    for (const [address, known] of this.#known) this.#named.set(known.profile.name, { address, known });
    // Also of those that left: what comes late from them changes nothing.
    for (const known of this.#roster) known.index = -1;
    this.#roster = [...this.#named.values()].map(({ known }) => known);
    this.#rosters += 1;
    this.#lost = this.#away.lost;
    for (const [index, known] of this.#roster.entries()) known.index = index;
    this.#views = [];
    this.#totals = { free: { ...none }, slots: { all: 0, used: 0 } };
    this.#dirty.clear();
    for (const known of this.#roster) this.#dirty.add(known);
    this.#view = undefined;
  }
}
