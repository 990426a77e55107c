// parse: the text of a trace file in, a Trace out, or `invalid_request` that names line and field. Everything is
// checked here, also that each edit and cursor lies inside its document, so that whoever plays a trace can trust it.
import { z } from "zod";
import { invalid } from "../../lib/errors.ts";
import { marks, origins, type Trace, type TraceEvent, traceLimits, traceTriggers, traceVersion } from "./trace.ts";

const name = z.string().min(1).max(traceLimits.nameMax);
const offset = z.int().min(0).max(traceLimits.documentUtf16Max);
/** Half a surrogate pair has no UTF-8, so no client could have sent it. */
const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !/\p{Surrogate}/u.test(value), "has half a surrogate pair");

const headerSchema = z.strictObject({
  slipstream_trace: z.literal(traceVersion),
  source: name,
  seed: z.number().optional(),
  parameters: z.record(name, z.number()).optional(),
  documents: z
    .array(
      z.strictObject({
        doc: name,
        path: z.string().max(traceLimits.nameMax),
        language: z.string().max(traceLimits.nameMax),
        text: text(traceLimits.documentUtf16Max),
      }),
    )
    .min(1)
    .max(traceLimits.documentsMax),
});

const eventSchema = z.strictObject({
  t_ms: z.number().min(0).max(traceLimits.timeMaxMs),
  doc: name,
  edit: z.strictObject({ start_utf16: offset, end_utf16: offset, text: text(traceLimits.editUtf16Max) }).optional(),
  origin: z.enum(origins).optional(),
  cursor: offset,
  trigger: z.enum(traceTriggers).optional(),
  mark: z.enum(marks).optional(),
});

export function parseTrace(file: string): Trace {
  const lines = splitLines(file);
  const first = lines.next();
  if (first.done) throw invalid("line 1", "the file is empty; a trace begins with its header");
  const header = read(headerSchema, 1, first.value, traceLimits.headerBytesMax);
  const lengths = new Map<string, number>();
  for (const [index, document] of header.documents.entries()) {
    if (lengths.has(document.doc)) throw invalid(`line 1: documents[${index}].doc`, `"${document.doc}" is named twice`);
    lengths.set(document.doc, document.text.length);
  }
  const events: TraceEvent[] = [];
  let line = 1;
  let latestMs = 0;
  for (const value of lines) {
    line += 1;
    if (events.length >= traceLimits.eventsMax) throw invalid(`line ${line}`, `more than ${traceLimits.eventsMax} events`);
    const event = readEvent(line, value, lengths);
    if (event.tMs < latestMs) throw invalid(`line ${line}: t_ms`, `${event.tMs} is before the event above it (${latestMs})`);
    latestMs = event.tMs;
    events.push(event);
  }
  return {
    source: header.source,
    ...(header.seed !== undefined && { seed: header.seed }),
    ...(header.parameters && { parameters: header.parameters }),
    documents: header.documents.map(({ doc, path, language, text }) => ({ id: doc, path, language, text })),
    events,
  };
}

function readEvent(line: number, value: string, lengths: Map<string, number>): TraceEvent {
  const { t_ms, doc, cursor, edit, origin, trigger, mark } = read(eventSchema, line, value, traceLimits.eventBytesMax);
  const fail = (field: string, problem: string) => invalid(`line ${line}: ${field}`, problem);
  const before = lengths.get(doc);
  if (before === undefined) throw fail("doc", `"${doc}" is not in the header`);
  let length = before;
  if (edit) {
    if (!origin) throw fail("origin", "is missing beside an edit");
    if (edit.end_utf16 > length) throw fail("edit.end_utf16", `${edit.end_utf16} is past the document's end (${length})`);
    if (edit.start_utf16 > edit.end_utf16)
      throw fail("edit.start_utf16", `${edit.start_utf16} is after end_utf16 (${edit.end_utf16})`);
    length += edit.text.length - (edit.end_utf16 - edit.start_utf16);
    if (length > traceLimits.documentUtf16Max)
      throw fail("edit.text", `makes the document longer than ${traceLimits.documentUtf16Max}`);
    lengths.set(doc, length);
  } else if (origin) throw fail("origin", "stands without an edit");
  else if (!trigger && !mark) throw fail("edit", "an event needs an edit, a trigger or a mark");
  if (cursor > length) throw fail("cursor", `${cursor} is past the document's end (${length})`);
  return {
    tMs: t_ms,
    document: doc,
    cursor,
    ...(edit && { edit: { startUtf16: edit.start_utf16, endUtf16: edit.end_utf16, text: edit.text } }),
    ...(origin && { origin }),
    ...(trigger && { trigger }),
    ...(mark && { mark }),
  };
}

function read<T>(schema: z.ZodType<T>, line: number, value: string, bytesMax: number): T {
  if (value.length > bytesMax) throw invalid(`line ${line}`, `longer than ${bytesMax} characters`);
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch {
    throw invalid(`line ${line}`, "not a JSON object");
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("") ?? "";
  throw invalid(`line ${line}${field && `: ${field.slice(1)}`}`, issue?.message ?? "malformed");
}

/** Lines without copying the file twice; a last empty line is the end of the one before. */
function* splitLines(file: string): Generator<string, undefined> {
  let start = file.charCodeAt(0) === 0xfeff ? 1 : 0;
  while (start < file.length) {
    const end = file.indexOf("\n", start);
    const stop = end < 0 ? file.length : end;
    yield file.slice(start, file[stop - 1] === "\r" ? stop - 1 : stop);
    start = stop + 1;
  }
  return undefined;
}
