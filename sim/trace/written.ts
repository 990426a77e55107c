// written: a Trace in, the lines of its file out: a header, a line a document, then a short line an event, which says only what
// cannot be known from the one before. docs/reference/trace-format.md describes it; parse.ts reads it.
import { type Trace, type TraceDocument, type TraceEvent, type TraceHead, traceVersion } from "./trace.ts";

export function formatTrace(trace: Trace): string {
  return [...traceLines(trace)].join("");
}

export function* traceLines(trace: Trace): Generator<string> {
  yield* headLines(trace);
  const writer = new EventWriter(trace.documents);
  for (const event of trace.events) yield writer.line(event);
}

function headLines({ source, seed, parameters, documents }: TraceHead): string[] {
  const header = { slipstream_trace: traceVersion, source, seed, parameters, documents: documents.length };
  return [header, ...documents.map(({ id, ...rest }) => ({ doc: id, ...rest }))].map(lineOf);
}

/** What the reader of a line knows of the person: where they are, and when. */
class EventWriter {
  readonly #numbers: ReadonlyMap<string, number>;
  #document = 0;
  #cursor = 0;
  #atUs = 0;

  constructor(documents: readonly Pick<TraceDocument, "id">[]) {
    this.#numbers = new Map(documents.map(({ id }, number) => [id, number]));
  }

  line({ tMs, document, edit, origin, cursor, trigger, mark }: TraceEvent): string {
    const atUs = Math.round(tMs * 1_000);
    const sinceMs = (atUs - this.#atUs) / 1_000;
    const number = this.#numbers.get(document) ?? 0;
    const stays = number === this.#document;
    const before = stays ? this.#cursor : undefined;
    this.#atUs = atUs;
    this.#document = number;
    this.#cursor = cursor;
    if (edit && origin === "typed" && trigger === "auto" && !mark && edit.endUtf16 === before) {
      if (edit.startUtf16 === before && cursor === before + edit.text.length) return lineOf([sinceMs, "k", edit.text]);
      if (edit.text === "" && cursor === edit.startUtf16) return lineOf([sinceMs, "x", before - cursor]);
    }
    const besides = { d: stays ? undefined : number, t: trigger, m: mark };
    if (!edit) return lineOf(trimmed([sinceMs, "c", cursor], besides));
    const lands = edit.startUtf16 + edit.text.length;
    const placed = { ...besides, c: cursor === lands ? undefined : cursor };
    return lineOf(trimmed([sinceMs, "e", edit.startUtf16, edit.endUtf16, edit.text, origin], placed));
  }
}

function trimmed(cells: readonly unknown[], besides: Readonly<Record<string, unknown>>): unknown[] {
  return Object.values(besides).some((value) => value !== undefined) ? [...cells, besides] : [...cells];
}

const lineOf = (value: unknown) => `${JSON.stringify(value)}\n`;
