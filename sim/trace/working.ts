// working: source files and a seed in, the Trace of a person at work out: stretches of code taken out of the files and written again
// here and there, with thinking between them, other files opened, slips, wrong beginnings undone, pastes, and lines that are
// accepted whole. Replaying it gives the files back. Bounded by `keys`, `hours` and what the files have.
import { invalid } from "../../lib/errors.ts";
import { below, fork, lognormal, type Random, seeded } from "../../lib/random.ts";
import type { Source } from "./generate.ts";
import { defaultHabits, type Habits, hourOf, paceAt, workingTyping } from "./habits.ts";
import { Hand } from "./hand.ts";
import { type Key, keysOf } from "./keys.ts";
import type { Typing } from "./parameters.ts";
import { type Stretch, stretchesOf, without } from "./stretches.ts";
import { type Trace, type TraceEvent, traceLimits } from "./trace.ts";

export interface WorkingOptions {
  readonly sources: readonly Source[];
  readonly seed: number;
  /** Keys of the text, about: the last stretch is written to its end. Slips and wrong beginnings come on top. */
  readonly keys: number;
  /** Of a working day, whose shape it then has; without it the person works on without a break. */
  readonly hours?: number;
  readonly typing?: Partial<Typing>;
  readonly habits?: Partial<Habits>;
}

/** Slips, wrong beginnings and moves more than double nothing. */
const keysMax = traceLimits.eventsMax / 4;

export function workingTrace(options: WorkingOptions): Trace {
  const { seed, hours } = options;
  const habits = { ...defaultHabits, ...options.habits };
  const typing = { ...workingTyping, ...options.typing };
  const random = seeded(seed);
  const choice = fork(random);
  const sources = shuffled(options.sources, choice).slice(0, traceLimits.documentsMax);
  const left = new Map(sources.map((source) => [source, stretchesOf(source, habits, choice)]));
  const first = sources.find((source) => left.get(source)?.length);
  if (!first) throw invalid("sources", "have nothing to type");
  const hand = new Hand({ typing, document: first.path, cursor: 0 }, { pace: fork(random), slips: fork(random) });
  const person = new Person({ habits, shaped: hours !== undefined }, { hand, choice, left, first });
  person.work(Math.min(options.keys, keysMax), Math.min(traceLimits.timeMaxMs, (hours ?? Number.POSITIVE_INFINITY) * 3_600_000));
  return {
    source: "generated",
    seed,
    parameters: { ...typing, ...habits, ...(hours !== undefined && { hours }) },
    documents: sources.flatMap((source) => {
      const written = person.written.filter(({ stretch }) => stretch.source === source).map(({ stretch }) => stretch);
      const { text, path, ...rest } = source;
      return written.length === 0 ? [] : [{ id: path, path, ...rest, text: without(text, written) }];
    }),
    events: moved(hand.events, person.written),
  };
}

/** A stretch, and which event is its first. */
interface Written {
  readonly stretch: Stretch;
  readonly from: number;
}

interface Desk {
  readonly hand: Hand;
  readonly choice: Random;
  readonly left: ReadonlyMap<Source, Stretch[]>;
  readonly first: Source;
}

/** Offsets in this class are those of the whole file. */
class Person {
  readonly #options: { readonly habits: Habits; readonly shaped: boolean };
  readonly #desk: Desk;
  readonly written: Written[] = [];
  /** Latest first. */
  #recent: Source[];
  #hour = 0;

  constructor(options: { readonly habits: Habits; readonly shaped: boolean }, desk: Desk) {
    this.#options = options;
    this.#desk = desk;
    this.#recent = [desk.first];
  }

  work(keys: number, untilMs: number): void {
    const { hand } = this.#desk;
    for (let typed = 0; typed < keys; ) {
      if (typed > 0) this.#think();
      const source = this.#where(typed === 0);
      const left = (source && this.#desk.left.get(source)) ?? [];
      // Files are mostly written downwards.
      const [stretch] = left.splice(
        this.#draws(this.#options.habits.elsewhereProbability) ? below(this.#desk.choice, left.length) : 0,
        1,
      );
      if (!stretch || hand.nowMs >= untilMs) return;
      this.written.push({ stretch, from: hand.events.length });
      hand.open(stretch.source.path, stretch.start, "preload");
      hand.wait(400);
      typed += this.#write(stretch);
    }
  }

  #think(): void {
    const { habits, shaped } = this.#options;
    const { hand, choice } = this.#desk;
    const ms = lognormal(choice, habits.thinkMedianMs, habits.thinkSigma);
    const awayMs = shaped && this.#draws(habits.awayProbability) ? lognormal(choice, habits.awayMedianMs, habits.awaySigma) : 0;
    hand.wait(shaped ? (ms + awayMs) / paceAt(hand.nowMs) : ms);
    if (shaped && hourOf(hand.nowMs) !== this.#hour && this.#draws(habits.meetingProbability)) hand.wait(habits.meetingMs);
    this.#hour = hourOf(hand.nowMs);
  }

  /** The file of the next stretch: mostly this one, else one of the last few, else a new one. */
  #where(first: boolean): Source | undefined {
    const { habits } = this.#options;
    const { left, choice } = this.#desk;
    const open = this.#recent.filter((source) => left.get(source)?.length);
    const here = open[0] === this.#recent[0] ? open[0] : undefined;
    if (here && (first || !this.#draws(habits.switchProbability))) return here;
    const others = open.filter((source) => source !== here).slice(0, habits.recentFiles);
    const unopened = [...left.keys()].filter((source) => !this.#recent.includes(source) && left.get(source)?.length);
    const anew = unopened.length > 0 && (others.length === 0 || this.#draws(habits.newFileProbability));
    const from = anew ? unopened : others;
    const source = from[below(choice, Math.max(1, from.length))] ?? here;
    if (source) this.#recent = [source, ...this.#recent.filter((each) => each !== source)];
    return source;
  }

  /** Returns the keys it takes. */
  #write({ source: { text }, start, end }: Stretch): number {
    const { hand } = this.#desk;
    const pasted = text.slice(start, end);
    if (pasted.length <= traceLimits.editUtf16Max && this.#draws(this.#options.habits.pasteProbability)) {
      hand.replace({ startUtf16: start, endUtf16: start, text: pasted }, "paste", "auto");
      return 1;
    }
    const keys = keysOf(text.slice(0, end), start, end - start, true);
    for (const line of linesOf(keys)) this.#line(line);
    return keys.length;
  }

  #line(keys: readonly Key[]): void {
    const { habits } = this.#options;
    const { hand, choice } = this.#desk;
    const ends = keys.at(-1)?.text.includes("\n") ? 1 : 0;
    const length = keys.length - ends;
    if (length > 3 && this.#draws(habits.detourProbability)) this.#detour(keys.slice(0, length));
    const escapes = this.#draws(habits.rejectProbability) ? below(choice, length + 1) : 0;
    const typed = this.#draws(habits.acceptProbability) ? Math.min(length, geometric(choice, habits.acceptAfterKeysMean)) : length;
    hand.type(keys.slice(0, Math.min(escapes, typed)));
    if (escapes > 0) hand.mark("reject");
    hand.type(keys.slice(Math.min(escapes, typed), typed === length ? keys.length : typed));
    if (typed === length) return;
    const rest = keys.slice(typed, length).map(({ text }) => text);
    hand.replace({ startUtf16: hand.cursor, endUtf16: hand.cursor, text: rest.join("") }, "accept", "auto");
    hand.type(keys.slice(length));
  }

  /** The line's own letters backwards: a beginning that no model foresees. */
  #detour(keys: readonly Key[]): void {
    const { habits } = this.#options;
    const { hand, choice } = this.#desk;
    const letters = keys.filter(({ text }) => /^[\p{L}\p{N}_ .]$/u.test(text)).toReversed();
    const wrong = letters.slice(0, geometric(choice, habits.detourKeysMean));
    if (wrong.length === 0) return;
    const start = hand.cursor;
    hand.type(wrong);
    hand.pause();
    if (this.#draws(habits.undoShare)) hand.replace({ startUtf16: start, endUtf16: hand.cursor, text: "" }, "undo", "auto");
    else hand.takeBack(wrong.toReversed().map(({ text }) => text.length));
  }

  #draws(chance: number): boolean {
    return this.#desk.choice.next() < chance;
  }
}

/** The events with offsets of the documents as they are then: without what is written later. */
function moved(events: readonly TraceEvent[], written: readonly Written[]): TraceEvent[] {
  return written.flatMap(({ stretch: { source, start }, from }, nth) => {
    const missing = written
      .slice(nth + 1)
      .filter(({ stretch }) => stretch.source === source && stretch.start < start)
      .reduce((sum, { stretch }) => sum + stretch.end - stretch.start, 0);
    return events.slice(from, written[nth + 1]?.from).map(({ cursor, edit, ...event }) => ({
      ...event,
      cursor: cursor - missing,
      ...(edit && { edit: { ...edit, startUtf16: edit.startUtf16 - missing, endUtf16: edit.endUtf16 - missing } }),
    }));
  });
}

function linesOf(keys: readonly Key[]): Key[][] {
  const lines: Key[][] = [[]];
  for (const key of keys) {
    lines.at(-1)?.push(key);
    if (key.text.includes("\n")) lines.push([]);
  }
  return lines.filter((line) => line.length > 0);
}

function geometric(random: Random, mean: number): number {
  return mean <= 1 ? 1 : 1 + Math.floor(Math.log(1 - random.next()) / Math.log(1 - 1 / mean));
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  const mixed = [...values];
  for (let at = mixed.length - 1; at > 0; at--) {
    const other = below(random, at + 1);
    [mixed[at], mixed[other]] = [mixed[other] as T, mixed[at] as T];
  }
  return mixed;
}
