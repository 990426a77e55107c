import { expect, test } from "vitest";
import type { Generation } from "../../generation.ts";
import { body, type Features, priorityOf } from "./request.ts";
import { retention } from "./triton/request.ts";

const features: Features = {
  ...{ model: "m", priority: true, salt: "chat", confidence: false, ignoreEnd: false },
  adapters: { style: "/adapters/style", house: "/adapters/house" },
};
const work: Generation = {
  ...{ id: 1n, link: "r", affinity: "s", lane: "inline", model: "m", segments: [], stopAtNewline: true },
  ...{ deadlineMs: 0, receivedMs: 0, cacheSalt: "acme", blockDigests: new Uint8Array(), draftDepthHint: 0, traceparent: "" },
  sampling: { maxTokens: 9, temperature: 0, topP: 1, topK: 0, seed: 7, stop: [";"], speculation: "auto" },
};
const prompt = { tokens: [1, 2], maxTokens: 9, requestId: "r-1", ahead: false };

test("better lanes have higher priorities, what is asked ahead the lowest, and all are within 0 and 1", () => {
  const all = (["inline", "chat", "speculative", "batch", "ahead"] as const).map(priorityOf);
  expect([...all].sort((a, b) => b - a)).toEqual(all);
  expect(new Set(all).size).toBe(all.length);
  expect(all.every((each) => each > 0 && each < 1)).toBe(true);
});

test("a tenant's prompt goes to the chat page as tokens, with its salt", () => {
  expect(body(work, prompt, features)).toEqual({
    path: "/v1/chat/completions",
    body: {
      ...{ model: "m", messages: [{ role: "user", content: "" }], prompt_token_ids: [1, 2], max_completion_tokens: 9 },
      ...{ temperature: 0, top_k: 1, seed: 7, stop: [";", "\n"], include_stop_str_in_output: true, priority: priorityOf("inline") },
      ...{ cache_salt: "acme", stream: true, stream_options: { include_usage: true, continuous_usage_stats: true } },
    },
  });
});

test("where no page knows tenants, completions are asked for without one", () => {
  const { path, body: asked } = body(work, prompt, { ...features, salt: "nowhere", priority: false, confidence: true });
  expect(path).toBe("/v1/completions");
  expect(asked).toMatchObject({ prompt: [1, 2], max_tokens: 9, logprobs: 1 });
  expect(asked).not.toHaveProperty("cache_salt");
  expect(asked).not.toHaveProperty("priority");
});

test("an adapter is a field of the request, with a number of its own", () => {
  expect(body({ ...work, model: "house" }, prompt, features).body).toMatchObject({
    model: "m",
    lora_request: { lora_name: "house", lora_int_id: 2, lora_path: "/adapters/house" },
  });
});

test.each<[who: string, over: Partial<Generation>, ahead: boolean, priority: number, durations: boolean]>([
  ["a session's", {}, false, 70, true],
  ["one that is warmed", { affinity: "", lane: "batch" }, true, 70, true],
  ["a batch's", { lane: "batch" }, false, 20, false],
  ["nobody's", { affinity: "" }, false, 20, false],
])("blocks of %s prompt are kept as long as it is worth", (_, over, ahead, priority, durations) => {
  const said = retention({ ...work, ...over }, { ...prompt, ahead });
  expect(said).toMatchObject({
    ...{ retention_token_range_starts: [0], retention_token_range_ends: [2], retention_token_range_priorities: [priority] },
  });
  expect("retention_token_range_durations_ms" in said).toBe(durations);
});
