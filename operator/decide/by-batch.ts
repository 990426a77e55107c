// by-batch: of a pool whose engine takes other lengths of drafts for other batches, and whose spec leaves them open: which it should
// have, and how it is to be rendered with those it was given. What it was given stands in its status and nowhere else.
import { createHash } from "node:crypto";
import { takesLengths } from "../api/speculation-rules.ts";
import type { LengthsVerdict } from "../lengths.ts";
import type { PoolSeen } from "../pool.ts";
import { decideLengths, givenLengths } from "./lengths/lengths.ts";

interface Facts {
  /** Routers report, every wanted worker serves, and all are of the newest revision. */
  readonly isCalm: boolean;
  readonly isAborted: boolean;
  /** Tokens are guessed; false: not now, because too few were right. */
  readonly isOn: boolean;
}

/** undefined: there is nothing to decide. */
export function decideByBatch(seen: PoolSeen, { isCalm, isAborted, isOn }: Facts): LengthsVerdict | undefined {
  const { spec, pool, figures, seconds, wallMs } = seen;
  const memory: string | undefined = pool.status?.speculative?.byBatchMemory;
  // Nothing is measured meanwhile, and nothing forgotten.
  if (!isOn) return memory === undefined ? undefined : { given: undefined, recommended: undefined, told: undefined, memory };
  if (!isOpen(seen)) return undefined;
  const { schedule: owner, method, numTokens } = spec.speculative;
  return decideLengths({
    ...{ nowMs: wallMs, owner, method, numTokens, slots: spec.engine.slots, runs: runsOf(seen) },
    ...{ counts: figures?.drafts, seconds },
    ...{ isCalm, isAborted, memory },
  });
}

/** As its engines are told. */
export function withLengths(seen: PoolSeen): PoolSeen {
  const { spec, pool } = seen;
  if (spec.speculative.schedule !== "Auto" || !isOpen(seen)) return seen;
  const given = givenLengths(pool.status?.speculative?.byBatchMemory, runsOf(seen));
  const [first] = given ?? [];
  if (!given || !first) return seen;
  const speculative = { ...spec.speculative, numTokens: first.numTokens, byBatch: given.map((range) => ({ ...range })) };
  return { ...seen, spec: { ...spec, speculative } };
}

function isOpen({ spec, setting }: PoolSeen): boolean {
  const { byBatch, disableAboveBatch } = spec.speculative;
  return setting.bus && takesLengths(spec) && byBatch === undefined && disableAboveBatch === undefined;
}

/** A change of any of it is a revision already: what was measured before says nothing of it. */
function runsOf({ spec: { model, engine, speculative, gpu, parallelism } }: PoolSeen): string {
  const { method, draft, numTokens, draftTensorParallel } = speculative;
  const all = [model, engine, method, draft, numTokens, draftTensorParallel, gpu, parallelism];
  return createHash("sha256").update(JSON.stringify(all)).digest("hex").slice(0, 16);
}
