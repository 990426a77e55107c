// schedules: times that are known to be busy: cron texts and a moment in, the fewest workers they ask for then out. A schedule begins at
// each minute that its five fields name in its time zone, and holds for its duration, in which clocks are taken not to be changed.
import type { Schedule } from "../../scaling.ts";

const minuteMs = 60_000;
/** minute, hour, day of month, month, weekday (0 and 7 are Sunday). */
const ranges = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const;
const durationMaxMinutes = 7 * 1_440;

export function scheduledMin(schedules: readonly Schedule[], atMs: number): number {
  return schedules.filter((each) => holds(each, atMs)).reduce((most, { minReplicas }) => Math.max(most, minReplicas), 0);
}

function holds({ cron, timeZone, durationMs }: Schedule, atMs: number): boolean {
  const fields = parsedCron(cron);
  const localMs = fields && localOf(atMs, timeZone);
  if (!fields || localMs === undefined) return false;
  const minutes = Math.min(durationMaxMinutes, Math.ceil(durationMs / minuteMs));
  const now = Math.floor(localMs / minuteMs);
  for (let back = 0; back < minutes; back++) if (begins(fields, now - back)) return true;
  return false;
}

type Fields = readonly (ReadonlySet<number> | undefined)[];

/** undefined in a field: any; undefined at all: it is no cron text. */
export function parsedCron(text: string): Fields | undefined {
  const parts = text.trim().split(/\s+/);
  if (parts.length !== ranges.length) return undefined;
  const fields: (ReadonlySet<number> | undefined)[] = [];
  for (const [i, part] of parts.entries()) {
    const [low, high] = ranges[i] as readonly [number, number];
    const values = new Set<number>();
    for (const piece of part.split(",")) {
      const match = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(piece);
      const step = Number(match?.[3] ?? 1);
      const from = Number(match?.[1] ?? low);
      const until = match?.[1] === undefined ? high : Number(match[2] ?? (match[3] === undefined ? from : high));
      if (!match || from < low || until > high || from > until || step < 1) return undefined;
      for (let value = from; value <= until; value += step) values.add(value);
    }
    if (i === 4 && values.has(7)) values.add(0);
    fields.push(part === "*" ? undefined : values);
  }
  return fields;
}

function begins([minute, hour, day, month, weekday]: Fields, localMinute: number): boolean {
  if (minute && !minute.has(localMinute % 60)) return false;
  if (hour && !hour.has(Math.floor(localMinute / 60) % 24)) return false;
  const days = Math.floor(localMinute / 1_440);
  const date = civil(days);
  if (month && !month.has(date.month)) return false;
  const [onDay, onWeekday] = [day?.has(date.day), weekday?.has((days + 4) % 7)];
  // As cron has it: where both are named, either will do.
  return onDay === undefined || onWeekday === undefined ? (onDay ?? onWeekday ?? true) : onDay || onWeekday;
}

/** Month and day of a number of days since 1970, after Hinnant's algorithm for the Gregorian calendar. */
function civil(days: number): { month: number; day: number } {
  const z = days + 719_468;
  const dayOfEra = z - Math.floor(z / 146_097) * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  return { day: dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1, month: shifted < 10 ? shifted + 3 : shifted - 9 };
}

/** The time of a zone's clocks as if they showed UTC; undefined: there is no such zone. */
function localOf(atMs: number, timeZone: string): number | undefined {
  try {
    const made = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" }).formatToParts(atMs);
    const offset = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(made.find(({ type }) => type === "timeZoneName")?.value ?? "");
    const minutes = Number(offset?.[2] ?? 0) * 60 + Number(offset?.[3] ?? 0);
    return atMs + (offset?.[1] === "-" ? -minutes : minutes) * minuteMs;
  } catch {
    return undefined;
  }
}
