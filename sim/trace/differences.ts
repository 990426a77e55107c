// differences: two versions of a text in, the places where they differ out, from the first to the last: lines by their longest common
// run, then within the lines what they begin and end with alike. Bounded: a stretch too large to compare is one difference.

export interface Difference {
  /** UTF-16 offsets: [start, end) of the old text becomes `text`. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Cells of the table of lines by lines. */
const cellsMax = 4_000_000;

export function differences(old: string, now: string): Difference[] {
  const [a, b] = [linesOf(old), linesOf(now)];
  let head = 0;
  while (head < Math.min(a.length, b.length) && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const found: Difference[] = [];
  const lengthOf = (lines: readonly string[]) => lines.reduce((sum, line) => sum + line.length, 0);
  let at = lengthOf(a.slice(0, head));
  for (const { removed, added, kept } of runs(a.slice(head, a.length - tail), b.slice(head, b.length - tail))) {
    const [before, after] = [removed.join(""), added.join("")];
    if (before !== after) found.push(narrowed(old, at, before, after));
    at += before.length + lengthOf(kept);
  }
  return found;
}

interface Run {
  readonly removed: string[];
  readonly added: string[];
  /** Lines of both that follow. */
  readonly kept: string[];
}

function runs(a: readonly string[], b: readonly string[]): Run[] {
  if (a.length * b.length > cellsMax) return [{ removed: [...a], added: [...b], kept: [] }];
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  const cell = (i: number, j: number) => common[i * width + j] as number;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i * width + j] = a[i] === b[j] ? cell(i + 1, j + 1) + 1 : Math.max(cell(i + 1, j), cell(i, j + 1));
  const found: Run[] = [];
  let run: Run = { removed: [], added: [], kept: [] };
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      run.kept.push(a[i] as string);
      i += 1;
      j += 1;
      continue;
    }
    if (run.kept.length > 0) {
      found.push(run);
      run = { removed: [], added: [], kept: [] };
    }
    if (j === b.length || (i < a.length && cell(i + 1, j) >= cell(i, j + 1))) run.removed.push(a[i++] as string);
    else run.added.push(b[j++] as string);
  }
  return [...found, run];
}

function narrowed(old: string, at: number, before: string, after: string): Difference {
  let head = 0;
  while (head < Math.min(before.length, after.length) && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(before.length, after.length) - head && before[before.length - 1 - tail] === after[after.length - 1 - tail])
    tail += 1;
  // Never between the halves of a surrogate pair.
  if (head > 0 && isHighHalf(before.charCodeAt(head - 1))) head -= 1;
  if (tail > 0 && isLowHalf(before.charCodeAt(before.length - tail))) tail -= 1;
  const found = { start: at + head, end: at + before.length - tail, text: after.slice(head, after.length - tail) };
  return onNewLine(old, found);
}

/** Lines put between lines: a person goes to the end of the line above and presses Enter. */
function onNewLine(old: string, { start, end, text }: Difference): Difference {
  const newline = /\r?\n$/.exec(text)?.[0] ?? "";
  if (start !== end || newline === "" || !old.slice(0, start).endsWith(newline)) return { start, end, text };
  const moved = start - newline.length;
  return { start: moved, end: moved, text: newline + text.slice(0, -newline.length) };
}

const isHighHalf = (unit: number) => unit >= 0xd800 && unit < 0xdc00;
const isLowHalf = (unit: number) => unit >= 0xdc00 && unit < 0xe000;
const linesOf = (text: string) => (text === "" ? [] : text.split(/(?<=\n)/));
