// generate: real source text and a seed in, a Trace out of a typist who writes a part of it again, key by key, in
// bursts and pauses. The document starts without that part; replaying the trace gives the source text back.
import { SlipstreamError } from "../../lib/errors.ts";
import { below, fork, type Random, seeded } from "../../lib/random.ts";
import { Hand } from "./hand.ts";
import { type Key, keysOf, typingPlaces } from "./keys.ts";
import { defaultTyping, type Typing } from "./parameters.ts";
import { type Trace, type TraceEvent, traceLimits } from "./trace.ts";

/** A whole source file. */
export interface Source {
  readonly path: string;
  readonly language: string;
  readonly package?: string;
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
    events: typed(keys, path, start, typing, random),
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

function typed(keys: readonly Key[], document: string, start: number, typing: Typing, random: Random): TraceEvent[] {
  const hand = new Hand({ typing, document, cursor: start }, { pace: fork(random), slips: fork(random) });
  hand.type(keys);
  return hand.events;
}
