// speculation: the typed field of a pool in, what its engine and version understand out. One place, because every engine and many a
// release spells it otherwise; what cannot be said to an engine is refused before it comes here (api/pool-rules.ts).
import type { WorkerPoolSpec } from "../api/worker-pool.ts";
import type { Json } from "../objects.ts";

type Speculative = WorkerPoolSpec["speculative"];

export const engineVersions = { VLLM: "0.32.0", TensorRTLLM: "1.2.1" } as const;

/** a.b.c of a version; what follows means nothing here. */
function isBefore(version: string, than: string): boolean {
  const numbers = (text: string) => (text.match(/\d+/g) ?? []).slice(0, 3).map(Number);
  const [mine, theirs] = [numbers(version), numbers(than)];
  for (let i = 0; i < 3; i++) if ((mine[i] ?? 0) !== (theirs[i] ?? 0)) return (mine[i] ?? 0) < (theirs[i] ?? 0);
  return false;
}

/** The value of vLLM's --speculative-config; undefined: none. */
export function vllmSpeculation(
  { method, numTokens, draftTensorParallel, disableAboveBatch }: Speculative,
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
  };
}

/** The engine's first scheduler took a number, its second a table since 0.32; between the two nothing could be said. */
function batchBound(batch: number, numTokens: number, version: string): Json {
  if (isBefore(version, "0.11.0")) return { disable_by_batch_size: batch };
  return isBefore(version, "0.32.0") ? {} : { num_speculative_tokens_per_batch_size: [[1, batch, numTokens]] };
}

/** TensorRT-LLM's speculative_config, and what else of its settings goes with it. */
export function tensorrtSpeculation({ method, numTokens, disableAboveBatch }: Speculative, version: string, draft: string): Json {
  if (method === "None" || method === "Suffix") return {};
  const early = isBefore(version, "1.2.0");
  const words = {
    DraftModel: early ? "DraftTarget" : "Draft_Target",
    EAGLE3: early ? "Eagle" : "Eagle3",
    NGram: "NGram",
    MTP: "MTP",
  } as const;
  const model = early ? "speculative_model_dir" : "speculative_model";
  return {
    speculative_config: {
      decoding_type: words[method],
      ...(method === "MTP" ? { num_nextn_predict_layers: numTokens } : { max_draft_len: numTokens }),
      ...(method === "DraftModel" || method === "EAGLE3" ? { [model]: draft } : {}),
      ...(method === "EAGLE3" ? { eagle3_one_model: true } : {}),
      ...(method === "NGram" ? { max_matching_ngram_size: 4 } : {}),
      ...(disableAboveBatch === undefined ? {} : { max_concurrency: disableAboveBatch }),
    },
    // The two are exclusive in this engine.
    ...(method === "DraftModel" || method === "NGram" ? { disable_overlap_scheduler: true } : {}),
  };
}
