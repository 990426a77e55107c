// fleet: what links report of their workers in, an immutable FleetView out. Off the path: links write here, schedule reads a
// snapshot. Own bookings count at once, before a worker could say so. Bounded by the number of links.
import { type FleetView, type Lane, lanes, type ServedModel, type WorkerView } from "../completion.ts";

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

interface Known {
  readonly profile: WorkerProfile;
  credits: Readonly<Record<Lane, number>>;
  load: WorkerLoad;
  draining: boolean;
  readonly booked: Record<Lane, number>;
}

const none: Readonly<Record<Lane, number>> = { inline: 0, chat: 0, speculative: 0, batch: 0 };
const noLoad: WorkerLoad = { running: 0, prefillTokensPerSecond: 0, stepMs: 0, prefillBacklogTokens: 0 };

export class Fleet {
  readonly #capacity: () => void;
  /**
   * By link address, in the order of joining. A worker that comes back at another address before its old link is known to be
   * dead is there twice: the newest counts.
   */
  readonly #known = new Map<string, Known>();
  #view: FleetView | undefined;

  /** `capacity` is told when a worker may take more than before. */
  constructor(deps: { capacity: () => void }) {
    this.#capacity = deps.capacity;
  }

  joined(address: string, profile: WorkerProfile): void {
    this.#known.delete(address);
    this.#known.set(address, { profile, credits: none, load: noLoad, draining: false, booked: { ...none } });
    this.#changed();
  }

  credits(address: string, credits: Readonly<Record<Lane, number>>): void {
    this.#update(address, (known) => {
      known.credits = credits;
    });
  }

  load(address: string, load: WorkerLoad): void {
    const known = this.#known.get(address);
    if (!known) return;
    known.load = load;
    this.#changed();
  }

  draining(address: string, draining: boolean): void {
    this.#update(address, (known) => {
      known.draining = draining;
    });
  }

  left(address: string): void {
    if (!this.#known.delete(address)) return;
    this.#changed();
    // Who waited for this worker alone may now go to one that it had avoided.
    this.#capacity();
  }

  /** Takes one credit; `release` gives it back, once. */
  book(worker: string, lane: Lane): () => void {
    const known = this.#byName(worker);
    if (!known) return () => {};
    known.booked[lane] += 1;
    this.#changed();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      known.booked[lane] -= 1;
      this.#changed();
      this.#capacity();
    };
  }

  snapshot(): FleetView {
    this.#view ??= { workers: [...new Map([...this.#known.values()].map((known) => [known.profile.name, view(known)])).values()] };
    return this.#view;
  }

  /** The model a call names ("": any) as the fleet serves it; the fastest worker's prefill rate counts. */
  model(name: string): ServedModel | undefined {
    let best: ServedModel | undefined;
    for (const worker of this.snapshot().workers)
      for (const model of worker.models)
        if (name === "" || name === model.name || name === worker.pool)
          if (!best || (model.name === best.name && model.prefillTokensPerSecond > best.prefillTokensPerSecond)) best = model;
    return best;
  }

  /** Address of a worker's link. */
  address(worker: string): string | undefined {
    let newest: string | undefined;
    for (const [address, known] of this.#known) if (known.profile.name === worker) newest = address;
    return newest;
  }

  #byName(worker: string): Known | undefined {
    const address = this.address(worker);
    return address === undefined ? undefined : this.#known.get(address);
  }

  #update(address: string, change: (known: Known) => void): void {
    const known = this.#known.get(address);
    if (!known) return;
    change(known);
    this.#changed();
    this.#capacity();
  }

  #changed(): void {
    this.#view = undefined;
  }
}

function view(known: Known): WorkerView {
  const { profile, load, credits, booked } = known;
  const free = { ...none };
  for (const lane of lanes) free[lane] = Math.max(0, credits[lane] - booked[lane]);
  return {
    name: profile.name,
    pool: profile.pool,
    models: profile.models.map((model) => ({ ...model, prefillTokensPerSecond: load.prefillTokensPerSecond })),
    slots: profile.slots,
    draining: known.draining,
    free,
    outstanding: lanes.reduce((sum, lane) => sum + booked[lane], 0),
    running: load.running,
    prefillTokensPerSecond: load.prefillTokensPerSecond,
    stepMs: load.stepMs,
    prefillBacklogTokens: load.prefillBacklogTokens,
    ...(load.speculation ? { speculation: load.speculation } : {}),
  };
}
