import { expect, test } from "vitest";
import type { LengthsSeen, LengthsVerdict } from "../../lengths.ts";
import type { LoadSecond } from "../../scaling.ts";
import { decideLengths } from "./lengths.ts";
import { lengthAt } from "./table.ts";

const [slots, numTokens, hour] = [32, 4, 60];
/** Full at 40 tokens: from eight generations with four drafts on. */
const occupiedMs = (atOnce: number) => 100 * Math.max(1, (atOnce * 5) / 40) + 24;

const sharesOf = (chance: number, length: number) =>
  Array.from({ length }, (_, place) => chance ** (place + 1)).reduce((all, each) => all + each) / length;

/** A pool of two workers as it is heard minute by minute, half of the time with two generations at once and half with 24. */
class Pool {
  minute = 0;
  verdict: LengthsVerdict | undefined;
  readonly told: string[] = [];
  readonly owner: LengthsSeen["owner"];
  runs = "r";
  loads: readonly number[] = [2, 24];
  /** How far the seconds of a minute are from its mean, as a share of it. */
  swing = 0;

  constructor(owner: LengthsSeen["owner"] = "Auto") {
    this.owner = owner;
  }

  /** `agreement`: the chance of each token of a draft, once those before it are right. */
  hear(minutes: number, agreement: (minute: number) => number = () => 0.58, more: Partial<LengthsSeen> = {}): this {
    for (let i = 0; i < minutes; i++) {
      this.minute += 1;
      const nowMs = this.minute * 60_000;
      const atOnce = this.loads[Math.floor(this.minute / 10) % this.loads.length] ?? 1;
      const arrivals = (2_000 * atOnce) / occupiedMs(atOnce);
      const length = lengthAt(this.verdict?.given ?? [{ upTo: slots, numTokens }], atOnce);
      const share = length === 0 ? 0 : sharesOf(agreement(this.minute), length);
      const second = (_: unknown, at: number): LoadSecond => {
        const inFlight = 2 * atOnce * (at % 2 === 0 ? 1 + this.swing : 1 - this.swing);
        return { atMs: nowMs - (59 - at) * 1_000, queued: 0, inFlight, arrivals, workers: 2 };
      };
      this.verdict = decideLengths({
        ...{ nowMs, owner: this.owner, method: "EAGLE3", runs: this.runs, slots, numTokens, isCalm: true, isAborted: false },
        counts: length === 0 ? undefined : { drafted: 10_000, accepted: Math.round(10_000 * share), shares: [share] },
        ...{ seconds: Array.from({ length: 60 }, second), memory: this.verdict?.memory, ...more },
      });
      if (this.verdict.told) this.told.push(this.verdict.told.reason);
    }
    return this;
  }

  /** Minutes of which the operator hears nothing. */
  idle(minutes: number): this {
    this.minute += minutes;
    return this;
  }

  get given() {
    return this.verdict?.given?.map(({ upTo, numTokens: tokens }) => `${tokens} to ${upTo}`).join();
  }

  get recommended() {
    return this.verdict?.recommended?.lengths.map(({ upTo, numTokens: tokens }) => `${tokens} to ${upTo}`).join();
  }
}

const once = "4 to 2,3 to 3,2 to 12,1 to 32";

test("lengths are recommended once several answers in a row agree, and given to nobody", () => {
  const pool = new Pool("Recommended").hear(4);
  expect([pool.recommended, pool.told]).toEqual([undefined, []]);
  pool.hear(12 * hour);
  expect([pool.given, pool.recommended, pool.told]).toEqual([undefined, once, ["LengthsRecommended"]]);
  expect(pool.verdict?.recommended).toMatchObject({ from: "Geometric" });
  expect(pool.verdict?.recommended?.gain).toBeGreaterThan(0.05);
});

test("a length that is right at every load is left as it is", () => {
  expect(new Pool("Recommended").hear(3 * hour, () => 0.97, { numTokens: 1, slots: 8 }).told).toEqual([]);
});

test.each([
  [1, 0],
  [3, 0],
  [5, 0],
  [20, 0],
  [5, 0.7],
  [16, 0.7],
])("of a load of %d at once that never changes but from second to second, by %d of it, nothing is said", (atOnce, swing) => {
  const pool = new Pool();
  Object.assign(pool, { loads: [atOnce], swing });
  expect(pool.hear(2 * hour).told).toEqual([]);
});

test("noise does not change what is recommended", () => {
  const noisy = new Pool("Recommended").hear(24 * hour, (minute) => 0.58 + 0.03 * Math.sin(minute * 2.3));
  expect(noisy.told).toEqual(["LengthsRecommended"]);
});

test("few drafts say nothing", () => {
  const counts = { drafted: 400, accepted: 100, shares: [0.25] };
  expect(new Pool().hear(3 * hour, undefined, { counts }).told).toEqual([]);
});

test("they are given after an hour, once", () => {
  const pool = new Pool().hear(hour - 1);
  expect([pool.given, pool.recommended, pool.told]).toEqual([undefined, once, []]);
  pool.hear(5);
  expect([pool.given, pool.recommended, pool.told]).toEqual([once, undefined, ["LengthsTaken"]]);
  expect(pool.hear(12 * hour).told).toHaveLength(1);
});

test("what was given is what is best under it, at whichever of many loads it is asked", () => {
  const pool = new Pool();
  pool.loads = [2, 5, 9, 14, 24, 31];
  expect(pool.hear(3 * hour).told.at(-1)).toBe("LengthsTaken");
  const told = pool.told.length;
  expect(pool.hear(24 * hour).told.slice(told)).toEqual([]);
});

test.each<[name: string, more: Partial<LengthsSeen>]>([
  ["while a revision takes the place of another, a worker is missing, or no router reports", { isCalm: false }],
  ["before load is known", { seconds: [] }],
  ["before drafts are", { counts: undefined }],
])("none are given %s", (_, more) => {
  const pool = new Pool().hear(5 * hour, undefined, more);
  expect([pool.given, pool.told]).toEqual([undefined, []]);
  if (more.isCalm === false) expect(pool.hear(hour).given).toBe(once);
});

test("others are given six hours later at the soonest, whatever changes", () => {
  const pool = new Pool().hear(2 * hour);
  const sooner = pool.hear(4 * hour, () => 0.02).given;
  expect([sooner, pool.recommended]).toEqual([once, expect.any(String)]);
  expect(pool.hear(2 * hour, () => 0.02).given).toBe("1 to 1");
});

test("an operator that comes after goes on where the one before was: all of it is in what it remembers", () => {
  const pool = new Pool().hear(2 * hour);
  const next = new Pool();
  Object.assign(next, { minute: pool.minute, verdict: { memory: pool.verdict?.memory } });
  expect(next.hear(1, undefined, { isCalm: false }).given).toBe(once);
  expect(next.hear(12 * hour).told).toEqual([]);
  expect(next.verdict?.memory.length).toBeLessThan(4_096);
});

test("what a canary does not hold is taken back, and others are tried after a day", () => {
  const pool = new Pool();
  while (!pool.given) pool.hear(1);
  expect(pool.given).toBe(once);
  pool.hear(3, undefined, { isCalm: false }).hear(1, undefined, { isCalm: false, isAborted: true });
  expect([pool.given, pool.told.at(-1)]).toEqual([undefined, "LengthsTakenBack"]);
  expect(pool.verdict?.told?.message).toContain(
    "of 4 tokens for up to 32 at once again: the revision with drafts of 4 tokens for up to 2",
  );
  expect(pool.hear(23 * hour).given).toBeUndefined();
  expect(pool.hear(2 * hour).given).toBe(once);
});

test("each time that they are taken back in a row the pause doubles, up to two weeks, and what holds ends that", () => {
  const pool = new Pool();
  const untilGiven = () => {
    const from = pool.minute;
    for (let hours = 0; hours < 24 * 16 && !pool.given; hours++) pool.hear(1).idle(54);
    return Math.round((pool.minute - from) / (24 * hour));
  };
  const fails = () => pool.hear(1, undefined, { isCalm: false, isAborted: true }).verdict?.told?.message.split("tried ")[1];
  pool.hear(hour);
  untilGiven();
  const [said, days]: [unknown[], number[]] = [[], []];
  for (let time = 0; time < 6; time++) {
    said.push(fails());
    days.push(untilGiven());
  }
  expect(said).toEqual(["after a day", "after 2 days", "after 4 days", "after 8 days", "after 14 days", "after 14 days"]);
  expect(days).toEqual([1, 2, 4, 8, 14, 14]);
  pool.hear(1);
  expect(JSON.parse(pool.verdict?.memory ?? "").memory).toMatchObject({ isTried: false, failed: 0 });
});

test("what an operator wrote that did not count how often they were taken back is read all the same", () => {
  const pool = new Pool().hear(2 * hour);
  const written = JSON.parse(pool.verdict?.memory ?? "");
  delete written.memory.failed;
  Object.assign(pool, { verdict: { memory: JSON.stringify(written) } });
  expect(pool.hear(1).given).toBe(once);
});

test("a revision of somebody else that is taken back takes no lengths with it", () => {
  const pool = new Pool().hear(2 * hour).hear(1, undefined, { isCalm: false, isAborted: true });
  expect(pool.given).toBe(once);
});

test("who leaves them to a person again has one length again; who runs another model begins anew", () => {
  const pool = new Pool().hear(2 * hour);
  expect(pool.hear(1, undefined, { owner: "Recommended" }).given).toBeUndefined();
  const other = new Pool().hear(2 * hour);
  other.runs = "another";
  expect([other.hear(1).given, other.recommended]).toEqual([undefined, undefined]);
});
