// schedule: a Prompt's model, the session and a fleet snapshot in, a Placement out, or nothing when no worker has a free credit.
// Pure. The session's default owner is a rendezvous hash, the same on every router without talk; it keeps its sessions while
// it has room and is not clearly busier than the rest; else the least loaded of the others.
import { createHash } from "node:crypto";
import type { Random } from "../../lib/random.ts";
import type { FleetView, Lane, Placement, Trigger, WorkerView } from "../completion.ts";

export interface ScheduleOptions {
  /** How many times the mean outstanding work, this one counted, an owner may come to hold. */
  readonly boundedLoad: number;
  /** Share of a worker's slots up to which speculative and batch work may fill it. */
  readonly spareShare: number;
}

type Work = Pick<Trigger, "session" | "lane"> & { readonly model: string };

export function place(
  options: ScheduleOptions,
  work: Work,
  fleet: FleetView,
  random: Random,
  avoid: ReadonlySet<string> = new Set(),
): Placement | undefined {
  const serving = fleet.workers.filter(
    (worker) => !worker.draining && !avoid.has(worker.name) && worker.models.some((model) => model.name === work.model),
  );
  const free = serving.filter((worker) => worker.free[work.lane] > 0 && (!spare.has(work.lane) || idle(options, worker)));
  if (free.length === 0) return undefined;
  const owner = ownerOf(work.session, serving);
  if (owner && free.includes(owner) && owner.outstanding < bound(options, serving))
    return { worker: owner.name, draftDepthHint: 0, why: "lease" };
  // A guess is worth what the session's KV saves: anywhere else it would compute a whole prompt that nobody may want.
  if (work.lane === "speculative") return undefined;
  return { worker: leastLoaded(free, work.lane, random).name, draftDepthHint: 0, why: "least_cost" };
}

/** Lanes that take what nobody waits for. */
const spare: ReadonlySet<Lane> = new Set(["speculative", "batch"]);

/** Enough slots stand empty that the next key finds one, whoever uses the worker. */
function idle({ spareShare }: ScheduleOptions, { slots, outstanding, running }: WorkerView): boolean {
  return Math.max(outstanding, running) < slots * spareShare;
}

/** The worker with the highest hash of (session, worker): few sessions move when workers come or go. */
function ownerOf(session: string, workers: readonly WorkerView[]): WorkerView | undefined {
  let best: WorkerView | undefined;
  let highest = "";
  for (const worker of workers) {
    const weight = createHash("sha256").update(`${session}\u0000${worker.name}`).digest("hex");
    if (weight > highest) {
      highest = weight;
      best = worker;
    }
  }
  return best;
}

function bound(options: ScheduleOptions, workers: readonly WorkerView[]): number {
  const total = workers.reduce((sum, worker) => sum + worker.outstanding, 0);
  return Math.ceil((options.boundedLoad * (total + 1)) / workers.length);
}

/** Two random choices would do for many; fleets of one router are small enough to look at all. Ties by chance. */
function leastLoaded(workers: readonly WorkerView[], lane: Lane, random: Random): WorkerView {
  const cost = (worker: WorkerView) =>
    worker.outstanding / worker.slots +
    worker.prefillBacklogTokens / Math.max(1, worker.prefillTokensPerSecond) -
    worker.free[lane] * 1e-6;
  const lowest = Math.min(...workers.map(cost));
  const equals = workers.filter((worker) => cost(worker) <= lowest + 1e-9);
  return equals[Math.floor(random.next() * equals.length)] as WorkerView;
}
