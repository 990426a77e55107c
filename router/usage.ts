// usage: what several generations cost together, where one trigger needed more than one. Pure.
import type { Delta, Usage } from "./completion.ts";

export function added(a: Usage, b: Usage | undefined): Usage {
  if (!b) return a;
  return {
    promptTokens: a.promptTokens + b.promptTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    recomputedTokens: a.recomputedTokens + b.recomputedTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    drafted: a.drafted + b.drafted,
    draftAccepted: a.draftAccepted + b.draftAccepted,
  };
}

/** With one more delta of a generation. */
export function grown(usage: Usage, { tokens, prompt }: Delta): Usage {
  return {
    ...added(usage, prompt && { ...prompt, completionTokens: 0, drafted: 0, draftAccepted: 0 }),
    completionTokens: usage.completionTokens + tokens,
  };
}
