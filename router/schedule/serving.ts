// serving: a fleet and who asks in, the workers that may serve it out, with what never changes while the roster does not: their
// hashes, who of them is away. Kept as long as the roster is; bounded by the models and pools that its workers name.
import type { Asking, FleetView, WorkerView } from "../completion.ts";
import { hashOf } from "./rendezvous.ts";

/** Workers of a roster that serve one model, of one pool or of any; the same as long as the roster is. */
export interface Serving {
  readonly at: readonly number[];
  readonly hashes: readonly number[];
  readonly named: ReadonlyMap<string, number>;
  /** Of workers that are away. */
  readonly away: readonly number[];
  readonly bytesPerToken: number;
  readonly oldestMs: number;
  readonly costs: Float64Array;
}

const rosters = new WeakMap<object, Map<string, Serving>>();
export function servingOf({ workers, roster, away }: FleetView, { model, pool }: Pick<Asking, "model" | "pool">): Serving {
  let models = rosters.get(roster);
  if (!models) {
    models = new Map();
    rosters.set(roster, models);
  }
  const key = pool === undefined ? model : `${pool}\n${model}`;
  let serving = models.get(key);
  if (!serving) {
    const serves = (worker: FleetView["away"][number]) =>
      (pool === undefined || worker.pool === pool) && worker.models.some(({ name }) => name === model);
    const at = workers.flatMap((worker, i) => (serves(worker) ? [i] : []));
    const of = at.map((i) => workers[i] as WorkerView);
    serving = {
      at,
      hashes: of.map(({ name }) => hashOf(name)),
      away: away.filter(serves).map(({ name }) => hashOf(name)),
      named: new Map(of.map(({ name }, i) => [name, at[i] as number])),
      bytesPerToken: of[0]?.models.find(({ name }) => name === model)?.bytesPerToken ?? 3,
      oldestMs: Math.min(...of.map(({ joinedMs }) => joinedMs)),
      costs: new Float64Array(at.length),
    };
    // Names of models and pools come from workers; a call that names another never gets here.
    models.set(key, serving);
  }
  return serving;
}
