// retention: is an accepted text still in the code after a while? Its place moves with the edits of its document; at each window
// what stands there is compared with what was accepted, word by word. Bounded: texts followed, and words compared.
import type { Clock } from "../../lib/clock.ts";
import type { Document, Edit } from "./document.ts";

/** Seconds after the acceptance: as completion products count "still in code". */
export const retentionWindowsS: readonly number[] = [15, 30, 120, 300, 600];

interface Kept {
  readonly completionId: string;
  readonly document: Document;
  readonly text: string;
  start: number;
  end: number;
  timer?: Disposable;
}

interface Deps {
  readonly clock: Clock;
  readonly report: (completionId: string, afterS: number, keptRatio: number) => void;
}

const followedMax = 64;
const wordsMax = 400;

export class Retention {
  readonly #windows: readonly number[];
  readonly #deps: Deps;
  readonly #kept = new Set<Kept>();

  constructor(windows: readonly number[], deps: Deps) {
    this.#windows = windows;
    this.#deps = deps;
  }

  get followed(): number {
    return this.#kept.size;
  }

  /** `text` stands at `start` of the document now. */
  follow(completionId: string, document: Document, start: number, text: string): void {
    const kept: Kept = { completionId, document, text, start, end: start + text.length };
    const [oldest] = this.#kept;
    if (oldest && this.#kept.size >= followedMax) this.#drop(oldest);
    this.#kept.add(kept);
    this.#wait(kept, 0, 0);
  }

  edited(document: Document, edits: readonly Edit[]): void {
    for (const kept of this.#kept) {
      if (kept.document !== document) continue;
      for (const edit of edits) move(kept, edit);
    }
  }

  closed(document: Document): void {
    for (const kept of this.#kept) if (kept.document === document) this.#drop(kept);
  }

  close(): void {
    for (const kept of this.#kept) this.#drop(kept);
  }

  #wait(kept: Kept, window: number, sinceS: number): void {
    const afterS = this.#windows[window];
    if (afterS === undefined) {
      this.#drop(kept);
      return;
    }
    kept.timer = this.#deps.clock.timer((afterS - sinceS) * 1_000, () => {
      this.#deps.report(kept.completionId, afterS, keptRatio(kept.text, kept.document.text.slice(kept.start, kept.end)));
      this.#wait(kept, window + 1, afterS);
    });
  }

  #drop(kept: Kept): void {
    kept.timer?.[Symbol.dispose]();
    this.#kept.delete(kept);
  }
}

/** Text typed right before or right after is not part of it; what is typed inside is. */
function move(kept: Kept, { start, end, text }: Edit): void {
  const shift = text.length - (end - start);
  if (end <= kept.start && !(start === end && end === kept.start && kept.start === kept.end)) {
    kept.start += shift;
    kept.end += shift;
  } else if (start < kept.end) {
    // What reaches over an edge cuts off what it replaces; its own text counts as the person's.
    const inside = start >= kept.start && end <= kept.end;
    const from = Math.min(kept.start, start);
    kept.end = inside ? kept.end + shift : start >= kept.start ? start : Math.max(from + text.length, kept.end + shift);
    if (start < kept.start) kept.start = start + text.length;
    kept.end = Math.max(kept.end, kept.start);
  }
}

const words = (text: string) => (text.match(/\w+|[^\w\s]/g) ?? []).slice(0, wordsMax);

/** 1: nothing changed; 0: nothing is left. One less the words to change, of the longer text's. */
export function keptRatio(accepted: string, now: string): number {
  const [before, after] = [words(accepted), words(now)];
  const longest = Math.max(before.length, after.length);
  if (longest === 0) return accepted === "" || now.length >= accepted.length ? 1 : 0;
  let row = Array.from({ length: after.length + 1 }, (_, i) => i);
  for (const [i, word] of before.entries()) {
    const next = [i + 1];
    for (const [j, other] of after.entries())
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (word === other ? 0 : 1)));
    row = next;
  }
  return 1 - (row[after.length] ?? 0) / longest;
}
