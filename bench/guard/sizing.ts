// sizing: a seed in, how the operator's own sizing of a pool does on a few days of bench scale out: windows held, GPU hours against who
// knows all load, and the processor time of it. Few days: it tells trees apart, not policies.
import { processorMs } from "../../lib/clock.ts";
import { benchScale, type ScaleOptions } from "../scale/scale.ts";
import { calibrated } from "./calibration.ts";

export const sizing: Omit<ScaleOptions, "seed"> = {
  ...{ workloads: ["steep-150"], policies: ["slipstream"], trainingDays: 3, days: 3, peakRps: 1_000 },
  ...{ profile: "l40s-3b-eagle3", profileEnd: "mid", slots: 16, targetMs: 88, hours: 0 },
};

export interface Sizing {
  /** Share of one-minute windows in which it was not held: what is near one moves too little to be compared. */
  readonly missed: number;
  readonly oracleRatio: number;
  /** Of a day, in calibrations. */
  readonly processor: number;
}

export async function sized(seed: number, signal: AbortSignal): Promise<Sizing> {
  const before = calibrated();
  const sinceMs = processorMs();
  const { rows } = await benchScale({ ...sizing, seed }, { say: () => undefined, signal });
  const tookMs = processorMs() - sinceMs;
  const [row] = rows;
  if (!row) throw new Error("a bench of one policy has one row");
  const processor = tookMs / (sizing.trainingDays + sizing.days) / ((before + calibrated()) / 2);
  return { missed: 1 - row.windows_held_mean, oracleRatio: row.oracle_ratio, processor };
}
