// keys: source text and a place in, the keys that type it out. A key is one character, except that an editor's
// auto-indent adds the indentation of the line above to a newline, and one Tab gives what is left of it.

export interface Key {
  /** What the document gains by this key. */
  readonly text: string;
}

/** Keys that type `text` from `start` on, at most `keysMax`; a surrogate pair is one key. */
export function keysOf(text: string, start: number, keysMax: number, autoIndent: boolean): Key[] {
  const keys: Key[] = [];
  let at = start;
  const press = (length: number) => {
    keys.push({ text: text.slice(at, at + length) });
    at += length;
  };
  while (at < text.length && keys.length < keysMax) {
    const newline = text.startsWith("\r\n", at) ? 2 : text[at] === "\n" ? 1 : 0;
    if (newline === 0) {
      press((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
      continue;
    }
    const wanted = indentation(text, at + newline);
    const given = autoIndent ? sharedStart(indentation(text, lineStart(text, at)), wanted) : 0;
    press(newline + given);
    if (autoIndent && wanted.length > given && keys.length < keysMax) press(wanted.length - given);
  }
  return keys;
}

/** Where a person would begin to type: the first character of a line that has any, after its indentation. */
export function typingPlaces(text: string): number[] {
  const places: number[] = [];
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf("\n", start);
    const stop = end < 0 ? text.length : end;
    const place = start + indentation(text, start).length;
    if (place < stop && text[place] !== "\r") places.push(place);
    start = stop + 1;
  }
  return places;
}

function lineStart(text: string, at: number): number {
  return at === 0 ? 0 : text.lastIndexOf("\n", at - 1) + 1;
}

function indentation(text: string, start: number): string {
  let end = start;
  while (text[end] === " " || text[end] === "\t") end += 1;
  return text.slice(start, end);
}

function sharedStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}
