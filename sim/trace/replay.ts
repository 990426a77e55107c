// replay: a trace in, the documents as they are after its events out. A document's length is bounded by the parser.
import type { Trace, TraceEdit } from "./trace.ts";

export function applyEdit(text: string, edit: TraceEdit): string {
  return text.slice(0, edit.startUtf16) + edit.text + text.slice(edit.endUtf16);
}

/** Text of each document after the first `events` events (all, if not given). */
export function replay(trace: Trace, events = trace.events.length): Map<string, string> {
  const texts = new Map(trace.documents.map((document) => [document.id, document.text]));
  for (const { document, edit } of trace.events.slice(0, events)) {
    if (edit) texts.set(document, applyEdit(texts.get(document) ?? "", edit));
  }
  return texts;
}

/** The trace of who begins at its n-th event: the documents as they are by then, and time from there. */
export function begunAt(trace: Trace, events: number): Trace {
  if (events <= 0) return trace;
  const texts = replay(trace, events);
  const fromMs = trace.events[events]?.tMs ?? 0;
  return {
    ...trace,
    documents: trace.documents.map((document) => ({ ...document, text: texts.get(document.id) ?? document.text })),
    events: trace.events.slice(events).map((event) => ({ ...event, tMs: event.tMs - fromMs })),
  };
}
