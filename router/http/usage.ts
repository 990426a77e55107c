// usage: what a completion cost, as OpenAI's, Mistral's and DeepSeek's clients read it, and why it ended in their words. Tokens
// of a text that came from memory are none: nothing was computed for it.
import { z } from "zod";
import type { Ending } from "../completion.ts";

export const usageAnswer = z.object({
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  total_tokens: z.number(),
  prompt_tokens_details: z.object({ cached_tokens: z.number() }),
});

export const usageOf = ({ usage }: Pick<Ending, "usage">) => ({
  prompt_tokens: usage.promptTokens,
  completion_tokens: usage.completionTokens,
  total_tokens: usage.promptTokens + usage.completionTokens,
  prompt_tokens_details: { cached_tokens: usage.cachedTokens },
});

const finishReasons = { stop: "stop", cut: "stop", length: "length", deadline: "length" } as const;
export const finishOf = ({ finish = "stop" }: Pick<Ending, "finish">) => finishReasons[finish];
