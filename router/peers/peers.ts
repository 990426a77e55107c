// peers: what happens here that other routers must know in, what happened there out: a newer trigger of a document, a session whose
// lease is elsewhere, and each second the load. All of it over the bus, at most once; without it each router serves by what it
// sees itself. Supersession is taken in the tick of the message's arrival. Bounded: one subscription a shard, `sessionsMax`
// leases and `routersMax` routers remembered; what nobody renews is forgotten.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Bus } from "../../lib/bus/bus.ts";
import { subjects } from "../../lib/bus/subjects.ts";
import type { Clock } from "../../lib/clock.ts";
import { Lru } from "../../lib/structures/lru.ts";
import {
  LeaseException_Cause,
  LeaseExceptionSchema,
  type PoolLoad,
  PoolLoadSchema,
  SupersedeSchema,
} from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import type { Lane, Trigger } from "../completion.ts";
import type { RouterMetrics } from "../metrics.ts";
import { isNewer, type Rank } from "../rank.ts";
import { LoadMeter, type Metered, type PoolOf, type RevisionOf } from "./load-meter.ts";
import { Shards } from "./shards.ts";

export interface PeersOptions {
  readonly router: string;
  readonly shards: number;
  /** A shard that no trigger here has used for so long is heard no more. */
  readonly shardIdleMs: number;
  readonly loadEveryMs: number;
  readonly sessionsMax: number;
  readonly routersMax: number;
}

/** As fleet says it. */
export interface LeaseElsewhere {
  readonly session: string;
  readonly worker: string;
  readonly ttlMs: number;
  readonly cause?: keyof typeof causes;
}

export interface PeersDeps {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly metrics: Pick<RouterMetrics, "peer_messages_total" | "peers" | "bus_connected">;
  /** A trigger of this rank has come to a document elsewhere. */
  readonly superseded: (document: string, rank: Rank) => boolean;
  readonly leased: (lease: LeaseElsewhere) => void;
  /** Pools whose load is told even when nothing happens. */
  readonly pools: () => readonly { readonly pool: string; readonly workers: number }[];
  readonly poolOf: PoolOf;
  readonly revisionOf: RevisionOf;
}

/** Another router, as it last said. */
export interface PeerView {
  readonly router: string;
  readonly queued: number;
  readonly inFlight: number;
}

interface Peer {
  readonly loads: Map<string, PoolLoad>;
}

/** Three seconds of silence: a router that is gone. */
const silenceLoads = 3;
const poolsOfPeerMax = 256;

export class Peers {
  readonly #options: PeersOptions;
  readonly #deps: PeersDeps;
  readonly #shards: Shards;
  readonly #meter: LoadMeter;
  /** Of the last word on each session's lease. */
  readonly #leases: Lru<Rank>;
  readonly #peers: Lru<Peer>;
  readonly #heard: Disposable[];
  #loadTimer: Disposable | undefined;
  #sequence = 0n;

  constructor(options: PeersOptions, deps: PeersDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#shards = new Shards({ count: options.shards, idleMs: options.shardIdleMs }, deps.clock, (shard) =>
      deps.bus.listen(subjects.supersede(shard), ({ data }) => this.#supersede(data)),
    );
    this.#meter = new LoadMeter({ samplesMax: 1_000 }, deps);
    this.#leases = new Lru({ max: options.sessionsMax });
    this.#peers = new Lru({ max: options.routersMax, ttlMs: silenceLoads * options.loadEveryMs });
    // Alone on its bus, a router has nobody to tell.
    this.#heard = deps.bus.shared
      ? [
          deps.bus.listen(subjects.lease, ({ data }) => this.#lease(data)),
          deps.bus.listen(subjects.allLoads, ({ data }) => this.#load(data)),
        ]
      : [];
    if (deps.bus.shared) this.#armLoad();
  }

  /** Routers that were heard within the last seconds. */
  get others(): readonly PeerView[] {
    const now = this.#deps.clock.now();
    const names = [...this.#peers.entries()].map(([name]) => name);
    return names.flatMap((router) => {
      const peer = this.#peers.get(router, now);
      if (!peer) return [];
      const lanes = [...peer.loads.values()].flatMap((load) => load.lanes);
      const sum = (of: (lane: (typeof lanes)[number]) => number) => lanes.reduce((total, lane) => total + of(lane), 0);
      return [{ router, queued: sum((lane) => lane.queued), inFlight: sum((lane) => lane.inFlight) }];
    });
  }

  /** A trigger is the newest of its document here. */
  taken(trigger: Pick<Trigger, "id" | "session" | "document">, rank: Rank): void {
    if (!this.#deps.bus.shared) return;
    const { router } = this.#options;
    const shard = this.#shards.use(trigger.session);
    const message = create(SupersedeSchema, {
      router,
      sessionKey: trigger.session,
      documentKey: trigger.document,
      triggerId: trigger.id,
      unixMs: BigInt(Math.round(rank.unixMs)),
      sequence: BigInt(rank.sequence),
    });
    this.#publish("supersede", subjects.supersede(shard), toBinary(SupersedeSchema, message));
  }

  /** A session's lease is not where its hash says; 0 ms: it is again. */
  lease({ session, worker, ttlMs, cause }: LeaseElsewhere): void {
    const { clock, bus } = this.#deps;
    if (!bus.shared) return;
    const heard = this.#leases.get(session, clock.now());
    const unixMs = Math.max(Math.round(clock.wall()), (heard?.unixMs ?? 0) + 1);
    this.#leases.set(session, { sequence: 0, unixMs, router: this.#options.router }, clock.now());
    const message = create(LeaseExceptionSchema, {
      router: this.#options.router,
      sessionKey: session,
      worker,
      unixMs: BigInt(unixMs),
      ttlMs,
      cause: cause ? causes[cause] : LeaseException_Cause.UNSPECIFIED,
    });
    this.#publish("lease", subjects.lease, toBinary(LeaseExceptionSchema, message));
  }

  /** A trigger begins; the result is told how it ended. */
  met(trigger: Trigger, at: Parameters<LoadMeter["begin"]>[1]): Metered {
    if (!this.#deps.bus.shared) return () => {};
    return this.#meter.begin(trigger, at);
  }

  /** A worker ended a generation badly. */
  failed(model: string, lane: Lane, worker: string): void {
    if (this.#deps.bus.shared) this.#meter.failed(model, lane, worker);
  }

  close(): void {
    this.#loadTimer?.[Symbol.dispose]();
    this.#shards.close();
    for (const heard of this.#heard) heard[Symbol.dispose]();
  }

  #supersede(data: Uint8Array): void {
    const message = read(SupersedeSchema, data);
    if (!message || message.router === this.#options.router) return;
    const { documentKey, sequence, unixMs, router } = message;
    const retired = this.#deps.superseded(documentKey, { sequence: Number(sequence), unixMs: Number(unixMs), router });
    this.#count("supersede", retired ? "applied" : "heard");
  }

  #lease(data: Uint8Array): void {
    const message = read(LeaseExceptionSchema, data);
    if (!message || message.router === this.#options.router) return;
    const { sessionKey: session, worker, ttlMs, router } = message;
    const now = this.#deps.clock.now();
    const rank: Rank = { sequence: 0, unixMs: Number(message.unixMs), router };
    const last = this.#leases.get(session, now);
    // Two routers that say different things at once agree on which holds.
    if (last && !isNewer(rank, last)) {
      this.#count("lease", "older");
      return;
    }
    this.#leases.set(session, rank, now);
    const cause = message.cause === LeaseException_Cause.OVERFLOWED ? "overflowed" : "moved";
    this.#deps.leased(ttlMs > 0 ? { session, worker, ttlMs, cause } : { session, worker, ttlMs });
    this.#count("lease", "applied");
  }

  #load(data: Uint8Array): void {
    const load = read(PoolLoadSchema, data);
    if (!load || load.router === this.#options.router) return;
    const now = this.#deps.clock.now();
    const loads = this.#peers.get(load.router, now)?.loads ?? new Map<string, PoolLoad>();
    if (loads.size < poolsOfPeerMax || loads.has(load.pool)) loads.set(load.pool, load);
    this.#peers.set(load.router, { loads }, now);
    this.#count("load", "heard");
  }

  #armLoad(): void {
    const { clock, bus, metrics, pools } = this.#deps;
    this.#loadTimer = clock.timer(this.#options.loadEveryMs, () => {
      this.#armLoad();
      metrics.peers.set({}, this.others.length);
      metrics.bus_connected.set({}, bus.connected ? 1 : 0);
      const loads = this.#meter.take(pools());
      if (!bus.connected) return;
      this.#sequence += 1n;
      const { router } = this.#options;
      for (const load of loads) {
        const message = create(PoolLoadSchema, {
          ...load,
          ...{ router, sequence: this.#sequence, unixMs: BigInt(Math.round(clock.wall())) },
        });
        this.#publish("load", subjects.poolLoad(load.pool), toBinary(PoolLoadSchema, message));
      }
    });
  }

  #publish(kind: Kind, subject: string, data: Uint8Array): void {
    this.#count(kind, this.#deps.bus.publish(subject, data) ? "sent" : "not_sent");
  }

  #count(kind: Kind, fate: string): void {
    this.#deps.metrics.peer_messages_total.inc({ kind, fate });
  }
}

type Kind = "supersede" | "lease" | "load";
const causes = {
  moved: LeaseException_Cause.MOVED,
  overflowed: LeaseException_Cause.OVERFLOWED,
} as const;

/** Who else may publish on the bus is not for us to say: what is no message is left alone. */
function read<T extends Parameters<typeof fromBinary>[0]>(schema: T, data: Uint8Array) {
  try {
    return fromBinary(schema, data);
  } catch {
    return undefined;
  }
}
