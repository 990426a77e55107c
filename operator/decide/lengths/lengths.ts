// lengths: what is measured of a pool's drafts in; which lengths by batch it should have, and which its engines are told, out. The second
// only where the spec leaves that to the operator. Each is a revision that replaces every worker: none while another is under way, a
// worker is missing or no router reports, one in six hours at most, and what its canary does not hold is taken back. What was sure before
// drafts became few is given all the same: it holds for the load of a day, and an idle hour is the best one for a restart.
import type { Lengths, LengthsSeen, LengthsVerdict } from "../../lengths.ts";
import { answered, answersMin } from "./answer.ts";
import { failedMax, firstMemory, type Memory, readMemory, writtenMemory } from "./memory.ts";

const answerEveryMs = 60_000;
const hourMs = 3_600_000;
/** After what the pool runs has changed, and after lengths were given. */
const [firstPauseMs, pauseMs] = [hourMs, 6 * hourMs];
/** After some were taken back; twice as long each time in a row: what an engine does not hold today it rarely holds tomorrow. */
const failedPauseDays = (failed: number) => Math.min(14, 2 ** (failed - 1));

export function decideLengths(seen: LengthsSeen): LengthsVerdict {
  const { nowMs, runs, owner } = seen;
  const before = readMemory(seen.memory, runs) ?? firstMemory(runs, nowMs, nowMs + firstPauseMs);
  const isOurs = owner === "Auto";
  const own = isOurs ? before : { ...before, given: null, before: null, isTried: false }; //     1 whose they are
  if (own.isTried && seen.isAborted) return takenBack(own, seen); //                             2 what failed goes
  const tried = own.isTried && seen.isCalm && own.given !== null ? { ...own, isTried: false, failed: 0 } : own;
  const isDue = seen.isCalm && nowMs - tried.answeredMs >= answerEveryMs;
  const known = isDue ? answered(tried, seen, toldTo(tried, seen)) : tried; //                   3 what would be best
  const { sure } = known;
  if (isOurs && isDue && sure && nowMs >= known.notBeforeMs && known.agreed >= answersMin) return taken(known, seen); // 4 is given
  // Where the operator gives them itself there is nothing that anybody should do.
  const isNews = !isOurs && sure && differs(sure.lengths, before.sure?.lengths);
  return verdict(known, isNews ? recommends(known) : undefined);
}

/** What the engines are told that serve now. */
const toldTo = ({ given }: Memory, { slots, numTokens }: LengthsSeen): Lengths => given ?? [{ upTo: slots, numTokens }];

/** What status holds of it: rendered until it holds another. */
export const givenLengths = (memory: string | undefined, runs: string): Lengths | undefined =>
  readMemory(memory, runs)?.given ?? undefined;

function taken(known: Memory, { nowMs }: LengthsSeen): LengthsVerdict {
  const { sure, given } = known;
  if (!sure) return verdict(known, undefined);
  const next = { ...known, given: sure.lengths, before: given, isTried: true, notBeforeMs: nowMs + pauseMs };
  const message = `drafts are ${written(sure.lengths)} from the next revision on: ${gained(known)}`;
  return verdict({ ...next, wanted: null, agreed: 0, sure: null }, { reason: "LengthsTaken", message, isBad: false });
}

function takenBack(own: Memory, { nowMs, slots, numTokens }: LengthsSeen): LengthsVerdict {
  const back = own.before ?? [{ upTo: slots, numTokens }];
  const failed = Math.min(failedMax, own.failed + 1);
  const days = failedPauseDays(failed);
  const next = { ...own, given: own.before, before: null, isTried: false, failed, notBeforeMs: nowMs + days * 24 * hourMs };
  const message = `drafts are ${written(back)} again: the revision with drafts ${written(own.given ?? [])} was taken back; others are tried after ${days === 1 ? "a day" : `${days} days`}`;
  return verdict({ ...next, wanted: null, agreed: 0, sure: null }, { reason: "LengthsTakenBack", message, isBad: true });
}

function recommends(known: Memory): LengthsVerdict["told"] {
  const message = `drafts that are ${written(known.sure?.lengths ?? [])} would be better: ${gained(known)}`;
  return { reason: "LengthsRecommended", message, isBad: false };
}

const gained = ({ sure }: Memory) =>
  `${Math.round(100 * (sure?.gain ?? 0))} % more tokens a second over the load of the last day, by ${sure?.from === "Positions" ? "what was right at each place" : "what was right in all, the same chance at each place"}`;

const written = (lengths: Lengths) =>
  lengths.length === 0
    ? "none"
    : `of ${lengths.map(({ upTo, numTokens }) => `${numTokens} tokens for up to ${upTo} at once`).join(", ")}`;

const differs = (one: Lengths | undefined, other: Lengths | undefined) => JSON.stringify(one) !== JSON.stringify(other);

function verdict(memory: Memory, told: LengthsVerdict["told"]): LengthsVerdict {
  return { given: memory.given ?? undefined, recommended: memory.sure ?? undefined, told, memory: writtenMemory(memory) };
}
