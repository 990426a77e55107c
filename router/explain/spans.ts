// spans: a trigger that has ended, as the spans of one trace: its own, and one for each step beneath it. Made afterwards, from
// what explain holds anyway, so that a trace nobody wants to see has cost nothing.
import type { Span } from "../../lib/tracing/tracing.ts";
import type { Told } from "./explain.ts";

/** `offsetMs` leads from the process's clock to Unix time. */
export function spansOf(told: Told, offsetMs: number, spanId: () => string): Span[] {
  const { context, of, ending, endedMs } = told;
  if (!context || !ending) return [];
  const { usage } = ending;
  const known = Object.entries({
    reason: ending.reason,
    finish: ending.finish,
    model: ending.model,
    worker: ending.worker,
    completion: ending.completionId,
  }).flatMap(([name, value]) => (value ? [[`slipstream.${name}`, value] as const] : []));
  const own: Span = {
    ...{ traceId: context.traceId, spanId: context.spanId, parentId: context.parentId },
    name: `${of.lane} ${of.kind}`,
    kind: "server",
    startUnixMs: of.receivedMs + offsetMs,
    endUnixMs: endedMs + offsetMs,
    attributes: {
      "slipstream.trigger": of.id,
      "slipstream.session": of.session,
      "slipstream.language": of.language,
      "slipstream.outcome": ending.outcome,
      "slipstream.prompt_tokens": usage.promptTokens,
      "slipstream.recomputed_tokens": usage.recomputedTokens,
      "slipstream.completion_tokens": usage.completionTokens,
      "slipstream.text_utf16": ending.textUtf16 ?? 0,
      ...Object.fromEntries(known),
    },
    ...(ending.outcome === "failed" ? { failed: ending.code ?? "failed" } : {}),
  };
  const steps = told.steps.map(
    ({ room, fromMs, toMs, what, spanId: given }): Span => ({
      ...{ traceId: context.traceId, spanId: given ?? spanId(), parentId: context.spanId },
      name: room,
      kind: room === "dispatch" ? "client" : "internal",
      startUnixMs: fromMs + offsetMs,
      endUnixMs: (toMs ?? endedMs) + offsetMs,
      attributes: { "slipstream.what": toMs === undefined ? "under way when its trigger ended" : what },
    }),
  );
  return [own, ...steps];
}
