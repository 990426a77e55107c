// parse: the lines of a trace file in, its head and its events out, or `invalid_request` that names line and field. Everything is
// checked here, also that each edit and cursor lies inside its document, so that whoever plays a trace can trust it. Of what was
// read it keeps the lengths of documents.
import { z } from "zod";
import { invalid } from "../../lib/errors.ts";
import {
  marks,
  origins,
  type Trace,
  type TraceDocument,
  type TraceEvent,
  type TraceHead,
  traceLimits,
  traceTriggers,
  traceVersion,
} from "./trace.ts";

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
  documents: z.int().min(1).max(traceLimits.documentsMax),
});

const documentSchema = z.strictObject({
  doc: name,
  path: z.string().max(traceLimits.nameMax),
  language: z.string().max(traceLimits.nameMax),
  package: z.string().max(traceLimits.nameMax).optional(),
  text: text(traceLimits.documentUtf16Max),
});

const sinceMs = z.number().min(0).max(traceLimits.timeMaxMs);
const besides = z.strictObject({
  d: z.int().min(0).optional(),
  c: offset.optional(),
  t: z.enum(traceTriggers).optional(),
  m: z.enum(marks).optional(),
});
type Besides = z.infer<typeof besides>;

const typedSchema = z.tuple([sinceMs, z.literal("k"), text(traceLimits.editUtf16Max).min(1)]);
const takenBackSchema = z.tuple([sinceMs, z.literal("x"), z.int().min(1)]);
const movedSchema = z.tuple([sinceMs, z.literal("c"), offset, besides.optional()]);
const editedSchema = z.tuple([
  sinceMs,
  z.literal("e"),
  offset,
  offset,
  text(traceLimits.editUtf16Max),
  z.enum(origins),
  besides.optional(),
]);
type Cells =
  | z.infer<typeof typedSchema>
  | z.infer<typeof takenBackSchema>
  | z.infer<typeof movedSchema>
  | z.infer<typeof editedSchema>;
const verbs = { k: typedSchema, x: takenBackSchema, c: movedSchema, e: editedSchema } as const;

export function parseTrace(file: string): Trace {
  const reader = new TraceReader();
  const events: TraceEvent[] = [];
  for (const line of splitLines(file)) {
    const event = reader.line(line);
    if (event) events.push(event);
  }
  return { ...reader.head(), events };
}

export class TraceReader {
  #header: z.infer<typeof headerSchema> | undefined;
  readonly #documents: TraceDocument[] = [];
  readonly #lengths: number[] = [];
  #line = 0;
  #events = 0;
  #document = 0;
  #cursor = 0;
  #atUs = 0;

  /** All documents are read: events follow. */
  get begun(): boolean {
    return this.#header !== undefined && this.#documents.length === this.#header.documents;
  }

  /** Undefined for a line of the head. */
  line(value: string): TraceEvent | undefined {
    this.#line += 1;
    if (this.begun) return this.#event(value);
    if (!this.#header) {
      this.#header = this.#read(headerSchema, value, traceLimits.lineBytesMax);
      return undefined;
    }
    const { doc, package: part, ...document } = this.#read(documentSchema, value, traceLimits.documentBytesMax);
    if (this.#documents.some(({ id }) => id === doc)) throw this.#fail("doc", `"${doc}" is named twice`);
    this.#documents.push({ id: doc, ...document, ...(part !== undefined && { package: part }) });
    this.#lengths.push(document.text.length);
    return undefined;
  }

  head(): TraceHead {
    if (!this.#header) throw invalid("line 1", "the file is empty; a trace begins with its header");
    const { source, seed, parameters, documents } = this.#header;
    if (!this.begun)
      throw invalid(`line ${this.#line + 1}`, `the file ends; the header promises ${documents} documents, ${this.#line - 1} came`);
    return { source, ...(seed !== undefined && { seed }), ...(parameters && { parameters }), documents: this.#documents };
  }

  #event(value: string): TraceEvent {
    this.#events += 1;
    if (this.#events > traceLimits.eventsMax) throw invalid(`line ${this.#line}`, `more than ${traceLimits.eventsMax} events`);
    const json = this.#json(value, traceLimits.lineBytesMax);
    const verb = Array.isArray(json) ? json[1] : undefined;
    if (!(typeof verb === "string" && Object.hasOwn(verbs, verb)))
      throw invalid(`line ${this.#line}`, 'not an event: [ms, "k" | "x" | "c" | "e", …]');
    const cells = this.#checked<Cells>(verbs[verb as keyof typeof verbs] as z.ZodType<Cells>, json);
    this.#atUs += Math.round(cells[0] * 1_000);
    if (this.#atUs > traceLimits.timeMaxMs * 1_000) throw this.#fail("[0]", "ends later than a week after the first event");
    if (cells[1] === "k") return this.#edited(this.#cursor, this.#cursor, cells[2], "typed", { t: "auto" });
    if (cells[1] === "x") {
      if (cells[2] > this.#cursor) throw this.#fail("[2]", `${cells[2]} is more than stands before the cursor (${this.#cursor})`);
      return this.#edited(this.#cursor - cells[2], this.#cursor, "", "typed", { t: "auto" });
    }
    if (cells[1] === "c") return this.#moved(cells[2], cells[3] ?? {});
    return this.#edited(cells[2], cells[3], cells[4], cells[5], cells[6] ?? {});
  }

  #edited(start: number, end: number, text: string, origin: TraceEvent["origin"] & string, besides: Besides): TraceEvent {
    const document = this.#enter(besides);
    const before = this.#lengths[this.#document] as number;
    if (end > before) throw this.#fail("[3]", `${end} is past the document's end (${before})`);
    if (start > end) throw this.#fail("[2]", `${start} is after the edit's end (${end})`);
    const length = before + text.length - (end - start);
    if (length > traceLimits.documentUtf16Max)
      throw this.#fail("[4]", `makes the document longer than ${traceLimits.documentUtf16Max}`);
    this.#lengths[this.#document] = length;
    return {
      tMs: this.#atUs / 1_000,
      document,
      edit: { startUtf16: start, endUtf16: end, text },
      origin,
      cursor: this.#land(besides.c ?? start + text.length, "c"),
      ...asks(besides),
    };
  }

  #moved(cursor: number, besides: Besides): TraceEvent {
    const document = this.#enter(besides);
    if (besides.c !== undefined) throw this.#fail("c", "stands beside a move of the cursor");
    return { tMs: this.#atUs / 1_000, document, cursor: this.#land(cursor, "[2]"), ...asks(besides) };
  }

  #enter({ d }: Besides): string {
    if (d !== undefined) this.#document = d;
    const document = this.#documents[this.#document];
    if (!document) throw this.#fail("d", `there is no document ${d}; they count from 0 to ${this.#documents.length - 1}`);
    return document.id;
  }

  #land(cursor: number, field: string): number {
    const length = this.#lengths[this.#document] as number;
    if (cursor > length) throw this.#fail(field, `${cursor} is past the document's end (${length})`);
    this.#cursor = cursor;
    return cursor;
  }

  #read<T>(schema: z.ZodType<T>, value: string, bytesMax: number): T {
    return this.#checked(schema, this.#json(value, bytesMax));
  }

  #json(value: string, bytesMax: number): unknown {
    if (value.length > bytesMax) throw invalid(`line ${this.#line}`, `longer than ${bytesMax} characters`);
    try {
      return JSON.parse(value);
    } catch {
      throw invalid(`line ${this.#line}`, "not JSON");
    }
  }

  #checked<T>(schema: z.ZodType<T>, json: unknown): T {
    const result = schema.safeParse(json);
    if (result.success) return result.data;
    const issue = result.error.issues[0];
    const field = issue?.path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("") ?? "";
    throw this.#fail(field.replace(/^\./, ""), issue?.message ?? "malformed");
  }

  #fail(field: string, problem: string) {
    return invalid(`line ${this.#line}${field && `: ${field}`}`, problem);
  }
}

function asks({ t, m }: Besides): Pick<TraceEvent, "trigger" | "mark"> {
  return { ...(t && { trigger: t }), ...(m && { mark: m }) };
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
