// tail: which traces are sent, decided when they have ended: the slow, the failed, and a share of the rest that every process
// draws alike from the trace's id. Whether a caller flagged its trace counts for nothing: callers do not decide our load.
import type { SpanContext } from "./context.ts";

export interface TailOptions {
  readonly slowMs: number;
  readonly share: number;
}

/** Of the share that is sent in any case. */
export function drawn({ traceId }: Pick<SpanContext, "traceId">, share: number): boolean {
  return Number.parseInt(traceId.slice(-8), 16) / 0x1_0000_0000 < share;
}

export function isSent(
  context: Pick<SpanContext, "traceId">,
  ended: { tookMs: number; failed: boolean },
  options: TailOptions,
): boolean {
  return ended.failed || ended.tookMs > options.slowMs || drawn(context, options.share);
}
