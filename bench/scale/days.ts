// days: seeded days of load: triggers a second, for each second of a run of days. Office days rise for hours, or steeply at nine; weekends
// are quiet. On top: each day's own size, minutes of chance, flash events (a release, an incident: a third to nearly twice the load for
// minutes) and reconnect spikes of ten seconds. A workload and a seed in, the same days out.
import { fork, lognormal, normal, type Random, seeded } from "../../lib/random.ts";

export const secondsPerDay = 86_400;
const daysPerWeek = 7;

export const shapeNames = ["ramps", "steep"] as const;
export type ShapeName = (typeof shapeNames)[number];

export interface DaysOptions {
  readonly shape: ShapeName;
  readonly seed: number;
  readonly days: number;
  /** Of a usual office day, in triggers a second. */
  readonly peakRps: number;
}

/** Share of the peak by hour of day, straight lines between. */
const shapes: Readonly<Record<ShapeName, readonly (readonly [hour: number, share: number])[]>> = {
  ramps: [
    [0, 0.06],
    [5, 0.04],
    [7, 0.1],
    [10.5, 0.95],
    [12.25, 0.9],
    [13, 0.68],
    [14, 0.9],
    [15.5, 1],
    [17, 0.8],
    [19, 0.32],
    [22, 0.12],
    [24, 0.06],
  ],
  steep: [
    [0, 0.05],
    [7, 0.05],
    [8.8, 0.14],
    [9.0, 0.72],
    [9.5, 0.92],
    [11.9, 1],
    [12.1, 0.6],
    [12.9, 0.58],
    [13.1, 0.92],
    [16, 0.98],
    [17.4, 0.85],
    [17.8, 0.3],
    [20, 0.14],
    [24, 0.05],
  ],
};

const weekendShare = 0.22;
const [daySizeSigma, dayShiftMinutes] = [0.07, 4];
/** Of the logarithm of the load, and how long it stays: slow and fast minutes. */
const drifts = [
  { sigma: 0.045, keepsS: 900 },
  { sigma: 0.02, keepsS: 40 },
] as const;
const flash = { perDay: 1, riseS: [15, 60], lastsS: [240, 1_200], share: [0.35, 0.85] } as const;
const spike = { perDay: 1, lastsS: 10, share: [1, 2] } as const;
/** Both come when people are there: nearly all between these hours. */
const [busyFrom, busyTo] = [7, 21];

export function loadOf({ shape, seed, days, peakRps }: DaysOptions): Float64Array {
  const random = seeded(seed);
  const load = new Float64Array(days * secondsPerDay);
  const drifting = drifts.map(() => normal(random));
  for (let day = 0; day < days; day++) {
    const own = fork(random);
    const of = load.subarray(day * secondsPerDay, (day + 1) * secondsPerDay);
    const size = peakRps * (day % daysPerWeek >= 5 ? weekendShare : 1) * Math.exp(daySizeSigma * normal(own));
    const shiftS = 60 * dayShiftMinutes * normal(own);
    for (let second = 0; second < secondsPerDay; second++) {
      let log = 0;
      for (const [i, { sigma, keepsS }] of drifts.entries()) {
        const keep = 1 - 1 / keepsS;
        drifting[i] = keep * (drifting[i] as number) + Math.sqrt(1 - keep * keep) * normal(own);
        log += sigma * (drifting[i] as number);
      }
      of[second] = size * shareAt(shape, (second - shiftS) / 3_600) * Math.exp(log);
    }
    for (let n = poisson(own, flash.perDay); n > 0; n--) addFlash(of, own);
    for (let n = poisson(own, spike.perDay); n > 0; n--) addSpike(of, own);
  }
  return load;
}

/** Triggers that came in each second, by chance. */
export function arrivalsOf(load: Float64Array, seed: number): Float64Array {
  const random = seeded(seed);
  return load.map((rate) => poisson(random, rate));
}

function shareAt(shape: ShapeName, hour: number): number {
  const points = shapes[shape];
  const at = Math.min(24, Math.max(0, hour));
  const next = Math.max(
    1,
    points.findIndex(([each]) => each >= at),
  );
  const [[h0, s0], [h1, s1]] = [points[next - 1] as readonly [number, number], points[next] as readonly [number, number]];
  return s0 + ((s1 - s0) * (at - h0)) / (h1 - h0);
}

function addFlash(load: Float64Array, random: Random): void {
  const start = someSecond(random);
  const share = between(random, flash.share);
  const [riseS, lastsS] = [between(random, flash.riseS), between(random, flash.lastsS)];
  for (let s = 0; start + s < load.length; s++) {
    const part = Math.min(1, s / riseS) * (s < lastsS ? 1 : Math.exp(-(s - lastsS) / 300));
    if (s > lastsS && part < 0.02) return;
    load[start + s] = (load[start + s] as number) * (1 + share * part);
  }
}

function addSpike(load: Float64Array, random: Random): void {
  const start = someSecond(random);
  const share = between(random, spike.share);
  for (let s = start; s < Math.min(load.length, start + spike.lastsS); s++) load[s] = (load[s] as number) * (1 + share);
}

const someSecond = (random: Random) => Math.floor(3_600 * between(random, [busyFrom, busyTo]));
const between = (random: Random, [low, high]: readonly [number, number]) => low + (high - low) * random.next();

/** Large means by the normal, which is near enough there. */
function poisson(random: Random, mean: number): number {
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random.next(); product > limit; product *= random.next()) count += 1;
  return count;
}

/** How long one start takes: around the workload's cold start, and now and then it hangs. */
export function coldStart(random: Random, coldS: number): number {
  const usual = lognormal(random, coldS, 0.12);
  return random.next() < 0.01 ? 3 * usual : usual;
}
