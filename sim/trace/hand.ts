// hand: keys in, the events of one person's hands out: when each key falls, which slip and are taken back, and what else hands do
// (paste, undo, hold the backspace, move the cursor, go to another file). Holds the events of one trace.
import { below, lognormal, type Random } from "../../lib/random.ts";
import type { Key } from "./keys.ts";
import { lognormalOf, type Typing } from "./parameters.ts";
import type { Mark, Origin, TraceEdit, TraceEvent, TraceTrigger } from "./trace.ts";

interface Options {
  readonly typing: Typing;
  readonly document: string;
  readonly cursor: number;
}

interface Deps {
  readonly pace: Random;
  readonly slips: Random;
}

export class Hand {
  readonly #typing: Typing;
  readonly #deps: Deps;
  readonly #interval: { readonly median: number; readonly sigma: number };
  readonly events: TraceEvent[] = [];
  #document: string;
  #cursor: number;
  #tMs = 0;
  #burst: number;

  constructor({ typing, document, cursor }: Options, deps: Deps) {
    this.#typing = typing;
    this.#deps = deps;
    this.#document = document;
    this.#cursor = cursor;
    this.#interval = lognormalOf(typing.keyIntervalMeanMs, typing.keyIntervalSdMs);
    this.#burst = burstKeys(deps.pace, typing);
  }

  /** When the next event falls. */
  get nowMs(): number {
    return this.#tMs;
  }

  get document(): string {
    return this.#document;
  }

  get cursor(): number {
    return this.#cursor;
  }

  type(keys: readonly Key[]): void {
    const { slips } = this.#deps;
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index] as Key;
      const wrong = slips.next() < this.#typing.typoProbability ? neighbour(key.text, slips) : undefined;
      if (wrong !== undefined) {
        const run = noticed(keys, index, below(slips, this.#typing.typoNoticeKeysMax + 1));
        for (const text of [wrong, ...run]) this.#insert(text);
        for (const text of [...run.toReversed(), wrong])
          this.#press({ startUtf16: this.#cursor - text.length, endUtf16: this.#cursor, text: "" });
      }
      this.#insert(key.text);
    }
  }

  /** The backspace, held down: keys of `lengths`, the nearest first. */
  takeBack(lengths: readonly number[]): void {
    for (const [index, length] of lengths.entries()) {
      const edit = { startUtf16: this.#cursor - length, endUtf16: this.#cursor, text: "" };
      this.#edit(edit, "typed", "auto");
      this.wait(index === 0 ? this.#typing.repeatAfterMs : this.#typing.repeatMs);
    }
  }

  /** One edit that is no key; a pause follows. */
  replace(edit: TraceEdit, origin: Origin, trigger?: TraceTrigger): void {
    this.#edit(edit, origin, trigger);
    this.pause();
  }

  move(cursor: number, trigger?: TraceTrigger): void {
    this.#cursor = cursor;
    this.#say({ ...(trigger && { trigger }) });
  }

  open(document: string, cursor: number, trigger?: TraceTrigger): void {
    this.#document = document;
    this.move(cursor, trigger);
  }

  mark(mark: Mark): void {
    this.#say({ mark });
  }

  wait(ms: number): void {
    this.#tMs += ms;
  }

  /** As between two bursts; the next key begins one. */
  pause(): void {
    const { pace } = this.#deps;
    this.wait(lognormal(pace, this.#typing.pauseMedianMs, this.#typing.pauseSigma));
    this.#burst = burstKeys(pace, this.#typing);
  }

  #insert(text: string): void {
    this.#press({ startUtf16: this.#cursor, endUtf16: this.#cursor, text });
  }

  #press(edit: TraceEdit): void {
    const { pace } = this.#deps;
    this.#edit(edit, "typed", "auto");
    this.#burst -= 1;
    if (this.#burst <= 0 || (edit.text.includes("\n") && pace.next() < this.#typing.lineEndPauseProbability)) this.pause();
    else this.wait(lognormal(pace, this.#interval.median, this.#interval.sigma));
  }

  #edit(edit: TraceEdit, origin: Origin, trigger: TraceTrigger | undefined): void {
    this.#cursor = edit.startUtf16 + edit.text.length;
    this.#say({ edit, origin, ...(trigger && { trigger }) });
  }

  #say(what: Pick<TraceEvent, "edit" | "origin" | "trigger" | "mark">): void {
    const { edit, origin, ...asked } = what;
    const tMs = Math.round(this.#tMs * 1_000) / 1_000;
    this.events.push({
      ...{ tMs, document: this.#document },
      ...(edit && origin && { edit, origin }),
      cursor: this.#cursor,
      ...asked,
    });
  }
}

/** Keys typed on before the slip is seen: never past the line. */
function noticed(keys: readonly Key[], wrongIndex: number, count: number): string[] {
  const run = keys.slice(wrongIndex + 1, wrongIndex + 1 + count).map((key) => key.text);
  const newline = run.findIndex((text) => text.includes("\n"));
  return newline < 0 ? run : run.slice(0, newline);
}

/** Geometric from 1 with the given mean. */
function burstKeys(random: Random, typing: Typing): number {
  if (typing.burstKeysMean <= 1) return 1;
  return 1 + Math.floor(Math.log(1 - random.next()) / Math.log(1 - 1 / typing.burstKeysMean));
}

const rows = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];

/** The letter beside it on the keyboard; nothing for what is not a small Latin letter. */
function neighbour(letter: string, random: Random): string | undefined {
  const row = rows.find((letters) => letters.includes(letter));
  if (!row || letter.length !== 1) return undefined;
  const at = row.indexOf(letter);
  return at === 0 ? row[1] : at === row.length - 1 || random.next() < 0.5 ? row[at - 1] : row[at + 1];
}
