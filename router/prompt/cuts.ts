// cuts: a window of the text before the cursor in, the pieces out that a prompt is made of. Pieces are encoded apart, so their
// ends must stay while the person types: each multiple of a step, counted in bytes from the document's start, has one cut in
// the half step after it, and has it only once the cursor is past that half, so nothing typed later moves it. A cut that the last
// prompt had stays as long as the cursor is behind it, so that taking back a letter there does not take the cut back. Pure.
import { characterStart, type Window } from "./window.ts";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;

/** About fifteen lines: what is typed after the last cut is at most one and a half of it. */
const stepBytesMin = 512;
const firstAnchorBytes = 64;
/** More pieces than this cost more than they save; workers take 256 segments. */
const piecesMax = 128;

/** Doubled for large windows, so that it stays when a budget wobbles. */
export function stepFor(windowBytes: number): number {
  let step = stepBytesMin;
  while (windowBytes / step > piecesMax) step *= 2;
  return step;
}

/** A window cut at its anchors: what stands before the last cut, piece by piece, and what stands after it. */
export interface Cut {
  readonly head: readonly string[];
  /** From the last cut to the cursor. Where there is none, all of the window. */
  readonly tail: string;
}

/** `held`: where the last prompt's last cut was, in bytes from the document's start. */
export function cutWindow({ bytes, start }: Window, stepBytes: number, held = 0): Cut {
  const end = start + bytes.length;
  const head: string[] = [];
  let from = 0;
  for (let anchor = firstAnchor(start, stepBytes); ; anchor += stepAt(anchor, stepBytes)) {
    const half = stepAt(anchor, stepBytes) >> 1;
    if (anchor + half >= end) break;
    const at =
      lineCut(bytes, anchor - start, anchor - start + half) ??
      (anchor < stepBytes ? from : midLineCut(bytes, anchor - start, half));
    if (at <= from) continue;
    head.push(bytes.toString("utf8", from, at));
    from = at;
  }
  const kept = held - start;
  if (kept > from && kept < bytes.length && bytes[kept - 1] === lineFeed) {
    head.push(bytes.toString("utf8", from, kept));
    from = kept;
  }
  return { head, tail: bytes.toString("utf8", from) };
}

/** Anchors are 64, 128, 256, … and from a step on its multiples: a short document has something before its last cut, too. */
function stepAt(anchor: number, stepBytes: number): number {
  return Math.min(anchor, stepBytes);
}

function firstAnchor(start: number, stepBytes: number): number {
  if (start >= stepBytes) return Math.ceil(start / stepBytes) * stepBytes;
  let anchor = Math.min(firstAnchorBytes, stepBytes);
  while (anchor < start) anchor *= 2;
  return anchor;
}

/** In [from, to): before a line that is neither empty nor indented, because tokens span line feeds and the blanks after them; else before any line with text. */
function lineCut(bytes: Buffer, from: number, to: number): number | undefined {
  let line: number | undefined;
  for (let at = bytes.indexOf(lineFeed, Math.max(0, from - 1)) + 1; at > 0 && at < to; at = bytes.indexOf(lineFeed, at) + 1) {
    const next = bytes[at] as number;
    if (next > space) return at;
    if (next !== lineFeed && next !== carriageReturn) line ??= at;
  }
  return line;
}

/** Where lines have no end: before a blank, or at least between two characters. */
function midLineCut(bytes: Buffer, from: number, length: number): number {
  const blank = bytes.subarray(from, from + length).indexOf(space);
  return blank >= 0 ? from + blank : characterStart(bytes, from);
}
