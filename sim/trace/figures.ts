// figures: the events of a trace in, what they were out: how many of each kind, how fast, in which files; for `trace inspect`, whose
// page is drawn from the same. Reads a stream once; holds a count a minute and a count a bucket of intervals.
import type { TraceEvent, TraceHead, TraceStream } from "./trace.ts";

export interface TraceFigures extends Omit<TraceHead, "documents"> {
  readonly documents: readonly {
    readonly path: string;
    readonly language: string;
    readonly package?: string;
    readonly utf16: number;
    readonly events: number;
  }[];
  readonly events: number;
  readonly seconds: number;
  readonly triggers: Readonly<Record<string, number>>;
  /** Edits by what made them; `taken_back` are typed ones that only remove. */
  readonly edits: Readonly<Record<string, number>>;
  readonly marks: Readonly<Record<string, number>>;
  readonly inserted_utf16: number;
  readonly deleted_utf16: number;
  readonly file_switches: number;
  readonly cursor_moves: number;
  /** Typed keys a second of the time in which there is a key every two seconds. */
  readonly keys_per_second_typing: number;
  /** Between typed keys, by the upper bound of its bucket in ms. */
  readonly interval_ms: readonly (readonly [number, number])[];
  /** Events of each minute, from the first to the last that has any; at most a week. */
  readonly per_minute: readonly number[];
}

const buckets = [50, 100, 150, 200, 250, 300, 400, 500, 700, 1_000, 2_000, 5_000, 10_000, 60_000, Number.POSITIVE_INFINITY];
const typingMs = 2_000;

export async function figuresOf({ documents, events, ...head }: TraceStream): Promise<TraceFigures> {
  const by = new Map(documents.map(({ id }) => [id, 0]));
  const counted = {
    triggers: {} as Record<string, number>,
    edits: {} as Record<string, number>,
    marks: {} as Record<string, number>,
  };
  const intervals = buckets.map(() => 0);
  const perMinute: number[] = [];
  let [all, inserted, deleted, switches, moves, typingKeys, typedMs] = [0, 0, 0, 0, 0, 0, 0];
  let before: TraceEvent | undefined;
  let keyMs: number | undefined;
  const add = (table: Record<string, number>, name: string | undefined) => {
    if (name !== undefined) table[name] = (table[name] ?? 0) + 1;
  };
  for await (const event of events) {
    const { tMs, document, edit, origin, trigger, mark } = event;
    all += 1;
    by.set(document, (by.get(document) ?? 0) + 1);
    const minute = Math.floor(tMs / 60_000);
    while (perMinute.length <= minute) perMinute.push(0);
    perMinute[minute] = (perMinute[minute] ?? 0) + 1;
    add(counted.triggers, trigger);
    add(counted.edits, origin === "typed" && edit?.text === "" ? "taken_back" : origin);
    add(counted.marks, mark);
    if (before && before.document !== document) switches += 1;
    else if (!edit && !mark) moves += 1;
    if (edit) {
      inserted += edit.text.length;
      deleted += edit.endUtf16 - edit.startUtf16;
    }
    if (origin === "typed") {
      const ms = tMs - (keyMs ?? Number.NaN);
      const at = buckets.findIndex((bound) => ms <= bound);
      if (at >= 0) intervals[at] = (intervals[at] ?? 0) + 1;
      if (ms <= typingMs) {
        typingKeys += 1;
        typedMs += ms;
      }
      keyMs = tMs;
    }
    before = event;
  }
  return {
    ...head,
    documents: documents.map(({ id, path, language, package: part, text }) => ({
      ...{ path, language, ...(part !== undefined && { package: part }), utf16: text.length, events: by.get(id) ?? 0 },
    })),
    ...{ events: all, seconds: round((before?.tMs ?? 0) / 1_000), ...counted, inserted_utf16: inserted, deleted_utf16: deleted },
    ...{
      file_switches: switches,
      cursor_moves: moves,
      keys_per_second_typing: round(typedMs > 0 ? (1_000 * typingKeys) / typedMs : 0),
    },
    interval_ms: buckets.map((bound, i) => [bound, intervals[i] ?? 0]),
    per_minute: perMinute,
  };
}

const round = (value: number) => Math.round(value * 100) / 100;
