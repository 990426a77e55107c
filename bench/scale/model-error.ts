// model-error: hours of load played by the event simulator and by the per-second model, with the same workers, beside each other: how far
// the model is off. Workers are what each minute needs, now and then one less or more, so that windows that are missed are among them.
import { EnginePool, type EnginePoolOptions } from "../../sim/engine-pool.ts";
import { mean, percentile } from "../../sim/statistics.ts";
import type { QueueModel, Served } from "./queue-model.ts";
import { heldShare } from "./run.ts";

export interface ModelError {
  readonly windows: number;
  /** Triggers that the event simulator played. */
  readonly triggers: number;
  /** Of the share in time of a window, in points: how far off in the mean, and on which side. */
  readonly in_time_points: number;
  readonly in_time_bias_points: number;
  /** Share of windows that both call held, or both missed. */
  readonly agreed_share: number;
  readonly p95_error_share: number;
}

const windowS = 60;
const pattern = [0, 1, 0, -1, 0, 0, 1, -1, 0, 2] as const;

/** Of each hour's rates, a second each. */
export async function modelError(
  hours: readonly (readonly number[])[],
  model: QueueModel,
  options: EnginePoolOptions & { readonly targetMs: number },
  signal: AbortSignal,
): Promise<ModelError> {
  const windows: { real: number; told: number; p95: number; toldP95: number }[] = [];
  let triggers = 0;
  const served: Served = { inTime: 0, inFlight: 0, queued: 0, p95Ms: 0 };
  for (const rates of hours) {
    const workers = rates.map((_, s) => workersAt(rates, Math.floor(s / windowS), model));
    const seconds = await new EnginePool(options).pass(rates, workers, signal);
    for (let from = 0; from + windowS <= rates.length; from += windowS) {
      const of = seconds.slice(from, from + windowS);
      const came = of.reduce((sum, { arrivals }) => sum + arrivals, 0);
      if (came === 0) continue;
      triggers += came;
      const lines = of.flatMap(({ firstLineMs }) => firstLineMs);
      let [told, toldP95] = [0, 0];
      for (const [i, { arrivals }] of of.entries()) {
        model.at(rates[from + i] as number, workers[from + i] as number, served);
        told += (arrivals * served.inTime) / came;
        toldP95 += (arrivals * served.p95Ms) / came;
      }
      const real = lines.filter((ms) => ms <= options.targetMs).length / came;
      windows.push({ real, told, p95: percentile(lines, 0.95), toldP95 });
    }
  }
  return {
    ...{ windows: windows.length, triggers },
    in_time_points: round(100 * mean(windows.map(({ real, told }) => Math.abs(told - real)))),
    in_time_bias_points: round(100 * mean(windows.map(({ real, told }) => told - real))),
    agreed_share: round(mean(windows.map(({ real, told }) => (real >= heldShare === told >= heldShare ? 1 : 0)))),
    p95_error_share: round(mean(windows.map(({ p95, toldP95 }) => Math.abs(toldP95 / p95 - 1)))),
  };
}

function workersAt(rates: readonly number[], window: number, model: QueueModel): number {
  const rps = mean(rates.slice(window * windowS, (window + 1) * windowS));
  let need = 1;
  while (model.inTime(rps, need) < heldShare) need += 1;
  return Math.max(1, need + (pattern[window % pattern.length] as number));
}

const round = (value: number) => Math.round(value * 1e3) / 1e3;
