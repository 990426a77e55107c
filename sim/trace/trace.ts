// trace: what one person did in an editor, with times: documents as they were, then edits, triggers, marks and moves of the
// cursor in order. These are the nouns; written.ts makes the file of them, parse.ts and read.ts read it back, replay.ts applies it,
// generate.ts, working.ts and versions.ts make traces, recording.ts takes one down. Every size is bounded by `traceLimits`.

export const traceVersion = 2;

export const traceLimits = {
  /** A day of two people's typing is about 100,000 events. */
  eventsMax: 1_000_000,
  documentsMax: 64,
  /** As a router's own limit for a document (UTF-16 units). */
  documentUtf16Max: 1_048_576,
  editUtf16Max: 65_536,
  /** Of a line that carries a document: each character of it may be six of JSON. */
  documentBytesMax: 8 * 1_048_576,
  lineBytesMax: 512 * 1024,
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
  /** What it is part of: traces are split by it, so that nothing is measured on what it was tuned on. */
  readonly package?: string;
  /** As it is before the first event. */
  readonly text: string;
}

/** All of a trace but what happens in it. */
export interface TraceHead {
  /** Where it comes from: "generated", "versions" or the name of a recorder. */
  readonly source: string;
  /** Seed and parameters of a generated trace. */
  readonly seed?: number;
  readonly parameters?: Readonly<Record<string, number>>;
  readonly documents: readonly TraceDocument[];
}

export interface Trace extends TraceHead {
  readonly events: readonly TraceEvent[];
}

/** A trace that is read while it is played. */
export interface TraceStream extends TraceHead {
  readonly events: AsyncIterable<TraceEvent>;
}
