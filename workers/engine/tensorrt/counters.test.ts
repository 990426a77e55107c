import { expect, test } from "vitest";
import { Iterations, readExposition } from "./counters.ts";

const labels = '{engine_type="undefined",model_name="undefined"}';

test.each<[version: string, drafted: string, accepted: string]>([
  ["by iteration", "trtllm_spec_decode_num_draft_tokens_total", "trtllm_spec_decode_num_accepted_tokens_total"],
  ["by request", "trtllm_spec_decode_drafted_tokens_total", "trtllm_spec_decode_accepted_tokens_total"],
])("drafts counted %s are read by the names of their version", (_, drafted, accepted) => {
  const text = `${drafted}${labels} 30.0\n${accepted}${labels} 12.0\ntrtllm_kv_cache_tokens_per_block${labels} 32.0\ntrtllm_model_config_info{max_model_len="8192",model="m"} 1.0\n`;
  expect(readExposition(text)).toMatchObject({
    ...{ speculation: { drafted: 30, accepted: 12 }, blockTokens: 32, contextTokens: 8_192, running: undefined },
  });
});

test("iterations are summed up, since each is told once", () => {
  const iterations = new Iterations();
  const record = (drafted: number, accepted: number) => ({
    ...{ numActiveRequests: 3, kvCacheStats: { maxNumBlocks: 100, usedNumBlocks: 40, tokensPerBlock: 32 } },
    specDecodingStats: { numDraftTokens: drafted, numAcceptedTokens: accepted },
  });
  expect(iterations.counters.speculation).toBeUndefined();
  expect(iterations.read(JSON.stringify([record(8, 3), "no record", record(4, 4)]))).toBe(true);
  expect(iterations.read("[]")).toBe(true);
  expect(iterations.counters).toMatchObject({
    speculation: { drafted: 12, accepted: 7 },
    kvBlocksUsed: 40,
    kvBlocks: 100,
    running: 3,
  });
});

test.each(["", "{}", "Internal Server Error"])("%j is no list of iterations", (text) => {
  expect(new Iterations().read(text)).toBe(false);
});
