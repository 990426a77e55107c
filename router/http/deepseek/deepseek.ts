// deepseek: `/beta/completions` in, a text completion out, with what of the prompt was cached and what was not counted as
// DeepSeek counts it. OpenAI's clients reach it with the base address `…/beta`.
import { z } from "zod";
import type { Ending } from "../../completion.ts";
import { post, type Route } from "../route.ts";
import { completeText, textCompletionAnswer, textCompletionBody, wishOf } from "../text-completion.ts";
import { usageOf } from "../usage.ts";

const { top_k: _, seed: __, n: ___, best_of: ____, ...taken } = textCompletionBody;
const body = z.object(taken);

const usage = (ending: Ending) => ({
  ...usageOf(ending),
  prompt_cache_hit_tokens: ending.usage.cachedTokens,
  prompt_cache_miss_tokens: ending.usage.promptTokens - ending.usage.cachedTokens,
});

export const deepSeekRoutes: readonly Route[] = [
  post("deepseek", "/beta/completions", {
    summary: "Completes between `prompt` and `suffix`.",
    body,
    answer: textCompletionAnswer,
    streams: "text/event-stream",
    handle: (call) => {
      const asked = { ...call.body, top_k: null, seed: null, n: null, best_of: null };
      const wish = wishOf(asked);
      const sampling = { ...wish.sampling, maxTokens: asked.max_tokens ?? -1 };
      return completeText({ ...call, body: asked }, { ...wish, sampling }, "deepseek", usage);
    },
  }),
];
