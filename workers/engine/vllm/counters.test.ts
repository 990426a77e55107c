import { expect, test } from "vitest";
import { readCounters } from "./counters.ts";
import { byPosition } from "./speculated.ts";

const exposition = `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="a \\"b\\" }"} 2.0
vllm:num_requests_running{engine="1",model_name="tiny"} 1.0
vllm:num_requests_waiting{engine="0",model_name="tiny"} 7.0
vllm:kv_cache_usage_perc{engine="0"} 0.25
vllm:spec_decode_num_drafts_total{engine="0"} 10.0
vllm:spec_decode_num_draft_tokens_total{engine="0"} 28.0 1795417512
vllm:spec_decode_num_accepted_tokens_total{engine="0"} 12.0
vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="0",position="0"} 7.0
vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="0",position="2"} 2.0
vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="0",position="1"} 3.0
vllm:spec_decode_num_accepted_tokens_per_pos_created{engine="0",position="0"} 1.7e+09
vllm:cache_config_info{block_size="32",engine="0",num_gpu_blocks="13107"} 1.0
half a line {`;

test("what matters of a thousand lines is found under its names, over all engines", () => {
  expect(readCounters(exposition)).toMatchObject({
    ...{ running: 3, waiting: 7, kvUsed: 0.25, blockTokens: 32, blocks: 13_107, preempted: undefined },
    speculation: { drafts: 10, drafted: 28, accepted: 12, acceptedAt: [7, 3, 2] },
  });
});

test("the names of an earlier version are known; what is not said is not guessed", () => {
  expect(readCounters("vllm:gpu_cache_usage_perc 0.5\n")).toMatchObject({
    kvUsed: 0.5,
    running: undefined,
    speculation: undefined,
  });
  expect(readCounters("")).toMatchObject({ kvUsed: undefined });
});

test("drafts by position sum up to what the engine counted", () => {
  const { drafted, accepted } = byPosition(readCounters(exposition).speculation);
  expect(drafted).toEqual([10, 10, 8]);
  expect(accepted).toEqual([7, 3, 2]);
  expect(byPosition(undefined)).toEqual({ drafted: [], accepted: [] });
});
