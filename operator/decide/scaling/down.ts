// down: may workers leave? Only while routers are heard, no revision comes, the operator has led for a cold start, fewer have been enough
// for the spec's hold, and what is foreseen for two cold starts to come leaves them enough: who leaves too early is missed for one.
import type { ScalingSeen } from "../../scaling.ts";
import type { Memory } from "./memory.ts";
import type { Foresees } from "./needs.ts";

/** Workers leave no more often. */
const everyMs = 60_000;

export interface Down {
  readonly wanted: number;
  readonly enoughSinceMs: number | null;
}

interface Facts {
  readonly isStale: boolean;
  /** Workers for all that is needed now. */
  readonly need: number;
  readonly foresees: Foresees;
}

export function goesDown(memory: Memory, { nowMs, ledSinceMs, supply, rules }: ScalingSeen, facts: Facts): Down {
  const { wanted, changedMs } = memory;
  const { isStale, foresees } = facts;
  const stays: Down = { wanted, enoughSinceMs: null };
  if (isStale || supply.rollingOut || nowMs - ledSinceMs < foresees.coldMs || facts.need >= wanted) return stays;
  const enough = Math.max(facts.need, rules.spareReplicas + foresees.most(nowMs, nowMs + 2 * foresees.coldMs));
  if (enough >= wanted) return stays;
  const enoughSinceMs = memory.enoughSinceMs ?? nowMs;
  const isSure = nowMs - enoughSinceMs >= rules.holdMs && nowMs - changedMs >= everyMs;
  return { wanted: isSure ? Math.max(enough, wanted - rules.step) : wanted, enoughSinceMs };
}
