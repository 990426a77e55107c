// books: an ended generation in, its tokens in the metrics out. They are booked where they were spent, once: also those of
// generations whose trigger was long gone.
import type { RouterMetrics } from "../metrics.ts";
import type { LinkGeneration } from "./generation.ts";

export type Books = Pick<RouterMetrics, "completion_tokens_total" | "prompt_tokens_total" | "drafted_tokens_total">;

export function book(
  { completion_tokens_total, prompt_tokens_total, drafted_tokens_total }: Books,
  { usage, spent, cancelledMs, delivered, bill, hedged }: LinkGeneration,
): void {
  bill?.spent({ tokens: usage.recomputedTokens + usage.completionTokens, engineMs: spent?.engineMs ?? 0 }, hedged);
  completion_tokens_total.inc({ fate: cancelledMs === undefined || delivered > 0 ? "used" : "wasted" }, usage.completionTokens);
  prompt_tokens_total.inc({ kv: "cached" }, usage.cachedTokens);
  prompt_tokens_total.inc({ kv: "recomputed" }, usage.recomputedTokens);
  drafted_tokens_total.inc({ fate: "accepted" }, usage.draftAccepted);
  drafted_tokens_total.inc({ fate: "rejected" }, Math.max(0, usage.drafted - usage.draftAccepted));
}
