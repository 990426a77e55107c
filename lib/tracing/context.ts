// context: the W3C `traceparent` of a caller in, the place of our own span in its trace out, and back into a header for whoever
// is asked next. A header that is not exactly as the standard says counts as none.
import type { Random } from "../random.ts";

export interface SpanContext {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string;
  /** 16 digits. */
  readonly spanId: string;
  /** Of the caller's span; undefined: the trace begins here. */
  readonly parentId: string | undefined;
  /** The caller, or we before it began, want it kept. */
  readonly sampled: boolean;
}

const header = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/;

export function parseTraceparent(text: string | undefined): Omit<SpanContext, "parentId"> | undefined {
  if (text === undefined || text.length > 256) return undefined;
  const match = header.exec(text);
  if (!match || (text.startsWith("00") && text.length !== 55)) return undefined;
  const [, traceId = "", spanId = "", flags = ""] = match;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function traceparent({ traceId, spanId, sampled }: Omit<SpanContext, "parentId">): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}

/** The place of a new span: in the caller's trace, or the first of its own. */
export function beneath(caller: string | undefined, random: Random): SpanContext {
  const parent = parseTraceparent(caller);
  return {
    traceId: parent?.traceId ?? random.hex(32),
    spanId: random.hex(16),
    parentId: parent?.spanId,
    sampled: parent?.sampled ?? false,
  };
}
