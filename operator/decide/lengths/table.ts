// table: odds and costs in, the lengths by batch that bring the most tokens a second out: few ranges, never longer where more run. Pure.
import type { Lengths } from "../../lengths.ts";
import type { PassMs } from "./costs.ts";

export interface Speeds {
  readonly right: readonly number[];
  readonly passMs: PassMs;
}

/** As the engines take them: more would say what nobody measured. */
const rangesMax = 4;

/** Tokens of each generation a millisecond. */
export function speedOf({ right, passMs }: Speeds, batch: number, length: number): number {
  let tokens = 1;
  for (let place = 0; place < length; place++) tokens += right[place] ?? 0;
  return tokens / passMs(batch, length);
}

export const lengthAt = (lengths: Lengths, batch: number): number => lengths.find(({ upTo }) => batch <= upTo)?.numTokens ?? 0;

/** Up to `slots` generations and `lengthMax` tokens. One token is guessed for one generation at least: what is never tried is never known. */
export function bestLengths(speeds: Speeds, slots: number, lengthMax: number): Lengths {
  const all = Array.from({ length: lengthMax + 1 }, (_, length) => length);
  const table = Array.from({ length: slots }, (_, at) =>
    worths(
      all.map((length) => speedOf(speeds, at + 1, length)),
      at + 1,
    ),
  );
  let best = chosen(table, all);
  while (best.ranges.length > rangesMax) {
    const left = [0, ...best.ranges.map(({ numTokens }) => numTokens)].sort((one, other) => one - other);
    const ways = best.ranges.map(({ numTokens }) =>
      chosen(
        table,
        left.filter((length) => length !== numTokens),
      ),
    );
    best = ways.reduce((one, other) => (other.worth > one.worth ? other : one));
  }
  return best.ranges;
}

/** By length, as shares of the fastest at this batch. From one to twice as many at once counts as much anywhere. */
function worths(speeds: readonly number[], batch: number): readonly number[] {
  const most = Math.max(...speeds) * batch;
  return speeds.map((speed) => speed / most);
}

/** Of these lengths, rising, the best for every batch, never a longer one where more run; of two as good the shorter. */
function chosen(table: readonly (readonly number[])[], lengths: readonly number[]): { ranges: Lengths; worth: number } {
  const ranges: { upTo: number; numTokens: number }[] = [];
  let worth = 0;
  for (const [at, row] of table.entries()) {
    const last = ranges.at(-1);
    const [least, most] = [at === 0 ? 1 : 0, last?.numTokens ?? Number.POSITIVE_INFINITY];
    let numTokens = least;
    let own = Number.NEGATIVE_INFINITY;
    for (const length of lengths) {
      if (length > most) break;
      const each = row[length] ?? 0;
      if (length < least || each <= own) continue;
      numTokens = length;
      own = each;
    }
    worth += row[numTokens] ?? 0;
    if (last?.numTokens === numTokens) last.upTo = at + 1;
    else ranges.push({ upTo: at + 1, numTokens });
  }
  return { ranges: ranges.filter(({ numTokens }) => numTokens > 0), worth };
}

/** Seconds of late in which so many ran at once, by powers of two: up to 1, 2, 4, … */
export type Load = readonly number[];

/** How much faster one is than the other over that load, where more at once than `most` count as so many; undefined: nothing ran. */
export function gainOf(speeds: Speeds, load: Load, most: number, one: Lengths, other: Lengths): number | undefined {
  let [gain, weight] = [0, 0];
  for (const [power, seconds] of load.entries()) {
    const batch = Math.min(most, 2 ** power);
    gain += seconds * (speedOf(speeds, batch, lengthAt(one, batch)) / speedOf(speeds, batch, lengthAt(other, batch)) - 1);
    weight += seconds;
  }
  return weight === 0 ? undefined : gain / weight;
}
