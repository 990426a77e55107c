// calibration: how one pretend GPU answers with more and more generations at once, measured on the event simulator: how long each holds
// its slot, and how soon its first whole line is there. What the per-second model knows of a worker.
import { EnginePool, type EnginePoolOptions, type KeptBusy } from "../../sim/engine-pool.ts";

export interface Calibrated {
  readonly slots: number;
  /** The fewest at once first; first lines sorted. */
  readonly points: readonly KeptBusy[];
}

const samples = 1_200;

export async function calibrated(options: EnginePoolOptions, signal: AbortSignal): Promise<Calibrated> {
  const points: KeptBusy[] = [];
  for (let clients = 1; (points.at(-1)?.running ?? 0) < options.slots - 0.2; clients++) {
    const { firstLineMs, ...rest } = await new EnginePool(options).kept(clients, samples, signal);
    // A line that waited for a slot says nothing of the worker: with all slots in use the last point's serves.
    const waited = clients > options.slots;
    points.push({ ...rest, firstLineMs: waited ? (points.at(-1) as KeptBusy).firstLineMs : firstLineMs.toSorted((a, b) => a - b) });
  }
  return { slots: options.slots, points };
}
