// guessing: does the pool guess tokens ahead? Only what its acceptance says over a while: a bound by load is told to the engine, which
// keeps it from step to step. Turned off it is another revision: the same pods, told to guess nothing.
import type { SpeculationVerdict } from "../moves.ts";
import type { PoolSeen } from "../pool.ts";
import { decideSpeculation } from "./speculation.ts";

export function decideGuessing({ spec, pool, figures, wallMs }: PoolSeen): SpeculationVerdict {
  const { method, minAcceptance } = spec.speculative;
  const hasBound = method !== "None" && minAcceptance !== undefined;
  return decideSpeculation({
    nowMs: wallMs,
    ...{ acceptance: figures?.acceptance, minAcceptance: hasBound ? Number(minAcceptance) : undefined },
    ...{ running: undefined, disableAboveBatch: undefined },
    // Another method is another question.
    memory: hasBound && pool.status?.speculative?.method === method ? pool.status.speculative.memory : undefined,
  });
}

/** As the pool is while nothing is guessed. */
export function guessingNothing(seen: PoolSeen): PoolSeen {
  const { numTokens, schedule } = seen.spec.speculative;
  return { ...seen, spec: { ...seen.spec, speculative: { method: "None", numTokens, schedule } } };
}
