// speculation: shall a pool guess tokens ahead? Acceptance and load in, on or off with the reason out. A bound must be broken for a
// while before it counts, and must be kept by a margin before guessing counts as good again. Acceptance cannot be seen while nothing is
// guessed: then it is tried again in a while, and later each time that it fails. On and off are revisions: each replaces every worker,
// so a try costs more than what it may gain for an hour.
import { z } from "zod";
import { writtenTime } from "../../lib/clock.ts";
import type { SpeculationSeen, SpeculationVerdict } from "../moves.ts";

const brokenForMs = { acceptance: 5 * 60_000, load: 10_000 } as const;
/** The load must fall below this share of its bound, for so long. */
const [calmShare, calmForMs] = [0.8, 60_000];
const [firstRetryMs, lastRetryMs] = [3_600_000, 24 * 3_600_000];
/** A try must be so much better than the bound: what is just above it would be below it again tomorrow. */
const tryMargin = 1.1;

const memory = z.strictObject({
  off: z.enum(["no", "acceptance", "load"]),
  /** Since when it is on or off. */
  sinceMs: z.number(),
  /** Since when the bound that would change that is broken, or kept; null: it is not. */
  broken: z.strictObject({ acceptance: z.number().nullable(), load: z.number().nullable() }),
  calmSinceMs: z.number().nullable(),
  /** How long it stays off, the next time that acceptance ends it. */
  retryMs: z.number(),
  /** What it was when it was turned off; null: nobody said, or it was not for that. */
  acceptance: z.number().nullable().default(null),
});
type Memory = z.infer<typeof memory>;

export function decideSpeculation(seen: SpeculationSeen): SpeculationVerdict {
  const before = read(seen);
  const after = before.off === "no" ? whileOn(before, seen) : whileOff(before, seen);
  const changed = (after.off === "no") !== (before.off === "no");
  return { on: after.off === "no", changed, ...said(after, seen), memory: JSON.stringify(after) };
}

/** Guessing began anew after it was turned off, and has not lasted yet. */
const isTried = ({ retryMs }: Memory) => retryMs > firstRetryMs;

/** What is seen must reach: while it is tried more than what was written. */
const boundOf = (memory: Memory, minAcceptance: number) =>
  isTried(memory) ? Math.min(1, tryMargin * minAcceptance) : minAcceptance;

function whileOn(before: Memory, { nowMs, acceptance, minAcceptance, running, disableAboveBatch }: SpeculationSeen): Memory {
  const since = (was: number | null, isBroken: boolean) => (isBroken ? (was ?? nowMs) : null);
  const broken = {
    acceptance: since(
      before.broken.acceptance,
      acceptance !== undefined && minAcceptance !== undefined && acceptance < boundOf(before, minAcceptance),
    ),
    load: since(before.broken.load, running !== undefined && disableAboveBatch !== undefined && running > disableAboveBatch),
  };
  for (const off of ["acceptance", "load"] as const) {
    const at = broken[off];
    if (at !== null && nowMs - at >= brokenForMs[off])
      return { ...before, off, sinceMs: nowMs, broken, calmSinceMs: null, acceptance: acceptance ?? null };
  }
  // A try that lasted is a success: the next failure is tried again as soon as the first one was.
  const proven = nowMs - before.sinceMs >= before.retryMs && broken.acceptance === null;
  return { ...before, broken, retryMs: proven ? firstRetryMs : before.retryMs };
}

function whileOff(before: Memory, { nowMs, running, disableAboveBatch }: SpeculationSeen): Memory {
  const isCalm = disableAboveBatch === undefined || (running ?? 0) < calmShare * disableAboveBatch;
  const calmSinceMs = isCalm ? (before.calmSinceMs ?? nowMs) : null;
  const isLong = calmSinceMs !== null && nowMs - calmSinceMs >= calmForMs;
  const isDue = before.off === "load" || nowMs - before.sinceMs >= before.retryMs;
  if (!isLong || !isDue) return { ...before, calmSinceMs };
  const retryMs = before.off === "load" ? before.retryMs : Math.min(lastRetryMs, 2 * before.retryMs);
  return { ...first(nowMs), retryMs };
}

function said(memory: Memory, seen: SpeculationSeen): Pick<SpeculationVerdict, "reason" | "message"> {
  const { off, sinceMs, retryMs, acceptance } = memory;
  if (off === "acceptance") {
    const share = acceptance === null ? "fewer" : `${percent(acceptance)},`;
    const again = `${longText(retryMs)} after ${writtenTime(sinceMs)}`;
    return {
      reason: "AcceptanceLow",
      message: `tokens are not guessed: ${share} less than minAcceptance (${seen.minAcceptance}) asks for, were right for ${longText(brokenForMs.acceptance)}; it is tried again ${again}`,
    };
  }
  if (off === "load")
    return {
      reason: "LoadTooHigh",
      message: `tokens are not guessed: more than disableAboveBatch (${seen.disableAboveBatch}) generations run at once`,
    };
  if (!isTried(memory) || seen.minAcceptance === undefined) return { reason: "AsExpected", message: "tokens are guessed" };
  return {
    reason: "AsExpected",
    message: `tokens are guessed again, to see whether ${percent(boundOf(memory, seen.minAcceptance))} of them are right now; if not, the next try is ${longText(retryMs)} after this one ends`,
  };
}

const percent = (share: number) => `${Math.round(100 * share)} %`;
const longText = (ms: number) => (ms >= 3_600_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 60_000)} min`);

const first = (nowMs: number): Memory => ({
  ...{ off: "no", sinceMs: nowMs, broken: { acceptance: null, load: null }, calmSinceMs: null },
  ...{ retryMs: firstRetryMs, acceptance: null },
});

function read({ memory: text, nowMs }: SpeculationSeen): Memory {
  try {
    return memory.parse(JSON.parse(text ?? ""));
  } catch {
    return first(nowMs);
  }
}
