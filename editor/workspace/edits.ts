// edits: changes of open files in, the places that a person lately changed in other files out: what they looked like, what they look
// like now. One place is what is changed within a few lines in one go. Bounded.
import type { Clock } from "../../lib/clock.ts";

/** A text with its lines, as it is after the change. */
interface Text {
  readonly text: string;
  readonly count: number;
  positionOf(offset: number): { readonly line: number };
  offsetOf(position: { line: number; character: number }): number | undefined;
}

interface Place {
  readonly path: string;
  /** Lines [from, to] that were changed. */
  from: number;
  to: number;
  before: string;
  after: string;
  atMs: number;
}

export interface Edited {
  readonly path: string;
  readonly before: string;
  readonly after: string;
  readonly line: number;
  readonly ageMs: number;
}

/** As editors that send their history do it: six events, those within eight lines are one. */
const placesMax = 6;
const nearLines = 8;
const aroundLines = 2;
const charactersMax = 2_000;
/** A place that was left for so long begins anew when it is changed again. */
const oneGoMs = 60_000;
/** What is older says little of what comes next. */
const ageMaxMs = 30 * 60_000;

export class RecentEdits {
  readonly #clock: Clock;
  /** The oldest first. */
  #places: Place[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `inserted` stands at `start` of the text, in the place of `removed`. */
  edited(path: string, lines: Text, start: number, removed: string, inserted: string): void {
    const atMs = this.#clock.now();
    const from = lines.positionOf(start).line;
    const to = lines.positionOf(start + inserted.length).line;
    const grown = newlines(inserted) - newlines(removed);
    const known = this.#places.find(
      (place) =>
        place.path === path && atMs - place.atMs < oneGoMs && from <= place.to + nearLines && to - grown >= place.from - nearLines,
    );
    for (const place of this.#places) {
      if (place === known || place.path !== path || place.from <= from) continue;
      place.from += grown;
      place.to += grown;
    }
    if (known) {
      known.from = Math.min(known.from, from);
      known.to = Math.max(known.to + grown, to);
      known.atMs = atMs;
      known.after = around(lines, known.from, known.to);
      this.#places = [...this.#places.filter((place) => place !== known), known];
      return;
    }
    const [begin, end] = [offsetOf(lines, from), offsetOf(lines, to + 1)];
    const before = (lines.text.slice(begin, start) + removed + lines.text.slice(start + inserted.length, end)).slice(
      0,
      charactersMax,
    );
    this.#places.push({ path, from, to, before, after: around(lines, from, to), atMs });
    if (this.#places.length > placesMax) this.#places.shift();
  }

  /** A file whose text is never to be sent from now on. */
  forget(path: string): void {
    this.#places = this.#places.filter((place) => place.path !== path);
  }

  /** In other files than this one, the latest first. */
  elsewhere(path: string): Edited[] {
    const now = this.#clock.now();
    return this.#places
      .filter((place) => place.path !== path && place.after.trim() !== "" && now - place.atMs < ageMaxMs)
      .reverse()
      .map(({ path: where, before, after, from, atMs }) => ({
        ...{ path: where, before, after, line: from, ageMs: Math.round(now - atMs) },
      }));
  }
}

const newlines = (text: string) => text.split("\n").length - 1;
const offsetOf = (lines: Text, line: number) => lines.offsetOf({ line, character: 0 }) ?? lines.text.length;

function around(lines: Text, from: number, to: number): string {
  return lines.text
    .slice(offsetOf(lines, Math.max(0, from - aroundLines)), offsetOf(lines, to + 1 + aroundLines))
    .slice(0, charactersMax);
}
