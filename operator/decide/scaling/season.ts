// season: what is usual at each time of day, learned minute by minute and kept in five-minute steps: how many triggers a second come, and
// by how much what was foreseen one cold start ahead was wrong. Busy days and quiet ones (of weekdays that bring less than half) have
// rows of their own. What comes now, over what is usual of late, is the level of today. Bounded: two rows of 288 steps.

export interface Season {
  /** Usual triggers a second of each step, busy days first; −1: not known. */
  readonly usual: readonly [busy: readonly number[], quiet: readonly number[]];
  /** Usual error of the forecast, as a share of it. */
  readonly error: readonly [busy: readonly number[], quiet: readonly number[]];
  /** Of each weekday, Sunday first, triggers a second in the mean; −1: not known. */
  readonly weekdays: readonly number[];
  /** Of late, with weights: what came, and what was usual. */
  readonly came: number;
  readonly wasUsual: number;
}

const minuteMs = 60_000;
/** As finely as the day is known. */
export const stepMs = 5 * minuteMs;
export const stepsPerDay = 288;
const dayMs = stepsPerDay * stepMs;
/** A step of a day has five minutes: together they move it by a third. Trust is lost sooner than it is won. */
const [usualMoves, errorRises, errorFalls, weekdayMoves] = [0.08, 0.15, 0.05, 0.5];
/** A flash is not what is usual; nor does it say by how much an hour is wrong as a rule. */
const [surpriseMax, errorMax, firstError] = [1.35, 0.5, 0.05];
const levelKeeps = 0.5 ** (1 / 20);
const [levelMin, levelMax] = [0.2, 2];
const quietShare = 0.5;

const unknown = new Array<number>(stepsPerDay).fill(-1);
const unsure = new Array<number>(stepsPerDay).fill(firstError);
export const firstSeason: Season = {
  ...{ usual: [unknown, unknown], error: [unsure, unsure], weekdays: new Array<number>(7).fill(-1), came: 0, wasUsual: 0 },
};

const stepOf = (atMs: number): number => Math.floor((atMs % dayMs) / stepMs);
/** The first day of the epoch was a Thursday. */
const weekdayOf = (atMs: number): number => (Math.floor(atMs / dayMs) + 4) % 7;

/** 0: a busy day. Only who is told that weeks repeat looks at weekdays. */
function rowOf({ weekdays }: Season, atMs: number, weekly: boolean): 0 | 1 {
  const most = weekdays.reduce((a, b) => Math.max(a, b), 0);
  const mine = weekdays[weekdayOf(atMs)] as number;
  return weekly && mine >= 0 && mine < quietShare * most ? 1 : 0;
}

export interface Expected {
  /** Triggers a second; undefined: that time of day was never seen. */
  readonly rps: number | undefined;
  readonly error: number;
}

export function expectedAt(season: Season, atMs: number, weekly: boolean): Expected {
  const [row, step] = [rowOf(season, atMs, weekly), stepOf(atMs)];
  const usual = season.usual[row][step] as number;
  return { rps: usual < 0 ? undefined : usual * levelOf(season), error: season.error[row][step] as number };
}

const levelOf = ({ came, wasUsual }: Season) => (wasUsual <= 0 ? 1 : Math.min(levelMax, Math.max(levelMin, came / wasUsual)));

/** A minute is over: `rps` came; `foreseen` was expected of it when workers for it could still be asked for. */
export function minuteOver(season: Season, atMs: number, rps: number, foreseen: number | undefined, weekly: boolean): Season {
  const [row, step, weekday] = [rowOf(season, atMs, weekly), stepOf(atMs), weekdayOf(atMs)];
  const usual = season.usual[row][step] as number;
  const counted = usual <= 0 ? rps : Math.min(rps, surpriseMax * usual * levelOf(season));
  const error = foreseen === undefined || foreseen <= 0 ? undefined : Math.min(errorMax, Math.abs(rps / foreseen - 1));
  const before = season.error[row][step] as number;
  const day = season.weekdays[weekday] as number;
  // A minute that is hard to foresee says little of the day: who comes ten minutes late makes no small day.
  const weight = usual < 0 ? 0 : Math.min(1, (firstError / before) ** 2);
  return {
    usual: replaced(season.usual, row, step, usual < 0 ? counted : usual + usualMoves * (counted - usual)),
    error:
      error === undefined
        ? season.error
        : replaced(season.error, row, step, before + (error > before ? errorRises : errorFalls) * (error - before)),
    weekdays: season.weekdays.with(weekday, rounded(day < 0 ? rps : day + (weekdayMoves / 1_440) * 2 * (rps - day))),
    came: levelKeeps * season.came + weight * counted,
    wasUsual: levelKeeps * season.wasUsual + weight * usual,
  };
}

type Rows = readonly [readonly number[], readonly number[]];

const replaced = (rows: Rows, row: 0 | 1, step: number, value: number): Rows => {
  const made = rows[row].with(step, rounded(value));
  return row === 0 ? [made, rows[1]] : [rows[0], made];
};

/** Short in a status, and the same after it was written and read. */
const rounded = (value: number): number => Number(value.toPrecision(4));
