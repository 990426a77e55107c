// spans: an ended generation as spans beneath the router's: its own, and its time in the queue, in prefill and in decode.

import type { Random } from "../lib/random.ts";
import { beneath, parseTraceparent } from "../lib/tracing/context.ts";
import { isSent, type TailOptions } from "../lib/tracing/tail.ts";
import type { Span } from "../lib/tracing/tracing.ts";
import type { Generation, Usage } from "./generation.ts";

export interface EndedGeneration {
  readonly work: Pick<Generation, "traceparent" | "lane" | "model" | "receivedMs">;
  readonly usage: Usage;
  /** "done", "cancelled", "lost", or the code of what was refused. */
  readonly end: string;
  readonly failed: boolean;
  readonly endedMs: number;
}

/** None for a router that traces nothing, nor for what the tail leaves out: sent is what the router flagged, and what was slow or failed here. */
export function generationSpans(ended: EndedGeneration, tail: TailOptions, offsetMs: number, random: Random): Span[] {
  const { work, usage, end, failed, endedMs } = ended;
  const parent = parseTraceparent(work.traceparent);
  if (!parent) return [];
  const tookMs = endedMs - work.receivedMs;
  if (!parent.sampled && !isSent(parent, { tookMs, failed }, tail)) return [];
  const { traceId, spanId, parentId } = beneath(work.traceparent, random);
  const startUnixMs = work.receivedMs + offsetMs;
  const own: Span = {
    ...{ traceId, spanId, parentId, name: "generation", kind: "server", startUnixMs },
    endUnixMs: endedMs + offsetMs,
    attributes: {
      "slipstream.lane": work.lane,
      "slipstream.model": work.model,
      "slipstream.end": end,
      "slipstream.prompt_tokens": usage.promptTokens,
      "slipstream.cached_tokens": usage.cachedTokens,
      "slipstream.completion_tokens": usage.completionTokens,
      "slipstream.drafted_tokens": usage.drafted,
      "slipstream.accepted_tokens": usage.draftAccepted,
    },
    ...(failed ? { failed: end } : {}),
  };
  let at = startUnixMs;
  const phases = (["queue", "prefill", "decode"] as const).map((name): Span => {
    const from = at;
    at += usage[`${name}Ms`];
    return {
      ...{ traceId, spanId: random.hex(16), parentId: spanId, name, kind: "internal" },
      ...{ startUnixMs: from, endUnixMs: at, attributes: {} },
    };
  });
  return [own, ...phases.filter(({ startUnixMs: from, endUnixMs }) => endUnixMs > from)];
}
