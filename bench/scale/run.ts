// run: days of load and a policy in, what people saw and what it cost out. Second by second: the queue model says what the workers there
// are make of the load, the policy hears what routers would report, and the fleet does what it wants.
import { normal, seeded } from "../../lib/random.ts";
import { secondsPerDay } from "./days.ts";
import { Fleet } from "./fleet.ts";
import type { QueueModel, Served } from "./queue-model.ts";

/** What a policy may know at the end of a second. */
export interface Heard {
  nowS: number;
  arrivals: number;
  inFlight: number;
  queued: number;
  p95Ms: number;
  readonly fleet: Fleet;
}

/** The same object of a second is given again: what is to be kept is copied. Returns how many workers are wanted. */
export type Policy = (heard: Heard) => number;

export interface DayScore {
  /** One-minute windows in which 95 of 100 triggers had a first line in time, of those that had any. */
  readonly held: number;
  readonly gpuHours: number;
  readonly changes: number;
}

/** Each minute of a day, for plots. */
export interface Trace {
  readonly rps: number[];
  readonly workers: number[];
  readonly held: number[];
}

export interface RunOptions {
  readonly load: Float64Array;
  readonly arrivals: Float64Array;
  readonly coldS: number;
  readonly seed: number;
  /** A day that is traced. */
  readonly trace?: number;
}

const windowS = 60;
export const heldShare = 0.95;
/** Of all windows, and of those of the worst day: who holds fewer does not hold the target. */
export const goal = { mean: 0.99, worst: 0.97 } as const;

export function holdsGoal(days: readonly DayScore[]): boolean {
  const held = days.map((day) => day.held);
  return held.reduce((sum, each) => sum + each, 0) / held.length >= goal.mean && Math.min(...held) >= goal.worst;
}

export function run(policy: Policy, model: QueueModel, options: RunOptions): { days: DayScore[]; trace: Trace } {
  const { load, arrivals, coldS, seed, trace: traced } = options;
  const noise = noiseOf(seed);
  const served: Served = { inTime: 1, inFlight: 0, queued: 0, p95Ms: 0 };
  const fleet = new Fleet({ ready: firstWorkers(model, load[0] as number), coldS }, seeded(seed + 1));
  const heard: Heard = { nowS: 0, arrivals: 0, inFlight: 0, queued: 0, p95Ms: 0, fleet };
  const days: DayScore[] = [];
  const trace: Trace = { rps: [], workers: [], held: [] };
  let [came, inTime, windows, held, gpuBefore, changesBefore] = [0, 0, 0, 0, 0, 0];
  for (let s = 0; s < load.length; s++) {
    fleet.second(s);
    const [rps, count] = [load[s] as number, arrivals[s] as number];
    model.at(rps, fleet.ready, served);
    came += count;
    inTime += count * served.inTime;
    heard.nowS = s;
    heard.arrivals = count;
    // A count at the end of a second deviates by its root, a p95 by what is seen of it.
    heard.inFlight = Math.max(0, served.inFlight + Math.sqrt(served.inFlight) * (noise[s % noise.length] as number));
    heard.queued = served.queued;
    heard.p95Ms = count === 0 ? 0 : served.p95Ms * (1 + (0.5 / Math.sqrt(count)) * (noise[(s + 7) % noise.length] as number));
    fleet.want(policy(heard), s);
    if ((s + 1) % windowS === 0) {
      const share = came === 0 ? 1 : inTime / came;
      windows += 1;
      if (share >= heldShare) held += 1;
      if (Math.floor(s / secondsPerDay) === traced) {
        trace.rps.push(came / windowS);
        trace.workers.push(fleet.ready);
        trace.held.push(share);
      }
      [came, inTime] = [0, 0];
    }
    if ((s + 1) % secondsPerDay === 0) {
      days.push({
        held: held / windows,
        gpuHours: (fleet.gpuSeconds - gpuBefore) / 3_600,
        changes: fleet.changes - changesBefore,
      });
      [windows, held, gpuBefore, changesBefore] = [0, 0, fleet.gpuSeconds, fleet.changes];
    }
  }
  return { days, trace };
}

/** Chance, drawn once: longer than an hour, and no divisor of a day. */
function noiseOf(seed: number): Float64Array {
  const random = seeded(seed);
  return new Float64Array(7_919).map(() => normal(random));
}

/** Enough for the first second. */
function firstWorkers(model: QueueModel, rps: number): number {
  let workers = 1;
  while (model.inTime(rps, workers) < heldShare) workers += 1;
  return workers + 1;
}
