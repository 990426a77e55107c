// stalled: workers that should serve by now and do not, in; how many may be wanted meanwhile out. They are not counted on and no more
// are asked for: the wanted number falls back to what there is, so that others can have the GPUs, and is tried again later each time.
import type { ScalingSeen } from "../../scaling.ts";
import { stalledAfterMs } from "./cold-start.ts";
import { firstPauseMs, type Memory } from "./memory.ts";

const pauseMaxMs = 10 * 60_000;

export interface Stalled {
  readonly isStalled: boolean;
  readonly wanted: number;
  readonly memory: Pick<Memory, "stalledUntilMs" | "pauseMs">;
}

export function stalling(memory: Memory, { nowMs, supply, rules }: ScalingSeen, wanted: number): Stalled {
  const { stalledUntilMs, pauseMs } = memory;
  const late = supply.startingSinceMs.filter((sinceMs) => nowMs - sinceMs >= stalledAfterMs(memory, rules)).length;
  const comes = supply.ready + supply.startingSinceMs.length - late;
  const least = Math.max(rules.minReplicas, comes);
  if (late > 0 && nowMs >= stalledUntilMs && wanted > least)
    return {
      ...{ isStalled: true, wanted: least },
      memory: { stalledUntilMs: nowMs + pauseMs, pauseMs: Math.min(pauseMaxMs, 2 * pauseMs) },
    };
  if (nowMs < stalledUntilMs && wanted > least) return { isStalled: true, wanted: least, memory: { stalledUntilMs, pauseMs } };
  // All that was asked for serves: the next stall is the first one again.
  const isOver = late === 0 && supply.startingSinceMs.length === 0 && supply.ready >= wanted;
  return { isStalled: false, wanted, memory: { stalledUntilMs, pauseMs: isOver ? firstPauseMs : pauseMs } };
}
