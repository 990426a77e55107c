// generate: real source text and a seed in, a Trace out of a typist who writes a part of it again, key by key, in
// bursts and pauses. The document starts without that part; replaying the trace gives the source text back.
import { SlipstreamError } from "../../lib/errors.ts";
import { below, fork, lognormal, type Random, seeded } from "../../lib/random.ts";
import { type Key, keysOf, typingPlaces } from "./keys.ts";
import { defaultTyping, lognormalOf, type Typing } from "./parameters.ts";
import { type Trace, type TraceEvent, traceLimits } from "./trace.ts";

/** A whole source file. */
export interface Source {
  readonly path: string;
  readonly language: string;
  readonly text: string;
}

interface Generate extends Source {
  readonly seed: number;
  /** Keys of the text itself; corrections of typos come on top. */
  readonly keys: number;
  /** Where to begin (UTF-16); not given: a line chosen by the seed, early enough for all keys. */
  readonly start?: number;
  /** An editor that indents new lines (default true). */
  readonly autoIndent?: boolean;
  readonly typing?: Partial<Typing>;
}

export function generateTrace(options: Generate): Trace {
  const { text, path, language, seed, autoIndent = true } = options;
  const typing = { ...defaultTyping, ...options.typing };
  const random = seeded(seed);
  if (text.length > traceLimits.documentUtf16Max) {
    throw new SlipstreamError("invalid_request", `text: longer than ${traceLimits.documentUtf16Max} characters`, { field: "text" });
  }
  // A slip costs two events for itself and for each key after it.
  const keysMax = Math.min(options.keys, Math.floor(traceLimits.eventsMax / (2 * typing.typoNoticeKeysMax + 3)));
  const start = options.start ?? toLineEnd(text, chooseStart(fork(random), text, keysMax, autoIndent), keysMax, autoIndent);
  const keys = keysOf(text, start, keysMax, autoIndent);
  if (keys.length === 0) throw new SlipstreamError("invalid_request", "text: has nothing to type", { field: "text" });
  const end = keys.reduce((at, key) => at + key.text.length, start);
  return {
    source: "generated",
    seed,
    parameters: typing,
    documents: [{ id: path, path, language, text: text.slice(0, start) + text.slice(end) }],
    events: type(keys, path, start, typing, fork(random), fork(random)),
  };
}

/** A line from which all keys can be typed, or the first one. */
function chooseStart(random: Random, text: string, keysMax: number, autoIndent: boolean): number {
  const places = typingPlaces(text);
  if (places.length === 0) return 0;
  const fits = (place: number | undefined) => place !== undefined && keysOf(text, place, keysMax, autoIndent).length === keysMax;
  // Fewer keys follow a later place, so the last one that fits is found by halving.
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fits(places[middle])) low = middle + 1;
    else high = middle;
  }
  return places[below(random, Math.max(1, low))] ?? 0;
}

/**
 * Moves a start on so that the last key ends a line: people finish lines, and what stands right of the cursor while they
 * type is the next line, not the other half of a word.
 */
function toLineEnd(text: string, start: number, keysMax: number, autoIndent: boolean): number {
  const keys = keysOf(text, start, keysMax, autoIndent);
  const end = keys.reduce((at, key) => at + key.text.length, start);
  const lineEnd = text.indexOf("\n", end);
  const rest = (lineEnd < 0 ? text.length : lineEnd) - end;
  const skipped = keysOf(text, start, rest, autoIndent);
  return rest < keys.length ? skipped.reduce((at, key) => at + key.text.length, start) : start;
}

function type(keys: readonly Key[], document: string, start: number, typing: Typing, pace: Random, slips: Random): TraceEvent[] {
  const events: TraceEvent[] = [];
  const interval = lognormalOf(typing.keyIntervalMeanMs, typing.keyIntervalSdMs);
  let tMs = 0;
  let cursor = start;
  let burst = burstKeys(pace, typing);
  const press = (edit: { startUtf16: number; endUtf16: number; text: string }) => {
    cursor = edit.startUtf16 + edit.text.length;
    events.push({ tMs: Math.round(tMs * 1_000) / 1_000, document, edit, origin: "typed", cursor, trigger: "auto" });
    burst -= 1;
    const ends = burst <= 0 || (edit.text.includes("\n") && pace.next() < typing.lineEndPauseProbability);
    tMs += ends ? lognormal(pace, typing.pauseMedianMs, typing.pauseSigma) : lognormal(pace, interval.median, interval.sigma);
    if (ends) burst = burstKeys(pace, typing);
  };
  const insert = (text: string) => press({ startUtf16: cursor, endUtf16: cursor, text });
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as Key;
    const wrong = slips.next() < typing.typoProbability ? neighbour(key.text, slips) : undefined;
    if (wrong !== undefined) {
      const run = noticed(keys, index, below(slips, typing.typoNoticeKeysMax + 1));
      for (const text of [wrong, ...run]) insert(text);
      for (const text of [...run.toReversed(), wrong]) press({ startUtf16: cursor - text.length, endUtf16: cursor, text: "" });
    }
    insert(key.text);
  }
  return events;
}

/** Keys typed on before the slip is seen: never past the line. */
function noticed(keys: readonly Key[], wrongIndex: number, count: number): string[] {
  const run = keys.slice(wrongIndex + 1, wrongIndex + 1 + count).map((key) => key.text);
  const newline = run.findIndex((text) => text.includes("\n"));
  return newline < 0 ? run : run.slice(0, newline);
}

/** Geometric from 1 with the given mean. */
function burstKeys(random: Random, typing: Typing): number {
  if (typing.burstKeysMean <= 1) return 1;
  return 1 + Math.floor(Math.log(1 - random.next()) / Math.log(1 - 1 / typing.burstKeysMean));
}

const rows = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];

/** The letter beside it on the keyboard; nothing for what is not a small Latin letter. */
function neighbour(letter: string, random: Random): string | undefined {
  const row = rows.find((letters) => letters.includes(letter));
  if (!row || letter.length !== 1) return undefined;
  const at = row.indexOf(letter);
  return at === 0 ? row[1] : at === row.length - 1 || random.next() < 0.5 ? row[at - 1] : row[at + 1];
}
