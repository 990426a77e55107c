// served: a name that a call gave and the workers there are in, the model that it means as they serve it out: itself or by its pool ("":
// any), at its fastest worker's rate and within what each takes. Pure.
import type { ServedModel, WorkerView } from "../completion.ts";

export function servedModel(name: string, all: readonly WorkerView[]): ServedModel | undefined {
  const pooled = name === "" ? [] : all.filter(({ pool }) => pool === name);
  let best: ServedModel | undefined;
  for (const worker of pooled.length > 0 ? pooled : all)
    for (const model of worker.models)
      if (name === "" || name === model.name || name === worker.pool)
        if (!best || (model.name === best.name && model.prefillTokensPerSecond > best.prefillTokensPerSecond)) best = model;
  if (!best) return undefined;
  return pooled.length > 0 ? { ...tightest(best, pooled), pool: name } : tightest(best, all);
}

/** With the least that a worker takes: whoever is asked can do it. */
function tightest(model: ServedModel, workers: readonly WorkerView[]): ServedModel {
  const none = Number.POSITIVE_INFINITY;
  let { promptBytesMax = none, maxTokensMax = none, specials = [] } = model;
  for (const worker of workers)
    for (const other of worker.models) {
      if (other.name !== model.name) continue;
      promptBytesMax = Math.min(promptBytesMax, other.promptBytesMax ?? promptBytesMax);
      maxTokensMax = Math.min(maxTokensMax, other.maxTokensMax ?? maxTokensMax);
      if (specials.length > 0) specials = specials.filter((special) => other.specials?.includes(special));
    }
  if (promptBytesMax === none && maxTokensMax === none && specials.length === (model.specials?.length ?? 0)) return model;
  const limits = promptBytesMax === none && maxTokensMax === none ? {} : { promptBytesMax, maxTokensMax };
  return { ...model, ...limits, ...(model.specials && { specials }) };
}
