// window: the piece of a document that goes into a prompt. Anchored: its start is a multiple of half a budget, counted in bytes
// from the document's start and moved to the next line, so it stays the same from key to key and jumps seldom. Pure, hence
// the same on every router.

/** Longest line looked through when moving a cut to a line start; minified code has lines without end. */
const lineSearchBytes = 400;
const lineFeed = 10;

/** The end of `prefix` within `bytesMax`, starting at an anchor. */
export function prefixWindow(prefix: string, bytesMax: number): string {
  if (bytesMax <= 0) return "";
  const size = Buffer.byteLength(prefix);
  if (size <= bytesMax) return prefix;
  const step = Math.max(1, Math.floor(bytesMax / 2));
  const bytes = size - Math.ceil((size - bytesMax) / step) * step;
  // A unit is at least a byte, so the last `bytesMax` units hold the window.
  const tail = Buffer.from(prefix.slice(-bytesMax));
  const window = tail.subarray(tail.length - bytes);
  const lineEnd = window.subarray(0, Math.min(lineSearchBytes, step >> 1)).indexOf(lineFeed);
  return window.toString("utf8", lineEnd >= 0 ? lineEnd + 1 : characterStart(window, 0));
}

/** The beginning of `suffix` within `bytesMax`, ending at a line end where there is one. */
export function suffixWindow(suffix: string, bytesMax: number): string {
  if (bytesMax <= 0) return "";
  const bytes = Buffer.from(suffix.slice(0, bytesMax + 1));
  if (bytes.length <= bytesMax) return suffix;
  let end = bytesMax;
  while (isContinuation(bytes[end])) end -= 1;
  const window = bytes.toString("utf8", 0, end);
  const lineEnd = window.lastIndexOf("\n");
  return lineEnd > 0 ? window.slice(0, lineEnd + 1) : window;
}

function characterStart(bytes: Buffer, from: number): number {
  let at = from;
  while (isContinuation(bytes[at])) at += 1;
  return at;
}

const isContinuation = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80;
