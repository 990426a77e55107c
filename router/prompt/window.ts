// window: the piece of a document that goes into a prompt. Anchored: its start is a multiple of half a budget, counted in bytes
// from the document's start and moved to the next line, so it stays the same from key to key and jumps seldom. Pure, hence
// the same on every router.
import type { CursorText } from "../cursor-text.ts";

/** Longest line looked through when moving a cut to a line start; minified code has lines without end. */
const lineSearchBytes = 400;
const lineFeed = 10;

/** Text that ends at the cursor. */
export interface Window {
  readonly bytes: Buffer;
  /** Where it starts, in bytes from the document's start. */
  readonly start: number;
}

/** The end of the text before the cursor within `bytesMax`, starting at an anchor; `anchored` off: as long as may be. */
export function prefixWindow(text: CursorText, bytesMax: number, anchored = true): Window {
  const size = text.bytesBefore;
  if (bytesMax <= 0) return { bytes: Buffer.alloc(0), start: size };
  if (size <= bytesMax) return { bytes: Buffer.from(text.before(text.lengthBefore)), start: 0 };
  const step = anchored ? Math.max(1, Math.floor(bytesMax / 2)) : 1;
  const wanted = size - Math.ceil((size - bytesMax) / step) * step;
  // A unit is at least a byte, so the last `bytesMax` units hold the window.
  const tail = Buffer.from(text.before(bytesMax));
  const window = tail.subarray(tail.length - wanted);
  const lineEnd = window.subarray(0, Math.min(lineSearchBytes, step >> 1)).indexOf(lineFeed);
  const bytes = window.subarray(lineEnd >= 0 ? lineEnd + 1 : characterStart(window, 0));
  return { bytes, start: size - bytes.length };
}

/** The beginning of the text after the cursor within `bytesMax`, ending at a line end where there is one. */
export function suffixWindow(text: CursorText, bytesMax: number): string {
  if (bytesMax <= 0) return "";
  const suffix = text.after(bytesMax + 1);
  const bytes = Buffer.from(suffix);
  if (bytes.length <= bytesMax) return suffix;
  let end = bytesMax;
  while (isContinuation(bytes[end])) end -= 1;
  const window = bytes.toString("utf8", 0, end);
  const lineEnd = window.lastIndexOf("\n");
  return lineEnd > 0 ? window.slice(0, lineEnd + 1) : window;
}

export function characterStart(bytes: Buffer, from: number): number {
  let at = from;
  while (isContinuation(bytes[at])) at += 1;
  return at;
}

const isContinuation = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80;
