// graphemes: where a text may be cut so that no character, as a person sees it, is torn: neither a surrogate pair nor an accent
// from its letter nor a family of emoji.

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
/** No character that people write is longer. */
const longestUtf16 = 64;
const joiner = "\u200d";

/** May `text` be cut before its unit `at`? */
export function isBoundary(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length) return true;
  // Nearly all code is ASCII, where only a Windows line end is of two units.
  if (text.charCodeAt(at) < 0x80) return text[at] !== "\n" || text[at - 1] !== "\r";
  const from = Math.max(0, at - longestUtf16);
  return segmenter.segment(text.slice(from, at + longestUtf16)).containing(at - from)?.index === at - from;
}

/** Without the beginning of a character at its end that was cut off: half a pair, or a joiner that joins nothing. */
export function wholeCharacters(text: string): string {
  let end = text.length;
  while (end > 0 && isBeginning(text, end - 1)) end -= 1;
  return text.slice(0, end);
}

const isBeginning = (text: string, at: number) => (text.charCodeAt(at) & 0xfc00) === 0xd800 || text[at] === joiner;
