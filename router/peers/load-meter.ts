// load-meter: triggers that begin and end in, a second's load of each pool and lane out. Times of at most `samplesMax` triggers a
// second and lane; live ones are bounded by what ingress admits.
import type { Clock } from "../../lib/clock.ts";
import { quantile } from "../../lib/structures/quantiles.ts";
import { Lane as LaneMessage } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import type { Ending, Lane, Milestones, Trigger } from "../completion.ts";

/** The pool that a trigger which asks for this model or pool is for, "" where none is known. */
export type PoolOf = (model: string) => string;

/** Which revision of its pool a worker is, "" where it does not say. */
export type RevisionOf = (worker: string) => string;

/** Told how a metered trigger ended. */
export type Metered = (ending: Ending) => void;

interface Second {
  arrivals: number;
  finished: number;
  cancelled: number;
  refused: number;
  shed: number;
  serviceMs: number;
  readonly firstTextMs: number[];
  readonly live: Set<Milestones>;
  readonly revisions: Map<string, Revision>;
}

/** What the workers of one revision did. */
interface Revision {
  readonly firstTextMs: number[];
  expired: number;
  failed: number;
}

/** Of a pool that changes while it changes: more at once are a mistake of somebody. */
const revisionsMax = 8;

const laneMessage = {
  inline: LaneMessage.INLINE,
  chat: LaneMessage.CHAT,
  speculative: LaneMessage.SPECULATIVE,
  batch: LaneMessage.BATCH,
} as const satisfies Record<Lane, LaneMessage>;

const ended = {
  superseded: "cancelled",
  cancelled: "cancelled",
  refused: "refused",
  gated: "refused",
  expired: "refused",
  failed: "refused",
} as const satisfies Partial<Record<Ending["outcome"], "cancelled" | "refused">>;

export class LoadMeter {
  readonly #options: { readonly samplesMax: number };
  readonly #deps: { readonly clock: Clock; readonly poolOf: PoolOf; readonly revisionOf: RevisionOf };
  readonly #pools = new Map<string, Map<Lane, Second>>();

  constructor(options: { samplesMax: number }, deps: { clock: Clock; poolOf: PoolOf; revisionOf: RevisionOf }) {
    this.#options = options;
    this.#deps = deps;
  }

  begin({ model, lane, receivedMs }: Pick<Trigger, "model" | "lane" | "receivedMs">, at: Milestones): Metered {
    const second = this.#second(this.#deps.poolOf(model), lane);
    second.arrivals += 1;
    second.live.add(at);
    return ({ outcome, reason, worker }) => {
      second.live.delete(at);
      second[outcome in ended ? ended[outcome as keyof typeof ended] : "finished"] += 1;
      if (at.placedMs === undefined && (reason === "brownout" || reason === "deadline")) second.shed += 1;
      second.serviceMs += this.#deps.clock.now() - receivedMs;
      if (at.firstTextMs !== undefined && second.firstTextMs.length < this.#options.samplesMax)
        second.firstTextMs.push(at.firstTextMs - receivedMs);
      // What ended before its text came names nobody; it was with whom it was sent to.
      const revision = this.#revision(second, worker || at.worker || "");
      if (revision && outcome === "expired") revision.expired += 1;
      if (revision && at.firstTextMs !== undefined && revision.firstTextMs.length < this.#options.samplesMax)
        revision.firstTextMs.push(at.firstTextMs - receivedMs);
    };
  }

  /** A worker ended a generation badly, whatever became of the trigger. */
  failed(model: string, lane: Lane, worker: string): void {
    const revision = this.#revision(this.#second(this.#deps.poolOf(model), lane), worker);
    if (revision) revision.failed += 1;
  }

  /** What happened since the last time, of every pool that is known or was asked for. */
  take(known: readonly { readonly pool: string; readonly workers: number }[]) {
    const workersOf = new Map(known.map(({ pool, workers }) => [pool, workers]));
    const loads = [...new Set([...workersOf.keys(), ...this.#pools.keys()])].map((pool) => ({
      pool,
      workersSeen: workersOf.get(pool) ?? 0,
      lanes: [...(this.#pools.get(pool) ?? [])].map(([lane, second]) => ({ lane: laneMessage[lane], ...figures(second) })),
    }));
    for (const [pool, lanes] of this.#pools) {
      for (const [lane, second] of lanes) if (second.live.size === 0) lanes.delete(lane);
      for (const second of lanes.values()) {
        Object.assign(second, { arrivals: 0, finished: 0, cancelled: 0, refused: 0, shed: 0, serviceMs: 0 });
        second.firstTextMs.length = 0;
        second.revisions.clear();
      }
      if (lanes.size === 0) this.#pools.delete(pool);
    }
    return loads;
  }

  #second(pool: string, lane: Lane): Second {
    const lanes = this.#pools.get(pool) ?? new Map<Lane, Second>();
    this.#pools.set(pool, lanes);
    const known = lanes.get(lane);
    if (known) return known;
    const made: Second = {
      ...{ arrivals: 0, finished: 0, cancelled: 0, refused: 0, shed: 0, serviceMs: 0 },
      firstTextMs: [],
      live: new Set(),
      revisions: new Map(),
    };
    lanes.set(lane, made);
    return made;
  }

  #revision({ revisions }: Second, worker: string): Revision | undefined {
    const name = worker === "" ? "" : this.#deps.revisionOf(worker);
    if (name === "") return undefined;
    const known = revisions.get(name);
    if (known || revisions.size >= revisionsMax) return known;
    const made: Revision = { firstTextMs: [], expired: 0, failed: 0 };
    revisions.set(name, made);
    return made;
  }
}

function figures({ arrivals, finished, cancelled, refused, shed, serviceMs, firstTextMs, live, revisions }: Second) {
  const timeOf = (times: readonly number[], q: number) => (times.length === 0 ? 0 : quantile(times, q));
  const firstText = (q: number) => timeOf(firstTextMs, q);
  const over = finished + cancelled + refused;
  let [queued, inFlight] = [0, 0];
  for (const { queuedMs, placedMs } of live) {
    if (placedMs !== undefined) inFlight += 1;
    else if (queuedMs !== undefined) queued += 1;
  }
  return {
    ...{ queued, inFlight, arrivals, finished, cancelled, refused, shed },
    firstTextP50Ms: firstText(0.5),
    firstTextP95Ms: firstText(0.95),
    serviceMeanMs: over === 0 ? 0 : serviceMs / over,
    revisions: [...revisions].map(([revision, { firstTextMs: times, expired, failed }]) => ({
      ...{ revision, firstTexts: times.length, firstTextP95Ms: timeOf(times, 0.95), expired, failed },
    })),
  };
}
