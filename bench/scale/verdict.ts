// verdict: rows of one workload in, the sentence that a reader wants out: does ours hold the target, for how much, and who does as well.
import { percent, type ScaleRow, type Workload } from "./scale.ts";

/** Two that differ by less are told as equal. */
const tieShare = 0.02;
const ratioGoal = 1.25;

export function verdictOf(workload: Workload, rows: readonly ScaleRow[]): string {
  const of = rows.filter((row) => row.workload === workload);
  const ours = of.find(({ policy }) => policy === "slipstream");
  if (!ours) return `${workload}: ours was left out`;
  const cost = `${ours.oracle_ratio.toFixed(2)} × the oracle`;
  const held = `${percent(ours.windows_held_mean)} of windows, ${percent(ours.windows_held_worst)} on the worst day`;
  const peers = of.filter(({ policy, holds }) => policy !== "slipstream" && holds);
  const best = peers.toSorted((a, b) => a.gpu_hours - b.gpu_hours)[0];
  const beside = !best
    ? "no peer holds as much"
    : Math.abs(best.gpu_hours / ours.gpu_hours - 1) < tieShare
      ? `a tie with ${best.policy}, tuned (${best.oracle_ratio.toFixed(2)})`
      : best.gpu_hours > ours.gpu_hours
        ? `the cheapest peer that holds as much is ${best.policy}, tuned (${best.oracle_ratio.toFixed(2)})`
        : `${best.policy}, tuned, holds as much for less (${best.oracle_ratio.toFixed(2)})`;
  const is = ours.holds && (ours.oracle_ratio <= ratioGoal || !best || best.gpu_hours > ours.gpu_hours) ? "holds" : "DOES NOT HOLD";
  return `${workload}: ours ${is} the goal: ${held}, at ${cost}; ${beside}`;
}
