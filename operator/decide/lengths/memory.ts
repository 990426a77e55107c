// memory: what is known of a pool's drafts between two decisions, as text in its status, so that a restart changes nothing. What another
// release wrote, or what was measured of something else than the pool runs now, is no memory: it begins anew, with one length.
import { z } from "zod";
import { stepsMax } from "./costs.ts";

const lengths = z
  .array(z.strictObject({ upTo: z.number(), numTokens: z.number() }).readonly())
  .max(4)
  .readonly();
/** 2 ** 10 generations at once. */
export const powersMax = 11;
/** Counted no further: the pause after so many is the longest already. */
export const failedMax = 5;

const memory = z
  .strictObject({
    /** Of what all of this was measured. */
    runs: z.string().max(64),
    /** When it was last asked what would be best, and the newest second of load that was counted. */
    answeredMs: z.number(),
    heardMs: z.number(),
    occupied: z
      .array(z.strictObject({ served: z.number(), inFlight: z.number(), atOnce: z.number() }).readonly())
      .max(stepsMax)
      .readonly(),
    load: z.array(z.number()).max(powersMax).readonly(),
    /** What the last answers wanted, and how many in a row did; null: as it is. */
    wanted: lengths.nullable(),
    agreed: z.number(),
    /** The last that enough of them agreed on. */
    sure: z
      .strictObject({ lengths, gain: z.number(), from: z.enum(["Positions", "Geometric"]) })
      .readonly()
      .nullable(),
    /** What the engine is told, and what it was told before; null: one length. */
    given: lengths.nullable(),
    before: lengths.nullable(),
    /** They were given, and the revision that has them does not serve alone yet. */
    isTried: z.boolean(),
    /** How often in a row they were taken back; what was written before it was counted says nothing of it. */
    failed: z.number().min(0).max(failedMax).default(0),
    /** No others are given before. */
    notBeforeMs: z.number(),
  })
  .readonly();

export type Memory = z.infer<typeof memory>;

const written = z.strictObject({ version: z.literal(1), memory });

export function readMemory(text: string | undefined, runs: string): Memory | undefined {
  try {
    const { memory: read } = written.parse(JSON.parse(text ?? ""));
    return read.runs === runs ? read : undefined;
  } catch {
    return undefined;
  }
}

export const writtenMemory = (of: Memory): string => JSON.stringify({ version: 1, memory: of });

export const firstMemory = (runs: string, nowMs: number, notBeforeMs: number): Memory => ({
  ...{ runs, answeredMs: nowMs, heardMs: nowMs, occupied: [], load: [], wanted: null, agreed: 0, sure: null },
  ...{ given: null, before: null, isTried: false, failed: 0, notBeforeMs },
});
