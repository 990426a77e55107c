// memory: all that is known between two decisions, as a value that goes into status as text and comes back the same, so that a restart
// changes nothing. What another release wrote, or nobody, is no memory: all is learned anew, and nothing leaves meanwhile.
import { z } from "zod";
import { firstCurve } from "./curve.ts";
import { firstSeason, stepsPerDay } from "./season.ts";

const numbers = (max: number) => z.array(z.number()).max(max).readonly();
const row = z.array(z.number()).length(stepsPerDay).readonly();
const rows = z.tuple([row, row]).readonly();
const line = z
  .strictObject({
    at0: z.number(),
    slope: z.number(),
    noise: z.number(),
    unsure: z.tuple([z.number(), z.number(), z.number()]).readonly(),
  })
  .readonly();

const memory = z
  .strictObject({
    /** The newest second that was folded in. */
    atMs: z.number(),
    /** Triggers of each second of the last minute, newest last. */
    arrivals: numbers(60),
    queued: z.number(),
    /** Sums over the seconds of the minute that is under way; generations per worker and p95 each as often as triggers came. */
    minute: z
      .strictObject({ seconds: z.number(), arrivals: z.number(), inFlight: z.number(), queued: z.number() })
      .extend({
        each: z.number(),
        measured: z.number(),
        p95Ms: z.number(),
        shed: z.number().default(0),
        workers: z.number().default(0),
      })
      .readonly(),
    curve: z.strictObject({ occupied: line, firstText: line }).readonly(),
    season: z.strictObject({ usual: rows, error: rows, weekdays: numbers(7), came: z.number(), wasUsual: z.number() }).readonly(),
    /** Headroom in standard deviations of the load. */
    beta: z.number(),
    /** Triggers a second that are foreseen for the minutes to come, the one under way first; −1: nobody said. */
    foreseen: numbers(61),
    /** How long the last starts took, and when the newest of them ended. */
    starts: numbers(24),
    startedMs: z.number(),
    wanted: z.number(),
    /** When `wanted` last changed. */
    changedMs: z.number(),
    /** Since when fewer would have been enough; null: they would not. */
    enoughSinceMs: z.number().nullable(),
    /** Until when no more are asked for, because those that were do not come; and how long the pause after that is. */
    stalledUntilMs: z.number(),
    pauseMs: z.number(),
  })
  .readonly();

export type Memory = z.infer<typeof memory>;

const version = 1;
/** Texts that are longer are not ours. */
const textMax = 65_536;
const written = z.strictObject({ version: z.literal(version), memory });

export const noMinute: Memory["minute"] = {
  seconds: 0,
  arrivals: 0,
  inFlight: 0,
  queued: 0,
  each: 0,
  measured: 0,
  p95Ms: 0,
  shed: 0,
  workers: 0,
};
export const firstPauseMs = 60_000;

export const firstMemory = (nowMs: number, wanted: number): Memory => ({
  ...{ atMs: 0, arrivals: [], queued: 0, minute: noMinute, curve: firstCurve, season: firstSeason, beta: 1.5, foreseen: [] },
  ...{ starts: [], startedMs: 0, wanted, changedMs: nowMs, enoughSinceMs: null, stalledUntilMs: 0, pauseMs: firstPauseMs },
});

export function readMemory(text: string | undefined): Memory | undefined {
  if (text === undefined || text.length > textMax) return undefined;
  try {
    return written.parse(JSON.parse(text)).memory;
  } catch {
    return undefined;
  }
}

export const writtenMemory = (of: Memory): string => JSON.stringify({ version, memory: of });
