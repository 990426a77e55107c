// window: the piece of a document that goes into a prompt. Anchored: its start is a multiple of a big step, moved to the next
// line, so it stays the same from key to key and jumps seldom, by half a budget. Pure, hence the same on every router.

/** Longest line looked for when moving a cut to a line start; minified code has lines without end. */
const lineSearchUtf16 = 400;

/** The end of `prefix` within `bytesMax`, starting at an anchor. */
export function prefixWindow(prefix: string, bytesMax: number): string {
  if (bytesMax <= 0) return "";
  const step = Math.max(1, Math.floor(bytesMax / 2));
  // Text is at least as many bytes as units: start there, and step on while multi-byte text is still too large.
  for (let anchor = Math.max(0, Math.ceil((prefix.length - bytesMax) / step)) * step; ; anchor += step) {
    const window = prefix.slice(anchor === 0 ? 0 : nextLine(prefix, anchor));
    if (Buffer.byteLength(window) <= bytesMax) return window;
  }
}

/** The beginning of `suffix` within `bytesMax`, ending at a line end where there is one. */
export function suffixWindow(suffix: string, bytesMax: number): string {
  if (bytesMax <= 0) return "";
  let window = wholeCharacters(suffix.slice(0, bytesMax));
  while (Buffer.byteLength(window) > bytesMax) window = wholeCharacters(window.slice(0, Math.floor(window.length / 2)));
  if (window.length === suffix.length) return window;
  const lineEnd = window.lastIndexOf("\n");
  return lineEnd > 0 ? window.slice(0, lineEnd + 1) : window;
}

function nextLine(text: string, from: number): number {
  const lineEnd = text.slice(from, from + lineSearchUtf16).indexOf("\n");
  if (lineEnd >= 0) return from + lineEnd + 1;
  const unit = text.charCodeAt(from);
  return unit >= 0xdc00 && unit < 0xe000 ? from + 1 : from;
}

function wholeCharacters(text: string): string {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last < 0xdc00 ? text.slice(0, -1) : text;
}
