// queue-model: one second of a pool: a rate and so many workers in; what share of its triggers has a first line within the target, what is
// in flight, and the p95 out. The number in system is a birth-death chain: births by chance, deaths as fast as workers with that many at
// once were measured to be, the end where waiting is given up. A second is long against a generation, so each stands for itself.
// What it says of a rate and a number of workers is computed once.
import type { KeptBusy } from "../../sim/engine-pool.ts";
import type { Calibrated } from "./calibration.ts";

/** Mutable: a day has 86,400 of them. */
export interface Served {
  inTime: number;
  inFlight: number;
  queued: number;
  p95Ms: number;
}

/** Rates are computed for every so many triggers a second and worker; between two the answer is on the line between theirs. */
const gridRps = 1;
/** Beyond this rate a worker is as good as drowned. */
const gridMax = 400;
const fields = 4;
const tinyShare = 1e-9;

export class QueueModel {
  readonly #of: Calibrated;
  readonly #targetMs: number;
  readonly #giveUpMs: number;
  /** By workers, then by place on the grid, four figures each; NaN: not computed yet. */
  readonly #known: Float64Array[] = [];
  /** By point of the calibration: share of first lines within each ms. */
  readonly #within: readonly Float64Array[];
  /** A line takes no longer; later is as good as never. */
  readonly #msMax: number;

  constructor(of: Calibrated, { targetMs, giveUpMs }: { readonly targetMs: number; readonly giveUpMs: number }) {
    this.#of = of;
    this.#targetMs = targetMs;
    this.#giveUpMs = giveUpMs;
    this.#msMax = Math.ceil(Math.max(...of.points.map(({ firstLineMs }) => firstLineMs.at(-1) ?? 0))) + giveUpMs;
    this.#within = of.points.map(({ firstLineMs }) => cumulative(firstLineMs, this.#msMax));
  }

  at(rps: number, workers: number, into: Served): void {
    if (workers <= 0) Object.assign(into, { inTime: 0, inFlight: 0, queued: 0, p95Ms: this.#msMax });
    else {
      const row = this.#row(rps, workers);
      const place = Math.min(gridMax - 1, rps / workers / gridRps);
      const [low, part] = [Math.floor(place) * fields, place - Math.floor(place)];
      into.inTime = between(row, low, part);
      into.inFlight = between(row, low + 1, part);
      into.queued = between(row, low + 2, part);
      into.p95Ms = between(row, low + 3, part);
    }
  }

  inTime(rps: number, workers: number): number {
    if (workers <= 0) return 0;
    const place = Math.min(gridMax - 1, rps / workers / gridRps);
    return between(this.#row(rps, workers), Math.floor(place) * fields, place - Math.floor(place));
  }

  /** The row of so many workers, with what lies around the rate computed. */
  #row(rps: number, workers: number): Float64Array {
    let row = this.#known[workers];
    if (!row) {
      row = new Float64Array((gridMax + 1) * fields).fill(Number.NaN);
      this.#known[workers] = row;
    }
    const low = Math.floor(Math.min(gridMax - 1, rps / workers / gridRps));
    if (Number.isNaN(row[low * fields] as number)) row.set(this.#computed(low * gridRps * workers, workers), low * fields);
    if (Number.isNaN(row[(low + 1) * fields] as number))
      row.set(this.#computed((low + 1) * gridRps * workers, workers), (low + 1) * fields);
    return row;
  }

  #computed(rps: number, workers: number): readonly number[] {
    const slots = workers * this.#of.slots;
    const fullRate = this.#rate(slots, workers);
    const end = slots + Math.floor((fullRate * this.#giveUpMs) / 1_000);
    const shares = this.#shares(rps, workers, end);
    let [inFlight, queued] = [0, 0];
    const byMs = new Float64Array(this.#msMax + 1);
    for (const [n, share] of shares.entries()) {
      inFlight += share * Math.min(n, slots);
      queued += share * Math.max(0, n - slots);
      // Who comes finds n: it waits for those before it, or begins beside them.
      if (share < tinyShare || n === end) continue;
      const waitMs = n < slots ? 0 : Math.round((1_000 * (n - slots + 1)) / fullRate);
      this.#add(byMs, share, Math.min(n + 1, slots) / workers, waitMs);
    }
    const p95 = byMs.findIndex((share) => share >= 0.95);
    const inTime = Math.min(1, byMs[Math.min(this.#targetMs, this.#msMax)] as number);
    return [inTime, inFlight, queued, p95 < 0 ? this.#msMax : p95];
  }

  /** How long the chain stays at each n. */
  #shares(rps: number, workers: number, end: number): Float64Array {
    const logs = new Float64Array(end + 1);
    for (let n = 1; n <= end; n++) logs[n] = (logs[n - 1] as number) + Math.log(Math.max(rps, 1e-9) / this.#rate(n, workers));
    const most = logs.reduce((a, b) => Math.max(a, b));
    const shares = logs.map((log) => Math.exp(log - most));
    const sum = shares.reduce((a, b) => a + b);
    return shares.map((share) => share / sum);
  }

  /** Ends per second of n in system, spread evenly. */
  #rate(n: number, workers: number): number {
    const each = Math.min(n / workers, this.#of.slots);
    const [a, b, part] = this.#place(each);
    const [heldA, heldB] = [(this.#of.points[a] as KeptBusy).heldMs, (this.#of.points[b] as KeptBusy).heldMs];
    return (1_000 * workers * each) / (heldA + (heldB - heldA) * part);
  }

  #add(byMs: Float64Array, share: number, each: number, waitMs: number): void {
    const [low, high, part] = this.#place(each);
    const [a, b] = [this.#within[low] as Float64Array, this.#within[high] as Float64Array];
    for (let ms = waitMs; ms <= this.#msMax; ms++) {
      const [inA, inB] = [a[ms - waitMs] as number, b[ms - waitMs] as number];
      byMs[ms] = (byMs[ms] as number) + share * (inA + (inB - inA) * part);
    }
  }

  /** The two points of the calibration that so many at once lie between, and where. */
  #place(each: number): readonly [low: number, high: number, part: number] {
    const { points } = this.#of;
    const above = points.findIndex(({ running }) => running >= each);
    if (above < 0) return [points.length - 1, points.length - 1, 0];
    if (above === 0) return [0, 0, 0];
    const [low, high] = [(points[above - 1] as KeptBusy).running, (points[above] as KeptBusy).running];
    return [above - 1, above, (each - low) / (high - low)];
  }
}

const between = (row: Float64Array, at: number, part: number): number =>
  (row[at] as number) * (1 - part) + (row[at + fields] as number) * part;

function cumulative(sorted: readonly number[], msMax: number): Float64Array {
  const shares = new Float64Array(msMax + 1);
  let n = 0;
  for (let ms = 0; ms <= msMax; ms++) {
    while (n < sorted.length && (sorted[n] as number) <= ms) n += 1;
    shares[ms] = n / Math.max(1, sorted.length);
  }
  return shares;
}
