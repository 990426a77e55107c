// cold-start: starts that were measured in, how long the next one is to be counted on out. Nobody writes it into a spec: caches, images
// and engines change it.
import type { ScalingRules, Supply } from "../../scaling.ts";
import type { Memory } from "./memory.ts";

const keptMax = 24;
/** Beyond the slowest of late by half, a start is no late one but a stalled one. */
const stalledTimes = 1.5;
/** Where starts take seconds, a busy node makes one of them take several times as long, and it comes all the same. */
const stalledMinMs = 60_000;
const [coldMinMs, coldMaxMs] = [5_000, 30 * 60_000];

/** From asking for a worker to its serving, as nine of ten starts take. */
export function coldStartMs({ starts }: Pick<Memory, "starts">, rules: ScalingRules): number {
  const known = starts.length > 0 ? quantile(starts, 0.9) : rules.startDeadlineMs / 2;
  return Math.min(coldMaxMs, Math.max(coldMinMs, known));
}

/** After so long a start is not counted on. */
export function stalledAfterMs({ starts }: Pick<Memory, "starts">, rules: ScalingRules): number {
  if (starts.length < 3) return rules.startDeadlineMs;
  return Math.min(rules.startDeadlineMs, Math.max(stalledMinMs, stalledTimes * quantile(starts, 0.9)));
}

export function withStarts(memory: Memory, { starts }: Supply): Memory {
  const fresh = starts.filter(({ readyMs }) => readyMs > memory.startedMs);
  if (fresh.length === 0) return memory;
  return {
    ...memory,
    starts: [...memory.starts, ...fresh.map(({ tookMs }) => Math.round(tookMs))].slice(-keptMax),
    startedMs: Math.max(...fresh.map(({ readyMs }) => readyMs)),
  };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
}
