// leaving: which workers go when fewer are wanted. First what serves nobody, then what is worth least: a session whose KV is lost pays
// for it with its next key. Of those that drain, who has nothing in flight may go; a load that comes back takes them back first.
import type { Leaving, WorkerSeen } from "../moves.ts";

export interface LeavingSeen {
  readonly nowMs: number;
  readonly wanted: number;
  readonly workers: readonly WorkerSeen[];
  /** How long running generations may take. */
  readonly drainMs: number;
}

export function decideLeaving({ nowMs, wanted, workers, drainMs }: LeavingSeen): Leaving {
  const staying = workers.filter(({ leavingSinceMs }) => leavingSinceMs === undefined).sort(leastFirst);
  const leaving = workers.filter(({ leavingSinceMs }) => leavingSinceMs !== undefined).sort(leastFirst);
  // What is not ready was emptied and may be killed already; of the others the most worth is taken back.
  const alive = leaving.filter(({ isReady }) => isReady);
  const recalled = alive.slice(alive.length - Math.min(alive.length, Math.max(0, wanted - staying.length)));
  const gone = leaving.filter((worker) => !recalled.includes(worker));
  const drained = staying.slice(0, Math.max(0, staying.length - wanted));
  return {
    drain: namesOf(drained),
    recall: namesOf(recalled),
    release: namesOf(gone.filter((worker) => isOver(worker, nowMs, drainMs))),
  };
}

/** Nothing said of what is in flight is no proof of nothing: then its time decides. */
const isOver = ({ isReady, inFlight, leavingSinceMs = 0 }: WorkerSeen, nowMs: number, drainMs: number) =>
  !isReady || inFlight === 0 || nowMs - leavingSinceMs >= drainMs;

/** Unready, then of little worth, then young. */
function leastFirst(a: WorkerSeen, b: WorkerSeen): number {
  return Number(a.isReady) - Number(b.isReady) || a.kvValue - b.kvValue || b.bornMs - a.bornMs || a.name.localeCompare(b.name);
}

const namesOf = (workers: readonly WorkerSeen[]): string[] => workers.map(({ name }) => name);
