// stretches: a source file in, the parts of it that a person will write out, apart from one another, from the first to the last:
// whole lines, from the first character after the indentation to the last before the line's end.
import { lognormal, type Random } from "../../lib/random.ts";
import type { Source } from "./generate.ts";
import type { Habits } from "./habits.ts";
import { typingPlaces } from "./keys.ts";

export interface Stretch {
  readonly source: Source;
  /** UTF-16 offsets in the whole file. */
  readonly start: number;
  readonly end: number;
}

export function stretchesOf(source: Source, habits: Habits, random: Random): Stretch[] {
  const { text } = source;
  const places = typingPlaces(text);
  const taken: Stretch[] = [];
  const lines = () =>
    Math.min(habits.spanLinesMax, Math.max(1, Math.round(lognormal(random, habits.spanLinesMedian, habits.spanLinesSigma))));
  // What is left between them is as long as they are, in the mean, times what makes the share right.
  const left = (1 - habits.takenShareMax) / Math.max(0.01, habits.takenShareMax);
  for (let line = Math.floor(random.next() * 4); line < places.length; ) {
    const count = lines();
    const start = places[line] as number;
    const last = places[Math.min(places.length, line + count) - 1] as number;
    taken.push({ source, start, end: lineEnd(text, last) });
    line += count + 1 + Math.round(lines() * left);
  }
  return taken;
}

/** The text without the stretches, which stand in it from the first to the last. */
export function without(text: string, stretches: readonly Stretch[]): string {
  const kept: string[] = [];
  let at = 0;
  for (const { start, end } of stretches.toSorted((a, b) => a.start - b.start)) {
    kept.push(text.slice(at, start));
    at = end;
  }
  return [...kept, text.slice(at)].join("");
}

function lineEnd(text: string, from: number): number {
  const newline = text.indexOf("\n", from);
  const end = newline < 0 ? text.length : newline;
  return text[end - 1] === "\r" ? end - 1 : end;
}
