// speculation: the typed field of a pool in, what vLLM's version understands out; TensorRT-LLM's is beside it (tensorrt.ts). What cannot
// be said to an engine is refused before it comes here (api/pool-rules.ts).
import type { WorkerPoolSpec } from "../api/worker-pool.ts";
import type { Json } from "../objects.ts";

type Speculative = WorkerPoolSpec["speculative"];

export const vllmVersion = "0.32.0";

/** a.b.c of a version; what follows means nothing here. */
function isBefore(version: string, than: string): boolean {
  const numbers = (text: string) => (text.match(/\d+/g) ?? []).slice(0, 3).map(Number);
  const [mine, theirs] = [numbers(version), numbers(than)];
  for (let i = 0; i < 3; i++) if ((mine[i] ?? 0) !== (theirs[i] ?? 0)) return (mine[i] ?? 0) < (theirs[i] ?? 0);
  return false;
}

/** The value of vLLM's --speculative-config; undefined: none. */
export function vllmSpeculation(
  { method, numTokens, draftTensorParallel, disableAboveBatch, byBatch }: Speculative,
  version: string,
  draft: string,
): Json {
  if (method === "None") return undefined;
  const words = { DraftModel: "draft_model", EAGLE3: "eagle3", NGram: "ngram", MTP: "mtp", Suffix: "suffix" } as const;
  return {
    method: words[method],
    num_speculative_tokens: numTokens,
    ...(method === "DraftModel" || method === "EAGLE3" ? { model: draft } : {}),
    ...(method === "NGram" ? { prompt_lookup_max: 4, prompt_lookup_min: 2 } : {}),
    ...(draftTensorParallel === undefined ? {} : { draft_tensor_parallel_size: draftTensorParallel }),
    ...(disableAboveBatch === undefined ? {} : batchBound(disableAboveBatch, numTokens, version)),
    ...(byBatch === undefined ? {} : { num_speculative_tokens_per_batch_size: ranges(byBatch) }),
  };
}

/** The engine's first scheduler took a number, its second a table since 0.32; between the two a pool that wants it is refused. */
function batchBound(batch: number, numTokens: number, version: string): Json {
  if (isBefore(version, "0.11.0")) return { disable_by_batch_size: batch };
  return { num_speculative_tokens_per_batch_size: ranges([{ upTo: batch, numTokens }]) };
}

type Lengths = NonNullable<Speculative["byBatch"]>;

/** By batch, the smallest first. */
export const ascending = (byBatch: Lengths): Lengths => [...byBatch].sort((one, other) => one.upTo - other.upTo);

/** More than any engine runs at once. */
const batchMax = 65_536;

/** First and last number of generations of each length; beyond the last none, or the engine would go on with its length. */
function ranges(byBatch: Lengths): number[][] {
  const sorted = [...ascending(byBatch), { upTo: batchMax, numTokens: 0 }];
  return sorted.map(({ upTo, numTokens }, at) => [(sorted[at - 1]?.upTo ?? 0) + 1, upTo, numTokens]);
}
