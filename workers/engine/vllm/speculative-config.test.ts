import { expect, test } from "vitest";
import { type Drafting, speculativeConfig } from "./speculative-config.ts";

test.each<[drafting: Drafting, config: object]>([
  [
    { method: "draft_model", model: "/models/draft", tokens: 3 },
    { method: "draft_model", model: "/models/draft", num_speculative_tokens: 3 },
  ],
  [
    { method: "eagle3", model: "org/head", tokens: 4, tensorParallel: 2 },
    { method: "eagle3", model: "org/head", num_speculative_tokens: 4, draft_tensor_parallel_size: 2 },
  ],
  [
    { method: "mtp", tokens: 1 },
    { method: "mtp", num_speculative_tokens: 1 },
  ],
  [
    { method: "ngram", tokens: 5, lookupMax: 6 },
    { method: "ngram", num_speculative_tokens: 5, prompt_lookup_min: 2, prompt_lookup_max: 6 },
  ],
  [
    { method: "mtp", tokens: 2, aboveBatch: 12 },
    {
      method: "mtp",
      num_speculative_tokens: 2,
      num_speculative_tokens_per_batch_size: [
        [1, 12, 2],
        [13, 65_536, 0],
      ],
    },
  ],
  [
    { method: "suffix", tokens: 8 },
    {
      method: "suffix",
      num_speculative_tokens: 8,
      suffix_decoding_max_tree_depth: 24,
      suffix_decoding_max_cached_requests: 10_000,
    },
  ],
])("%j is rendered", (drafting, config) => {
  expect(JSON.parse(speculativeConfig(drafting))).toEqual(config);
});

test.each<[drafting: Drafting, says: RegExp]>([
  [{ method: "draft_model", model: " ", tokens: 3 }, /speculation.model: draft_model needs one/],
  [{ method: "mtp", tokens: 0 }, /speculation.tokens: 0 is not a whole number from 1 to 32/],
  [{ method: "ngram", tokens: 3, lookupMin: 5, lookupMax: 4 }, /speculation.lookupMax/],
  [{ method: "suffix", tokens: 2.5 }, /speculation.tokens/],
  [{ method: "mtp", tokens: 1, aboveBatch: 0 }, /speculation.aboveBatch: 0 is not a whole number from 1 to 4096/],
])("%j is refused by its field", (drafting, says) => {
  expect(() => speculativeConfig(drafting)).toThrow(says);
});
