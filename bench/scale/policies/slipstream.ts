// slipstream: the operator's own decision (operator/decide/scaling), asked every five seconds with what routers say each second. Nothing
// of it is tuned to a workload: it learns while it runs.
import { wallOf } from "../../../lib/clock.ts";
import { firstMemory } from "../../../operator/decide/scaling/memory.ts";
import { decided } from "../../../operator/decide/scaling/scaling.ts";
import type { LoadSecond, ScalingRules } from "../../../operator/scaling.ts";
import type { Policy } from "../run.ts";

const tickS = 5;
/** A Monday, at midnight. */
const startMs = wallOf("2026-11-02T00:00:00Z");

export function slipstream(rules: ScalingRules): Policy {
  let memory = firstMemory(startMs, 1);
  let seconds: LoadSecond[] = [];
  return ({ nowS, arrivals, inFlight, queued, p95Ms, fleet }) => {
    const nowMs = startMs + (nowS + 1) * 1_000;
    const firstTextP95Ms = arrivals === 0 ? undefined : p95Ms;
    seconds.push({ atMs: nowMs, arrivals, inFlight, queued, workers: fleet.ready, firstTextP95Ms });
    if ((nowS + 1) % tickS !== 0) return fleet.wanted;
    const verdict = decided(
      {
        ...{ nowMs, ledSinceMs: startMs, seconds, rules, wanted: memory.wanted, memory: undefined },
        supply: {
          ...{ ready: fleet.ready, leaving: 0, rollingOut: false },
          startingSinceMs: fleet.starting.map(({ sinceS }) => startMs + sinceS * 1_000),
          starts: fleet.starts.map(({ readyS, tookS }) => ({ readyMs: startMs + readyS * 1_000, tookMs: tookS * 1_000 })),
        },
      },
      memory,
    );
    memory = verdict.memory;
    seconds = [];
    return verdict.wanted;
  };
}
