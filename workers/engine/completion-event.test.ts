import { expect, test } from "vitest";
import { readEvent } from "./completion-event.ts";

const choice = { text: "a", finishReason: "", tokenLogprobs: [], tokenIds: [] };

test.each<[what: string, raw: unknown, read: unknown]>([
  ["a text", { choices: [{ text: "a" }] }, { choice, usage: undefined }],
  [
    "nulls where a server has nothing",
    { choices: [{ text: "a", finish_reason: null, logprobs: null, token_ids: null }], usage: null },
    { choice },
  ],
  ["its end", { choices: [{ text: "", finish_reason: "stop" }] }, { choice: { ...choice, text: "", finishReason: "stop" } }],
  [
    "probabilities, some not known",
    { choices: [{ text: "a", logprobs: { token_logprobs: [null, -0.5] } }] },
    { choice: { ...choice, tokenLogprobs: [null, -0.5] } },
  ],
  ["tokens", { choices: [{ token_ids: [0, 7] }] }, { choice: { ...choice, text: "", tokenIds: [0, 7] } }],
  [
    "what it cost",
    { choices: [], usage: { prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 8 } } },
    { choice: undefined, usage: { promptTokens: 9, completionTokens: 2, cachedTokens: 8 } },
  ],
  ["no choices at all", { usage: { prompt_tokens: 9 } }, { choice: undefined, usage: { promptTokens: 9 } }],
  ["an error, whatever is in it", { error: { message: "no" } }, { error: { message: "no" }, choice: undefined }],
])("%s is read", (_what, raw, read) => {
  expect(readEvent(raw)).toMatchObject(read as object);
});

test.each<[raw: unknown, wrong: string]>([
  [null, "content"],
  [7, "content"],
  ["data", "content"],
  [[], "content"],
  [{ choices: null }, "choices"],
  [{ choices: "none" }, "choices"],
  [{ choices: {} }, "choices"],
  [{ choices: ["a"] }, "choices.0"],
  [{ choices: [{ text: 7 }] }, "choices.0.text"],
  [{ choices: [{ text: ["a"] }] }, "choices.0.text"],
  [{ choices: [{ text: "a", finish_reason: 1 }] }, "choices.0.finish_reason"],
  [{ choices: [{ text: "a", logprobs: "much" }] }, "choices.0.logprobs"],
  [{ choices: [{ text: "a", logprobs: { token_logprobs: ["x"] } }] }, "choices.0.logprobs"],
  [{ choices: [{ token_ids: [1.5] }] }, "choices.0.token_ids"],
  [{ choices: [{ token_ids: [-1] }] }, "choices.0.token_ids"],
  [{ choices: [{ token_ids: "1" }] }, "choices.0.token_ids"],
  [{ choices: [], usage: 7 }, "usage"],
  [{ choices: [], usage: {} }, "usage.prompt_tokens"],
  [{ choices: [], usage: { prompt_tokens: -1 } }, "usage.prompt_tokens"],
  [{ choices: [], usage: { prompt_tokens: "9" } }, "usage.prompt_tokens"],
  [{ choices: [], usage: { prompt_tokens: 9, completion_tokens: 0.5 } }, "usage.completion_tokens"],
  [{ choices: [], usage: { prompt_tokens: 9, prompt_tokens_details: 8 } }, "usage.prompt_tokens_details"],
  [
    { choices: [], usage: { prompt_tokens: 9, prompt_tokens_details: { cached_tokens: "8" } } },
    "usage.prompt_tokens_details.cached_tokens",
  ],
])("%j is refused by the name of %s", (raw, wrong) => {
  expect(readEvent(raw)).toBe(wrong);
});
