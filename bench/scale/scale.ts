// scale: `slipstream bench scale`: which policy keeps first lines in time through days it has not seen, for how many GPU hours, beside who
// knows all load beforehand. Each peer is tuned on training days as far as they allow, and frozen; ours is not. All in virtual time.
// docs/operations/scaling.md defines every figure.
import { systemClock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { EnginePoolOptions } from "../../sim/engine-pool.ts";
import { mean } from "../../sim/statistics.ts";
import { type ProfileEnd, type ProfileName, profile } from "../../workers/engine/simulated/profiles.ts";
import { calibrated } from "./calibration.ts";
import { type Known, type PolicyName, settingsOf } from "./contenders.ts";
import { arrivalsOf, loadOf, type ShapeName, secondsPerDay } from "./days.ts";
import { type ModelError, modelError } from "./model-error.ts";
import { gpuSecondsOf, needsOf, relaxed } from "./oracle.ts";
import { QueueModel } from "./queue-model.ts";
import { type DayScore, goal, heldShare, holdsGoal, run, type Trace } from "./run.ts";
import { tuned } from "./tuning.ts";

export { profileEnds, profileNames } from "../../workers/engine/simulated/profiles.ts";
export { policyNames } from "./contenders.ts";

export const workloads = {
  "ramps-150": { shape: "ramps", coldS: 150 },
  "ramps-420": { shape: "ramps", coldS: 420 },
  "steep-150": { shape: "steep", coldS: 150 },
  "steep-420": { shape: "steep", coldS: 420 },
} as const satisfies Record<string, { shape: ShapeName; coldS: number }>;
export type Workload = keyof typeof workloads;

export interface ScaleOptions {
  readonly workloads: readonly Workload[];
  readonly policies: readonly PolicyName[];
  readonly trainingDays: number;
  readonly days: number;
  readonly seed: number;
  readonly peakRps: number;
  readonly profile: ProfileName;
  readonly profileEnd: ProfileEnd;
  readonly slots: number;
  readonly targetMs: number;
  /** Sampled for the model's error. */
  readonly hours: number;
}

export interface ScaleRow {
  readonly policy: PolicyName;
  readonly workload: Workload;
  readonly windows_held_mean: number;
  readonly windows_held_worst: number;
  readonly gpu_hours: number;
  readonly oracle_gpu_hours: number;
  readonly oracle_ratio: number;
  readonly changes_per_day: number;
  readonly holds: boolean;
  /** What the training days chose. */
  readonly setting: string;
}

export interface ScaleReport {
  readonly days: number;
  readonly model_error: ModelError | null;
  readonly rows: readonly ScaleRow[];
  /** A day of each workload, for plots. */
  readonly traces: readonly { readonly workload: Workload; readonly policy: PolicyName | "oracle"; readonly trace: Trace }[];
}

interface Deps {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Who waits longer for a slot is given up, as routers do with what cannot be in time. */
const giveUpMs = 300;
/** What a key costs when its prompt's KV is there, and what is generated. */
const [freshBytes, maxTokens] = [100, 24];
/** The hours that are sampled: the rise at nine, an evening, noon. Their load is that of a pool so much smaller. */
const [sampledHours, sampledShare] = [[8.5, 19, 11.75], 1 / 16];
/** A Wednesday of the unseen days. */
const tracedDay = 2;

export async function benchScale(options: ScaleOptions, deps: Deps): Promise<ScaleReport> {
  const { say, signal } = deps;
  const engine: EnginePoolOptions = { ...options, maxTokens, freshBytes, giveUpMs };
  say(`calibrating one ${options.profile} (${profile(options.profile, options.profileEnd).s0Ms} ms a step)`);
  const model = new QueueModel(await calibrated(engine, signal), { targetMs: options.targetMs, giveUpMs });
  if (model.inTime(1, 1) < heldShare)
    throw new SlipstreamError(
      "invalid_request",
      `--target: not even one trigger at once has a first line within ${options.targetMs} ms`,
    );
  const error = options.hours === 0 ? null : await sampled(options, engine, model, deps);
  const bench = new Bench(options, model, deps);
  for (const workload of options.workloads) await bench.workload(workload);
  return { days: options.days, model_error: error, rows: bench.rows, traces: bench.traces };
}

async function sampled(
  options: ScaleOptions,
  engine: EnginePoolOptions,
  model: QueueModel,
  { say, signal }: Deps,
): Promise<ModelError> {
  const load = loadOf({ shape: "steep", seed: options.seed, days: 1, peakRps: options.peakRps * sampledShare });
  const hours = sampledHours.slice(0, options.hours).map((hour) => Array.from(load.subarray(hour * 3_600, (hour + 1) * 3_600)));
  const error = await modelError(hours, model, { ...engine, targetMs: options.targetMs }, signal);
  say(
    `the per-second model beside the event simulator, ${error.windows} minutes of sampled hours: ${error.in_time_points} points off in the share in time (bias ${error.in_time_bias_points}), the same windows held ${(100 * error.agreed_share).toFixed(1)} %, p95 ${(100 * error.p95_error_share).toFixed(1)} % off`,
  );
  return error;
}

class Bench {
  readonly rows: ScaleRow[] = [];
  readonly traces: ScaleReport["traces"][number][] = [];
  readonly #options: ScaleOptions;
  readonly #model: QueueModel;
  readonly #deps: Deps;

  constructor(options: ScaleOptions, model: QueueModel, deps: Deps) {
    this.#options = options;
    this.#model = model;
    this.#deps = deps;
  }

  async workload(workload: Workload): Promise<void> {
    const { trainingDays, days, seed, peakRps, targetMs, slots } = this.#options;
    const { shape, coldS } = workloads[workload];
    const load = loadOf({ shape, seed, days: trainingDays + days, peakRps });
    const arrivals = arrivalsOf(load, seed + 1);
    const from = trainingDays * secondsPerDay;
    const needs = needsOf(this.#model, load, arrivals);
    const unseen = relaxed(needs.slice(from / 60), coldS, 1 - goal.mean, 1 - goal.worst);
    const oracleHours = gpuSecondsOf(unseen, coldS) / 3_600;
    const training = needs.slice(0, from / 60).toSorted((a, b) => a - b);
    const known: Known = {
      ...{ targetMs, slots, capacityRps: capacityOf(this.#model) },
      peakWorkers: training[Math.floor(0.99 * training.length)] ?? 1,
    };
    const dayOf = (first: number) => unseen.slice(first * 1_440, (first + 1) * 1_440);
    this.traces.push({ workload, policy: "oracle", trace: { rps: [], workers: dayOf(tracedDay), held: [] } });
    for (const policy of this.#options.policies) {
      // An interrupt is heard between two policies.
      await systemClock.sleep(0);
      this.#deps.signal.throwIfAborted();
      const runs = { coldS, seed: seed + 2 };
      const setting = tuned(
        settingsOf(policy, known),
        (each) =>
          run(each.make(), this.#model, { ...runs, load: load.subarray(0, from), arrivals: arrivals.subarray(0, from) }).days,
      );
      const { days: all, trace } = run(setting.make(), this.#model, { ...runs, load, arrivals, trace: trainingDays + tracedDay });
      const row = rowOf(policy, workload, all.slice(trainingDays), oracleHours, setting.said);
      this.rows.push(row);
      this.traces.push({ workload, policy, trace });
      this.#deps.say(
        `${workload} ${policy}: ${percent(row.windows_held_mean)} held, worst day ${percent(row.windows_held_worst)}, ${row.oracle_ratio.toFixed(3)} × the oracle (${row.setting})`,
      );
    }
  }
}

function rowOf(policy: PolicyName, workload: Workload, days: readonly DayScore[], oracleHours: number, setting: string): ScaleRow {
  const gpuHours = days.reduce((sum, day) => sum + day.gpuHours, 0);
  const [held, worst] = [mean(days.map((day) => day.held)), Math.min(...days.map((day) => day.held))];
  return {
    ...{ policy, workload, windows_held_mean: round(held, 5), windows_held_worst: round(worst, 5) },
    ...{ gpu_hours: round(gpuHours / days.length, 2), oracle_gpu_hours: round(oracleHours / days.length, 2) },
    oracle_ratio: round(gpuHours / oracleHours, 4),
    changes_per_day: round(mean(days.map((day) => day.changes)), 1),
    ...{ holds: holdsGoal(days), setting },
  };
}

/** Triggers a second that one of many workers serves within the target. */
function capacityOf(model: QueueModel): number {
  const many = 20;
  let rps = 1;
  while (model.inTime((rps + 1) * many, many) >= heldShare) rps += 1;
  return rps;
}

export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
const round = (value: number, digits: number) => Math.round(value * 10 ** digits) / 10 ** digits;
