// fleet: what links report of their workers in, an immutable FleetView out. Off the path: links write here, schedule reads a
// snapshot. Own bookings count at once, before a worker could say so. Remembers which worker holds a session (leases.ts) and what
// it was sent (warmth.ts). Bounded by the number of links, and by both.
import type { Clock } from "../../lib/clock.ts";
import { Ewma } from "../../lib/structures/ewma.ts";
import {
  type Asking,
  type FleetView,
  type Lane,
  lanes,
  type Placement,
  type Remembered,
  type ServedModel,
  type WorkerView,
} from "../completion.ts";
import { Away } from "./away.ts";
import { type LeaseException, type LeaseOptions, Leases } from "./leases.ts";
import { Warmth, type WarmthOptions } from "./warmth.ts";

export type { LeaseException } from "./leases.ts";

export interface FleetOptions {
  readonly leases: LeaseOptions;
  readonly warmth: WarmthOptions;
}

export interface FleetDeps {
  readonly clock: Clock;
  /** Told when a worker may take more than before. */
  readonly capacity: () => void;
  /** Given each lease that other routers should know of. */
  readonly leased?: (exception: LeaseException) => void;
}

/** What a worker says of itself when a link is made. */
export interface WorkerProfile {
  readonly name: string;
  readonly pool: string;
  readonly engine: string;
  readonly slots: number;
  readonly models: readonly Omit<ServedModel, "prefillTokensPerSecond">[];
}

export interface WorkerLoad {
  readonly running: number;
  readonly prefillTokensPerSecond: number;
  readonly stepMs: number;
  readonly prefillBacklogTokens: number;
  readonly speculation?: NonNullable<WorkerView["speculation"]>;
}

type PerLane = Readonly<Record<Lane, number>>;

interface Known {
  readonly profile: WorkerProfile;
  readonly joinedMs: number;
  credits: PerLane;
  load: WorkerLoad;
  loadMs: number;
  bookedTokens: number;
  draining: boolean;
  readonly booked: Record<Lane, number>;
  readonly service: Readonly<Record<Lane, Ewma>>;
  /** Undefined since something of it changed. */
  view: WorkerView | undefined;
}

const none: PerLane = { inline: 0, chat: 0, speculative: 0, batch: 0 };
const noLoad: WorkerLoad = { running: 0, prefillTokensPerSecond: 0, stepMs: 0, prefillBacklogTokens: 0 };
const serviceHalfLifeMs = 10_000;

export class Fleet {
  readonly #deps: FleetDeps;
  readonly #leases: Leases;
  readonly #warmth: Warmth;
  /**
   * By link address, in the order of joining. A worker that comes back at another address before its old link is known to be
   * dead is there twice: the newest counts.
   */
  readonly #known = new Map<string, Known>();
  /** By name, the newest of each. */
  #named = new Map<string, { readonly address: string; readonly known: Known }>();
  #roster: Known[] = [];
  readonly #away = new Away();
  #view: FleetView | undefined;

  constructor(options: FleetOptions, deps: FleetDeps) {
    this.#deps = deps;
    this.#leases = new Leases(options.leases, {
      told: (exception) => deps.leased?.(exception),
      counted: (worker) => this.#changed(this.#named.get(worker)?.known),
    });
    this.#warmth = new Warmth(options.warmth);
  }

  joined(address: string, profile: WorkerProfile): void {
    this.#away.forget(address);
    this.#known.delete(address);
    const ewma = () => new Ewma({ halfLifeMs: serviceHalfLifeMs });
    const joinedMs = this.#deps.clock.now();
    this.#known.set(address, {
      ...{ profile, joinedMs, credits: none, load: noLoad, loadMs: joinedMs, bookedTokens: 0, draining: false },
      ...{ booked: { ...none }, service: { inline: ewma(), chat: ewma(), speculative: ewma(), batch: ewma() } },
      view: undefined,
    });
    this.#recount();
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
    this.#changed(known);
  }

  draining(address: string, draining: boolean): void {
    this.#update(address, (known) => {
      known.draining = draining;
    });
  }

  left(address: string): void {
    const known = this.#known.get(address);
    if (!known) return;
    this.#known.delete(address);
    this.#away.left(address, known.profile);
    this.#recount();
    // Who waited for this worker alone may now go to one that it had avoided.
    this.#deps.capacity();
  }

  /** It is not waited for any more. */
  gone(address: string): void {
    this.#away.forget(address);
  }

  /** What is remembered of who asks. */
  remembered({ session, document, prompt }: Pick<Asking, "session" | "document" | "prompt">): Remembered {
    const now = this.#deps.clock.now();
    return { lease: this.#leases.holder(session, now), warm: this.#warmth.of(document, prompt, now) };
  }

  /** Takes one credit, and the session's lease with it; `release` gives the credit back, once. */
  book(
    { worker, lease, freshTokens }: Pick<Placement, "worker" | "lease" | "freshTokens">,
    { session, document, lane, prompt }: Pick<Asking, "session" | "document" | "lane" | "prompt">,
  ): () => void {
    const known = this.#named.get(worker)?.known;
    if (!known) return () => {};
    const { clock, capacity } = this.#deps;
    const since = clock.now();
    known.booked[lane] += 1;
    known.bookedTokens += freshTokens;
    if (lease !== "none") this.#leases.take(session, worker, lease, since);
    this.#warmth.sent(document, worker, prompt, since);
    this.#changed(known);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      known.booked[lane] -= 1;
      known.service[lane].add(clock.now() - since, clock.now());
      this.#changed(known);
      capacity();
    };
  }

  /** Another router placed a session elsewhere than its hash says. */
  leaseElsewhere(exception: LeaseException): void {
    this.#leases.apply(exception, this.#deps.clock.now());
  }

  snapshot(): FleetView {
    if (!this.#view) {
      const workers = this.#roster.map((known) => {
        known.view ??= viewOf(known, this.#leases.count(known.profile.name));
        return known.view;
      });
      const free = { ...none };
      for (const worker of workers) if (!worker.draining) for (const lane of lanes) free[lane] += worker.free[lane];
      this.#view = { workers, roster: this.#roster, free };
    }
    return this.#view;
  }

  /** The model a call names ("": any) as the fleet serves it; the fastest worker's prefill rate counts. */
  model(name: string): ServedModel | undefined {
    let best: ServedModel | undefined;
    for (const worker of this.snapshot().workers)
      for (const model of worker.models)
        if (name === "" || name === model.name || name === worker.pool)
          if (!best || (model.name === best.name && model.prefillTokensPerSecond > best.prefillTokensPerSecond)) best = model;
    return best ? tightest(best, this.snapshot().workers) : this.#away.model(name);
  }

  /** Address of a worker's link. */
  address(worker: string): string | undefined {
    return this.#named.get(worker)?.address;
  }

  #update(address: string, change: (known: Known) => void): void {
    const known = this.#known.get(address);
    if (!known) return;
    change(known);
    this.#changed(known);
    this.#deps.capacity();
  }

  #changed(known: Known | undefined): void {
    if (known) known.view = undefined;
    this.#view = undefined;
  }

  /** Workers came or went. */
  #recount(): void {
    this.#named = new Map();
    for (const [address, known] of this.#known) this.#named.set(known.profile.name, { address, known });
    this.#roster = [...this.#named.values()].map(({ known }) => known);
    this.#view = undefined;
  }
}

/** With the least that a worker takes: whoever is asked can do it. */
function tightest(model: ServedModel, workers: readonly WorkerView[]): ServedModel {
  const none = Number.POSITIVE_INFINITY;
  let { promptBytesMax = none, maxTokensMax = none, specials = [] } = model;
  for (const worker of workers)
    for (const other of worker.models) {
      if (other.name !== model.name) continue;
      promptBytesMax = Math.min(promptBytesMax, other.promptBytesMax ?? promptBytesMax);
      maxTokensMax = Math.min(maxTokensMax, other.maxTokensMax ?? maxTokensMax);
      if (specials.length > 0) specials = specials.filter((special) => other.specials?.includes(special));
    }
  if (promptBytesMax === none && maxTokensMax === none && specials.length === (model.specials?.length ?? 0)) return model;
  const limits = promptBytesMax === none && maxTokensMax === none ? {} : { promptBytesMax, maxTokensMax };
  return { ...model, ...limits, ...(model.specials && { specials }) };
}

function viewOf(known: Known, leases: number): WorkerView {
  const { profile, load, credits, booked, service } = known;
  const free = { ...none };
  for (const lane of lanes) free[lane] = Math.max(0, credits[lane] - booked[lane]);
  return {
    name: profile.name,
    pool: profile.pool,
    models: profile.models.map((model) => ({ ...model, prefillTokensPerSecond: load.prefillTokensPerSecond })),
    slots: profile.slots,
    draining: known.draining,
    free,
    outstanding: booked.inline + booked.chat + booked.speculative + booked.batch,
    held: { ...booked },
    running: load.running,
    prefillTokensPerSecond: load.prefillTokensPerSecond,
    stepMs: load.stepMs,
    prefillBacklogTokens: load.prefillBacklogTokens,
    bookedTokens: known.bookedTokens,
    loadMs: known.loadMs,
    serviceMs: {
      inline: service.inline.value(0),
      chat: service.chat.value(0),
      speculative: service.speculative.value(0),
      batch: service.batch.value(0),
    },
    leases,
    joinedMs: known.joinedMs,
    ...(load.speculation ? { speculation: load.speculation } : {}),
  };
}
