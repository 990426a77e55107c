// speculative-config: how a pool drafts in, vLLM's --speculative-config out. Pure and typed, so that what it would refuse at its
// start is refused where it is written. Names and bounds as vLLM 0.32 has them.
import { SlipstreamError } from "../../../lib/errors.ts";

/** How an engine drafts. */
export type Drafting = Method & {
  /** Generations at once above which nothing is drafted: kept by the engine from step to step. */
  readonly aboveBatch?: number;
};

type Method =
  /** A smaller model of the same vocabulary. */
  | { readonly method: "draft_model"; readonly model: string; readonly tokens: number; readonly tensorParallel?: number }
  /** A head trained on the target's hidden states. */
  | { readonly method: "eagle3"; readonly model: string; readonly tokens: number; readonly tensorParallel?: number }
  /** Heads that the target itself brings. */
  | { readonly method: "mtp"; readonly tokens: number }
  /** What followed the last tokens earlier in the text. */
  | { readonly method: "ngram"; readonly tokens: number; readonly lookupMin?: number; readonly lookupMax?: number }
  /** What followed them in this text and in earlier answers. */
  | { readonly method: "suffix"; readonly tokens: number; readonly treeDepth?: number; readonly cachedRequests?: number };

const tokensMax = 32;
const batchMax = 4_096;

/** More than an engine runs at once. */
const beyond = 65_536;

export function speculativeConfig(drafting: Drafting): string {
  const { method, tokens, aboveBatch } = drafting;
  within("tokens", tokens, 1, tokensMax);
  if (aboveBatch !== undefined) within("aboveBatch", aboveBatch, 1, batchMax);
  // Without the second range the length of the first would go on beyond it.
  const lengths = aboveBatch !== undefined && [
    [1, aboveBatch, tokens],
    [aboveBatch + 1, beyond, 0],
  ];
  const schedule = lengths && { num_speculative_tokens_per_batch_size: lengths };
  const common = { method, num_speculative_tokens: tokens, ...schedule };
  switch (drafting.method) {
    case "draft_model":
    case "eagle3": {
      const { model, tensorParallel } = drafting;
      if (model.trim() === "") throw wrong("model", `${method} needs one`);
      if (tensorParallel !== undefined) within("tensorParallel", tensorParallel, 1, 64);
      return JSON.stringify({
        ...common,
        model,
        ...(tensorParallel !== undefined && { draft_tensor_parallel_size: tensorParallel }),
      });
    }
    case "mtp":
      return JSON.stringify(common);
    case "ngram": {
      const { lookupMin = 2, lookupMax = 4 } = drafting;
      within("lookupMin", lookupMin, 1, 32);
      within("lookupMax", lookupMax, lookupMin, 32);
      return JSON.stringify({ ...common, prompt_lookup_min: lookupMin, prompt_lookup_max: lookupMax });
    }
    case "suffix": {
      const { treeDepth = 24, cachedRequests = 10_000 } = drafting;
      within("treeDepth", treeDepth, 1, 128);
      within("cachedRequests", cachedRequests, 0, 1_000_000);
      return JSON.stringify({
        ...common,
        suffix_decoding_max_tree_depth: treeDepth,
        suffix_decoding_max_cached_requests: cachedRequests,
      });
    }
  }
}

function within(field: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max)
    throw wrong(field, `${value} is not a whole number from ${min} to ${max}`);
}

function wrong(field: string, problem: string): SlipstreamError {
  return new SlipstreamError("config", `speculation.${field}: ${problem}`, { field: `speculation.${field}` });
}
