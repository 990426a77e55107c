import { expect, test } from "vitest";
import { refused } from "./refused.ts";

const error = (message: string) => JSON.stringify({ object: "error", message, type: "BadRequestError", param: null, code: 400 });

test.each<[status: number, text: string, code: string]>([
  [
    400,
    error("The sum of prompt length (9), query length (0) and max_tokens (9) should not exceed max_seq_len (8)"),
    "invalid_request",
  ],
  [400, JSON.stringify({ error: "[{'type': 'extra_forbidden', 'msg': 'Extra inputs are not permitted'}]" }), "invalid_request"],
  [400, JSON.stringify({ error: "1 validation error: suffix is not supported" }), "invalid_request"],
  [400, error("Executor worker returned error: CUDA out of memory"), "engine_failed"],
  [400, error("LLM is shutting down"), "engine_failed"],
  [400, error("Failed to load LoRA adapter: CUDA out of memory"), "engine_failed"],
  [400, error("lora_int_id 3 exceeds the number of adapters"), "engine_failed"],
  [400, error("Executor: the KV cache pool must be larger"), "engine_failed"],
  [400, error("max_tokens must be at least 1"), "invalid_request"],
  [400, "", "engine_failed"],
  [503, "LLM is unavailable. Please check the server logs for more details.", "overloaded"],
  [500, "Internal Server Error", "engine_failed"],
])("status %s with %s is %s", (status, text, code) => {
  expect(refused({ status, text }).code).toBe(code);
});
