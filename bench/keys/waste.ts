// waste: the generations of one window in; what was computed for text that reached no live trigger, by what became of it, out. A
// prompt that was computed in vain stays with its worker: what of it the document's next generation there found is told apart,
// and is waste all the same.
import type { Cost } from "./counted.ts";
import type { Fate } from "./probe.ts";
import type { Window } from "./stand.ts";

/**
 * Asked ahead and never wanted; of two that were asked for one wish, the one that was not read; computed again because it ran
 * where its prefix is not; of the rest, by what ended it: the person typed on (their prompt, and what was decoded), it came to
 * an empty answer, or something else.
 */
export const wasteCauses = ["ahead", "hedged", "elsewhere", "superseded_prompt", "superseded_text", "empty", "other"] as const;
export type WasteCause = (typeof wasteCauses)[number];

/** Shares of the tokens of all generations, by cause. */
export function wasteBy({ workers, reached, fates }: Window): Record<WasteCause, number> {
  const by = Object.fromEntries(wasteCauses.map((cause) => [cause, 0])) as Record<WasteCause, number>;
  const costs = workers.flatMap((worker) => worker.costs);
  for (const cost of costs) if (!reached.has(cost.id)) add(by, cost, fates.get(cost.id));
  const all = tokensOf(costs);
  for (const cause of wasteCauses) by[cause] /= all;
  return by;
}

function add(by: Record<WasteCause, number>, { lane, recomputed, completion }: Cost, fate: Fate | undefined): void {
  if (lane === "speculative") by.ahead += recomputed + completion;
  else if (fate?.end === "outrun") by.hedged += recomputed + completion;
  else {
    // What it would have cost beside its prefix is not known apart: few tokens of a prompt's hundreds.
    const elsewhere = fate?.placed === "lease" ? 0 : recomputed;
    by.elsewhere += elsewhere;
    if (fate?.end === "superseded") {
      by.superseded_prompt += recomputed - elsewhere;
      by.superseded_text += completion;
    } else by[fate?.end === "cut" || fate?.end === "whole" ? "empty" : "other"] += recomputed - elsewhere + completion;
  }
}

/** Of what was computed in vain, the prompt tokens that the same document's next generation on that worker did not compute again. */
export function wasteKept({ workers, reached, fates }: Window): number {
  let kept = 0;
  const costs = workers.flatMap((worker) => worker.costs);
  const last = new Map<string, Cost>();
  for (const cost of [...costs].sort((a, b) => nthOf(a) - nthOf(b))) {
    const document = fates.get(cost.id)?.document;
    if (document === undefined) continue;
    const at = `${cost.id.split(" ")[0]} ${document}`;
    const before = last.get(at);
    if (before && !reached.has(before.id)) {
      const found = cost.prompt - cost.recomputed - (before.prompt - before.recomputed);
      kept += Math.max(0, Math.min(found, before.recomputed));
    }
    last.set(at, cost);
  }
  return kept / tokensOf(costs);
}

/** Whole prompts, as good as: of all generations of keys, and of those whose text reached nobody. */
export function coldOf({ workers, reached }: Window): { readonly all: number; readonly wasted: number } {
  const cold = workers
    .flatMap((worker) => worker.costs)
    .filter(({ lane, prompt, recomputed }) => lane !== "speculative" && recomputed > prompt / 2);
  return { all: cold.length, wasted: cold.filter(({ id }) => !reached.has(id)).length };
}

/** Ids of a worker's link count up. */
const nthOf = ({ id }: Cost) => Number(id.split(" ")[1]);
const tokensOf = (costs: readonly Cost[]) =>
  Math.max(
    1,
    costs.reduce((sum, { recomputed, completion }) => sum + recomputed + completion, 0),
  );
