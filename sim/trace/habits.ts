// habits: the one table of numbers that make a generated person at work, beside the hands (parameters.ts): what they do between
// keys, and the shape of their day. "assumed" means that nobody published it: change it in a run, and say so beside the result.
import { defaultTyping, type Typing } from "./parameters.ts";

export const habitParameters = {
  spanLinesMedian: {
    value: 6,
    unit: "lines",
    means: "Median of a stretch of code written in one go; lognormal.",
    source: "assumed",
  },
  spanLinesSigma: { value: 0.9, unit: "", means: "Sigma of its logarithm.", source: "assumed" },
  spanLinesMax: { value: 60, unit: "lines", means: "No stretch is longer.", source: "assumed" },
  takenShareMax: {
    value: 0.6,
    unit: "",
    means: "Most of a file that is written in one trace: the rest stands around it, as in a file that is worked on.",
    source: "assumed",
  },
  thinkMedianMs: {
    value: 15_000,
    unit: "ms",
    means: "Median time of reading and thinking between stretches; lognormal.",
    source: "assumed",
  },
  thinkSigma: { value: 1.3, unit: "", means: "Sigma of its logarithm.", source: "assumed" },
  switchProbability: { value: 0.3, unit: "", means: "Chance that the next stretch is in another file.", source: "assumed" },
  recentFiles: {
    value: 4,
    unit: "files",
    means: "Files between which a person goes back and forth before a new one is opened.",
    source: "assumed",
  },
  newFileProbability: { value: 0.35, unit: "", means: "Chance that another file is one not opened before.", source: "assumed" },
  pasteProbability: { value: 0.05, unit: "", means: "Chance that a stretch is pasted whole.", source: "assumed" },
  acceptProbability: {
    value: 0.12,
    unit: "",
    means: "Chance that the rest of a line is put there as an accepted completion would be, after some of its keys.",
    source: "assumed; 14 to 25 % of shown texts are accepted (Ziegler et al. 2022), and not every line is shown one",
  },
  acceptAfterKeysMean: { value: 5, unit: "keys", means: "Mean keys of the line before; geometric, at least 1.", source: "assumed" },
  rejectProbability: { value: 0.03, unit: "", means: "Chance of an Escape somewhere in a line.", source: "assumed" },
  detourProbability: {
    value: 0.04,
    unit: "",
    means: "Chance that a line is begun another way first, and that is undone or taken back.",
    source: "assumed",
  },
  detourKeysMean: {
    value: 8,
    unit: "keys",
    means: "Mean keys of such a wrong beginning; geometric, at least 1.",
    source: "assumed",
  },
  undoShare: {
    value: 0.5,
    unit: "",
    means: "Share of wrong beginnings that one undo removes; the backspace does the others.",
    source: "assumed",
  },
  typoProbability: {
    value: 0.02,
    unit: "",
    means: "Chance that a letter is first typed as its neighbour.",
    source: "assumed, as in the simulation",
  },
  elsewhereProbability: {
    value: 0.2,
    unit: "",
    means: "Chance that the next place written is not the next one down the file.",
    source: "assumed",
  },
  topLastProbability: {
    value: 0.6,
    unit: "",
    means: "Chance that what changes in the first tenth of a file (imports) is written last.",
    source: "assumed",
  },
  awayProbability: {
    value: 0.4,
    unit: "",
    means: "Of a day: chance that reading, running, reviewing or talking comes between two stretches, beside the thinking.",
    source: "assumed",
  },
  awayMedianMs: { value: 5 * 60_000, unit: "ms", means: "Median of it; lognormal.", source: "assumed" },
  awaySigma: { value: 0.9, unit: "", means: "Sigma of its logarithm.", source: "assumed" },
  meetingProbability: { value: 0.15, unit: "", means: "Chance that an hour of a day begins with a meeting.", source: "assumed" },
  meetingMs: { value: 30 * 60_000, unit: "ms", means: "How long it takes.", source: "assumed" },
} as const satisfies Record<string, { value: number; unit: string; means: string; source: string }>;

export type HabitName = keyof typeof habitParameters;
export type Habits = Readonly<Record<HabitName, number>>;

export const defaultHabits = Object.fromEntries(Object.entries(habitParameters).map(([name, row]) => [name, row.value])) as Habits;

/** Of a working person: slips included. */
export const workingTyping: Typing = { ...defaultTyping, typoProbability: habitParameters.typoProbability.value };

/** How much of an hour's working pace there is, hour by hour from the beginning of a day; the fourth is lunch. Assumed. */
const dayShape: readonly number[] = [0.7, 1, 1, 0.3, 0.8, 1, 1, 0.8, 0.5];
const hourMs = 3_600_000;

/** Of a time in a trace: days follow one another without their nights. */
export function paceAt(tMs: number): number {
  return dayShape[Math.floor(tMs / hourMs) % dayShape.length] ?? 1;
}

export const hourOf = (tMs: number) => Math.floor(tMs / hourMs);
