// otlp: spans as the JSON of an OTLP/HTTP ExportTraceServiceRequest: ids in hexadecimal, 64-bit numbers as strings.
import type { Span, TracingOptions } from "./tracing.ts";

const kinds = { internal: 1, server: 2, client: 3 } as const;
const statusError = 2;

export function encode(of: Pick<TracingOptions, "service" | "instance" | "version">, spans: readonly Span[]) {
  const resource = { "service.name": of.service, "service.instance.id": of.instance, "service.version": of.version };
  return {
    resourceSpans: [
      {
        resource: { attributes: attributes(resource) },
        scopeSpans: [{ scope: { name: "slipstream", version: of.version }, spans: spans.map(spanOf) }],
      },
    ],
  };
}

function spanOf(span: Span) {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentId === undefined ? {} : { parentSpanId: span.parentId }),
    name: span.name,
    kind: kinds[span.kind],
    startTimeUnixNano: nanoseconds(span.startUnixMs),
    endTimeUnixNano: nanoseconds(span.endUnixMs),
    attributes: attributes(span.attributes),
    ...(span.failed === undefined ? {} : { status: { code: statusError, message: span.failed } }),
  };
}

function attributes(given: Span["attributes"]) {
  return Object.entries(given).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: string | number | boolean) {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** Beyond what a double holds: whole ms and the rest apart. */
function nanoseconds(ms: number): string {
  const whole = Math.floor(ms);
  return String(BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6)));
}
