import { expect, test } from "vitest";
import { type Random, seeded } from "../../../lib/random.ts";
import type { Lengths, LengthsVerdict } from "../../lengths.ts";
import type { LoadSecond } from "../../scaling.ts";
import { decideLengths } from "./lengths.ts";
import { lengthAt } from "./table.ts";

/**
 * A GPU by its roofline, which is no part of what is worked out: a pass takes as long as its weights take to be read or its tokens to be
 * computed, whichever is longer, and each generation's cache is read on top.
 */
interface Gpu {
  readonly readMs: number;
  readonly tokenMs: number;
  readonly cacheMs: number;
  readonly draftMs: number;
  /** Chance that a token of a draft is right, once those before it are. */
  readonly agreement: number;
}

const passMs = ({ readMs, tokenMs, cacheMs, draftMs }: Gpu, batch: number, length: number): number =>
  Math.max(readMs, tokenMs * batch * (1 + length)) + cacheMs * batch + length * draftMs;

const [slots, numTokens, tokensOfOne] = [48, 5, 40];

/** Of a pass, in the mean. */
function tokensOf({ agreement }: Gpu, length: number): number {
  return Array.from({ length }, (_, place) => agreement ** (place + 1)).reduce((all, each) => all + each, 1);
}

/** How many of a draft were right. */
function rightOf({ agreement }: Gpu, length: number, random: Random): number {
  let right = 0;
  while (right < length && random.next() < agreement) right += 1;
  return right;
}

/** Generations at once in the minutes of a day: few by night, many at noon, and never twice the same. */
function batches(): readonly number[] {
  const random = seeded(7);
  const at = (minute: number) => (1 - Math.cos((2 * Math.PI * minute) / 1_440)) * 16 * (0.6 + 0.8 * random.next());
  return Array.from({ length: 1_440 }, (_, minute) => Math.max(1, Math.min(slots, Math.round(at(minute)))));
}

/** Time that a day's tokens take: of each minute as many as a batch makes in it without drafts. */
function dayOf(gpu: Gpu, lengths: Lengths): number {
  return batches().reduce((spent, batch) => {
    const length = lengthAt(lengths, batch);
    return spent + passMs(gpu, batch, length) / tokensOf(gpu, length) / passMs(gpu, batch, 0);
  }, 0);
}

/** What the operator works out of a day with one length, minute by minute as routers and workers report it. */
function workedOut(gpu: Gpu, hasPlaces: boolean): Lengths {
  const random = seeded(11);
  let verdict: LengthsVerdict | undefined;
  const draftsOfMinute = 200;
  for (const [minute, batch] of batches().entries()) {
    const least = new Array<number>(numTokens).fill(0);
    let accepted = 0;
    for (let draft = 0; draft < draftsOfMinute; draft++) {
      const right = rightOf(gpu, numTokens, random);
      accepted += right;
      for (let place = 0; place < right; place++) least[place] = (least[place] ?? 0) + 1;
    }
    const drafted = numTokens * draftsOfMinute;
    const occupiedMs = (tokensOfOne * passMs(gpu, batch, numTokens)) / (1 + accepted / draftsOfMinute);
    const arrivals = ((2 * batch * 1_000) / occupiedMs) * (0.9 + 0.2 * random.next());
    const nowMs = (minute + 1) * 60_000;
    const second = (_: unknown, at: number): LoadSecond => {
      return { atMs: nowMs - (59 - at) * 1_000, queued: 0, inFlight: 2 * batch, arrivals, workers: 2 };
    };
    verdict = decideLengths({
      ...{ nowMs, owner: "Recommended", method: "EAGLE3", runs: "r", slots, numTokens, isCalm: true, isAborted: false },
      counts: { drafted, accepted, shares: hasPlaces ? least.map((right) => right / draftsOfMinute) : [accepted / drafted] },
      ...{ seconds: Array.from({ length: 60 }, second), memory: verdict?.memory },
    });
  }
  return verdict?.recommended?.lengths ?? [];
}

/** An L40S with a 7B model and a head: 14 GB at 864 GB/s, 14 GFLOP a token at six tenths of 181 TFLOPS, by their data sheets. */
const l40s: Gpu = { readMs: 16, tokenMs: 0.13, cacheMs: 0.05, draftMs: 0.6, agreement: 0.65 };

test.each([
  ["by place", true],
  ["in all", false],
])("lengths worked out of a day, accepted tokens counted %s, beat every one length over the next day", (name, hasPlaces) => {
  const took = dayOf(l40s, workedOut(l40s, hasPlaces));
  const more = (length: number) => dayOf(l40s, length === 0 ? [] : [{ upTo: slots, numTokens: length }]) / took - 1;
  const each = Array.from({ length: numTokens + 1 }, (_, length) => more(length));
  const percent = each.map((share) => `${(100 * share).toFixed(1)} %`).join(", ");
  process.stdout.write(`  counted ${name}, 0 to ${numTokens} tokens take so much more time: ${percent}\n`);
  const best = Math.min(...each);
  expect(each.indexOf(best)).toBe(3);
  // The figures of docs/operations/operator.md, within what chance moves.
  expect(best).toBeGreaterThan(0.02);
  expect(best).toBeLessThan(0.035);
  expect(more(numTokens)).toBeGreaterThan(0.065);
  expect(more(numTokens)).toBeLessThan(0.085);
  expect(more(0)).toBeGreaterThan(1.05);
  expect(more(0)).toBeLessThan(1.2);
});
