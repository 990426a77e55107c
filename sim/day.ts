// day: how many of a crowd of developers write code at once, over a working day: each writes a stretch, thinks, goes to a meeting,
// by the habits of sim/trace. Nobody's keys are played: a day of a hundred thousand people takes seconds. Holds one count a minute.
import { fork, lognormal, type Random, seeded } from "../lib/random.ts";
import { defaultHabits, type Habits, paceAt } from "./trace/habits.ts";
import { defaultTyping, meanKeysPerSecond } from "./trace/parameters.ts";

export interface DayOptions {
  readonly developers: number;
  readonly seed: number;
  readonly hours?: number;
  readonly habits?: Partial<Habits>;
  /** Of the length of a line of code, its newline included. */
  readonly keysPerLine?: number;
}

export interface Day {
  /** Writing in each minute, in the mean over it. */
  readonly writing: readonly number[];
  /** The busiest minute, and the mean of the day, as shares of all developers. */
  readonly peak_share: number;
  readonly mean_share: number;
  readonly keys_per_developer: number;
}

const minuteMs = 60_000;
/** Lines of code are short: 19 characters in the median, 73 at p95 (Copilot's own comments); in the mean about 27 with the indentation that an editor gives. */
const keysPerLineMean = 27;
/** People come within the first minutes. */
const comeWithinMs = 20 * minuteMs;

export function dayOf({ developers, seed, hours = 9, keysPerLine = keysPerLineMean, ...given }: DayOptions): Day {
  const habits = { ...defaultHabits, ...given.habits };
  const writing = new Float64Array(Math.ceil(hours * 60));
  const random = seeded(seed);
  for (let nth = 0; nth < developers; nth++) live(fork(random), habits, keysPerLine, writing);
  const total = writing.reduce((sum, each) => sum + each, 0);
  return {
    writing: Array.from(writing),
    peak_share: Math.max(0, ...writing) / Math.max(1, developers),
    mean_share: total / writing.length / Math.max(1, developers),
    keys_per_developer: (total * 60 * meanKeysPerSecond(defaultTyping)) / Math.max(1, developers),
  };
}

function live(random: Random, habits: Habits, keysPerLine: number, writing: Float64Array): void {
  const endMs = writing.length * minuteMs;
  const perLineMs = (1_000 * keysPerLine) / meanKeysPerSecond(defaultTyping);
  let hour = 0;
  for (let tMs = random.next() * comeWithinMs; tMs < endMs; ) {
    const lines = Math.min(habits.spanLinesMax, Math.max(1, lognormal(random, habits.spanLinesMedian, habits.spanLinesSigma)));
    const pasted = random.next() < habits.pasteProbability;
    const untilMs = pasted ? tMs : Math.min(endMs, tMs + lines * perLineMs);
    for (let atMs = tMs; atMs < untilMs; ) {
      const minute = Math.floor(atMs / minuteMs);
      const stopMs = Math.min(untilMs, (minute + 1) * minuteMs);
      writing[minute] = (writing[minute] as number) + (stopMs - atMs) / minuteMs;
      atMs = stopMs;
    }
    tMs = untilMs + lognormal(random, habits.thinkMedianMs, habits.thinkSigma) / paceAt(untilMs);
    const now = Math.floor(tMs / 3_600_000);
    if (now !== hour && random.next() < habits.meetingProbability) tMs += habits.meetingMs;
    hour = now;
  }
}
