// answer: what was measured of a pool's drafts in the last minute in, which lengths by batch would be best out, and how sure that is.
// Several answers in a row must agree, and a change for less than five per cent is none: it costs a restart of every worker.
import type { Lengths, LengthsSeen } from "../../lengths.ts";
import type { LoadSecond } from "../../scaling.ts";
import { draftShareOf, mostSeen, passesOf, withMinute } from "./costs.ts";
import { type Memory, powersMax } from "./memory.ts";
import { oddsOf } from "./odds.ts";
import { bestLengths, gainOf, type Load, lengthAt, type Speeds } from "./table.ts";

const gainMin = 0.05;
/** Two answers that differ by less want the same: at a batch where two lengths are as good chance decides. */
const sameWithin = 0.02;
export const answersMin = 5;
/** Drafted tokens below which an answer is chance. */
const draftedMin = 500;
/** A minute counts half after a day: what is right by night must not be given for the day (docs/decisions/0051). */
const keeps = 0.5 ** (1 / 1_440);

/** A minute later, in which the engine was told `now`. */
export function answered(before: Memory, seen: LengthsSeen, now: Lengths): Memory {
  const { nowMs, counts, slots, numTokens, method } = seen;
  const isOne = now.length === 1 && now[0]?.upTo === slots;
  const fresh = seen.seconds.filter(({ atMs }) => atMs > before.heardMs);
  const load = loadOf(before.load, fresh, slots);
  // Under others the time in a slot differs for their sake too: what was seen under numTokens alone stands.
  const occupied = before.given === null ? withMinute(before.occupied, fresh, keeps) : before.occupied;
  const known: Memory = { ...before, heardMs: fresh.at(-1)?.atMs ?? before.heardMs, load, occupied, answeredMs: nowMs };
  const passMs = passesOf(occupied, numTokens, draftShareOf(method));
  if (!counts || counts.drafted < draftedMin || !passMs) return known;
  const odds = oddsOf(counts, isOne ? (now[0]?.numTokens ?? 1) : meanLength(now, fresh), isOne, numTokens);
  const speeds: Speeds = { right: odds.right, passMs };
  // Beyond what was seen costs are a guess, good for a table and no reason to restart for one.
  const most = Math.min(slots, mostSeen(occupied));
  const gain = (one: Lengths, other: Lengths) => gainOf(speeds, load, most, one, other) ?? 0;
  const best = bestLengths(speeds, slots, numTokens);
  const wanted = gain(best, now) >= gainMin ? best : null;
  const isSame =
    wanted === null || known.wanted === null
      ? wanted === known.wanted
      : gain(known.wanted, now) >= gainMin && gain(best, known.wanted) < sameWithin;
  const stays = isSame ? known.wanted : wanted;
  const agreed = isSame ? Math.min(answersMin, known.agreed + 1) : 1;
  if (agreed < answersMin) return { ...known, wanted: stays, agreed };
  const sure = stays && { lengths: stays, gain: Number(gain(stays, now).toFixed(3)), from: odds.from };
  return { ...known, wanted: stays, agreed, sure };
}

/** How many ran at once in each second, by powers of two. */
function loadOf(load: Load, seconds: readonly LoadSecond[], slots: number): Load {
  const powers = Math.min(powersMax, 1 + Math.ceil(Math.log2(slots)));
  const next = Array.from({ length: powers }, (_, power) => (load[power] ?? 0) * keeps);
  for (const { inFlight, workers } of seconds) {
    if (inFlight <= 0 || workers <= 0) continue;
    const power = Math.min(powers - 1, Math.ceil(Math.log2(Math.max(1, inFlight / workers))));
    next[power] = (next[power] ?? 0) + 1;
  }
  return next.map((weight) => Number(weight.toPrecision(4)));
}

/** Of the drafts that were made in those seconds. */
function meanLength(now: Lengths, seconds: readonly LoadSecond[]): number {
  let [tokens, drafts] = [0, 0];
  for (const { inFlight, workers } of seconds) {
    const length = workers <= 0 ? 0 : lengthAt(now, Math.max(1, inFlight / workers));
    if (length === 0) continue;
    tokens += length * inFlight;
    drafts += inFlight;
  }
  return drafts === 0 ? (now[0]?.numTokens ?? 1) : tokens / drafts;
}
