// trace: what one person did in an editor, with times: documents as they were, then edits, triggers and marks in order.
// In goes nothing but these nouns; `formatTrace` makes the file (one JSON object a line), parse.ts reads it back,
// replay.ts applies it, generate.ts makes one from source text. Every size is bounded by `traceLimits`.

export const traceVersion = 1;

export const traceLimits = {
  /** A day of two people's typing is about 100,000 events. */
  eventsMax: 1_000_000,
  documentsMax: 64,
  /** As a router's own limit for a document (UTF-16 units). */
  documentUtf16Max: 1_048_576,
  editUtf16Max: 65_536,
  /** A line of JSON: a header carries all documents. */
  headerBytesMax: 64 * 1_048_576,
  eventBytesMax: 512 * 1024,
  /** A week, in ms. */
  timeMaxMs: 7 * 24 * 3_600_000,
  nameMax: 1_024,
} as const;

/** How an edit came about, as in the session protocol. */
export const origins = ["typed", "paste", "undo", "accept", "format"] as const;
export type Origin = (typeof origins)[number];

/** What asks for a completion at this event. */
export const traceTriggers = ["auto", "invoked", "preload"] as const;
export type TraceTrigger = (typeof traceTriggers)[number];

/** What the person did with the text shown at this time. */
export const marks = ["accept", "reject"] as const;
export type Mark = (typeof marks)[number];

/** Replaces [start, end) by text; UTF-16 offsets in the document as it is before this event. */
export interface TraceEdit {
  readonly startUtf16: number;
  readonly endUtf16: number;
  readonly text: string;
}

export interface TraceEvent {
  /** From the start of the trace; never falls. */
  readonly tMs: number;
  readonly document: string;
  /** Where the cursor is after the event. */
  readonly cursor: number;
  readonly edit?: TraceEdit;
  /** Given with each edit. */
  readonly origin?: Origin;
  readonly trigger?: TraceTrigger;
  readonly mark?: Mark;
}

export interface TraceDocument {
  readonly id: string;
  readonly path: string;
  readonly language: string;
  /** As it is before the first event. */
  readonly text: string;
}

export interface Trace {
  /** Where it comes from: "generated" or the name of a recorder. */
  readonly source: string;
  /** Seed and parameters of a generated trace. */
  readonly seed?: number;
  readonly parameters?: Readonly<Record<string, number>>;
  readonly documents: readonly TraceDocument[];
  readonly events: readonly TraceEvent[];
}

/** The file: a header line, then a line an event. */
export function formatTrace(trace: Trace): string {
  const header = {
    slipstream_trace: traceVersion,
    source: trace.source,
    seed: trace.seed,
    parameters: trace.parameters,
    documents: trace.documents.map(({ id, path, language, text }) => ({ doc: id, path, language, text })),
  };
  const lines = trace.events.map((event) => ({
    t_ms: event.tMs,
    doc: event.document,
    edit: event.edit && { start_utf16: event.edit.startUtf16, end_utf16: event.edit.endUtf16, text: event.edit.text },
    origin: event.origin,
    cursor: event.cursor,
    trigger: event.trigger,
    mark: event.mark,
  }));
  return [header, ...lines].map((line) => `${JSON.stringify(line)}\n`).join("");
}
