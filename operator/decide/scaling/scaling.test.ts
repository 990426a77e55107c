import { expect, test } from "vitest";
import { wallOf } from "../../../lib/clock.ts";
import { type Random, seeded } from "../../../lib/random.ts";
import type { LoadSecond, ScalingRules, ScalingSeen, ScalingVerdict, Supply } from "../../scaling.ts";
import { decideScaling } from "../decide.ts";

const startMs = wallOf("2026-11-02T00:00:00Z");
const [hourS, dayS] = [3_600, 86_400];

const rules: ScalingRules = {
  ...{ minReplicas: 1, maxReplicas: 60, targetMs: 88, slots: 16, headroom: "Auto", seasonality: "Daily", schedules: [] },
  ...{ holdMs: 300_000, step: 1, spareReplicas: 0, startDeadlineMs: 600_000 },
};

/** As workers of 45 ms, and 3 more for each generation beside, would answer. */
const second = (nth: number, arrivals: number, workers: number): LoadSecond => {
  const inFlight = arrivals * 0.065;
  return { atMs: startMs + nth * 1_000, queued: 0, arrivals, workers, inFlight, firstTextP95Ms: 45 + (3 * inFlight) / workers };
};

/** A pool whose workers come when they are asked for, and its operator, asked every five seconds. */
class Pool {
  verdict: ScalingVerdict | undefined;
  nth = 0;
  supply: Supply = { ready: 4, startingSinceMs: [], leaving: 0, starts: [], rollingOut: false };
  ledSinceMs = 0;
  comes = true;
  readonly #rules: ScalingRules;

  constructor(more: Partial<ScalingRules> = {}) {
    this.#rules = { ...rules, ...more };
  }

  /** Asked every five seconds, or less often where days pass. */
  pass(seconds: number, rps: number | ((nth: number) => number) | undefined, everyS = 5): ScalingVerdict {
    for (let done = 0; done < seconds; done += everyS) {
      const heard = Array.from({ length: everyS }, () => this.#heard(rps)).filter((each) => each !== undefined);
      this.verdict = decideScaling(this.seen(heard));
      const { wanted } = this.verdict;
      this.supply = this.comes ? { ...this.supply, ready: wanted } : this.#stuck(wanted);
    }
    return this.verdict as ScalingVerdict;
  }

  seen(seconds: readonly LoadSecond[]): ScalingSeen {
    const { ledSinceMs, supply, verdict } = this;
    const nowMs = startMs + this.nth * 1_000;
    return { nowMs, ledSinceMs, seconds, supply, rules: this.#rules, wanted: verdict?.wanted, memory: verdict?.memory };
  }

  #heard(rps: number | ((nth: number) => number) | undefined): LoadSecond | undefined {
    this.nth += 1;
    return rps === undefined ? undefined : second(this.nth, typeof rps === "number" ? rps : rps(this.nth), this.supply.ready);
  }

  /** Pods are made and never serve. */
  #stuck(wanted: number): Supply {
    const nowMs = startMs + this.nth * 1_000;
    const more = Math.max(0, wanted - this.supply.ready);
    const before = this.supply.startingSinceMs.slice(0, more);
    return { ...this.supply, startingSinceMs: [...before, ...Array.from({ length: more - before.length }, () => nowMs)] };
  }
}

test("more load is more workers, each decision with its figures", () => {
  const [few, many] = [new Pool().pass(55, 400), new Pool().pass(55, 4_000)];
  expect(few.wanted).toBeLessThan(many.wanted / 2);
  expect(many).toMatchObject({
    reason: "Load",
    inputs: { loadRps: 4_000 },
    conditions: [{ type: "ScalingActive", status: "True" }],
  });
  expect(many.message).toMatch(/^\d+ workers: 4000 triggers\/s/);
});

test("bounds of the spec hold, and are said", () => {
  expect(new Pool({ maxReplicas: 5 }).pass(120, 4_000)).toMatchObject({ wanted: 5, reason: "Maximum" });
  expect(new Pool({ minReplicas: 3 }).pass(120, 1)).toMatchObject({ reason: "Minimum" });
  const plain = new Pool().pass(120, 2_000).wanted;
  expect(new Pool({ spareReplicas: 2 }).pass(120, 2_000).wanted).toBe(plain + 2);
  expect(new Pool({ headroom: 3 }).pass(120, 2_000).wanted).toBeGreaterThan(plain);
});

test("what lasts ten seconds asks for nobody, what lasts a minute does", () => {
  const pool = new Pool();
  const calm = pool.pass(hourS, 1_000, 60).wanted;
  expect(pool.pass(10, 3_000).wanted).toBe(calm);
  // The minute's learning may ask for one more: it was a busier one.
  expect(pool.pass(60, 1_000).wanted).toBeLessThanOrEqual(calm + 1);
  expect(pool.pass(60, 3_000).wanted).toBeGreaterThan(2 * calm);
});

test("what routers turn away for load is wanted all the same: enough workers are asked for within two minutes", () => {
  // Each worker serves 10 triggers a second, each of them for 200 ms; the rest is turned away at once, and nothing ever waits.
  const [rps, each, slots] = [200, 10, 2];
  const served = (workers: number) => Math.min(rps, workers * each);
  const pass = (told: boolean) => {
    const pool = new Pool({ slots, seasonality: "None" });
    for (let s = 0; s < 130; s += 5) {
      const { ready } = pool.supply;
      const seconds = Array.from({ length: 5 }, (): LoadSecond => {
        pool.nth += 1;
        const inFlight = served(ready) * 0.2;
        const shed = told ? { shed: rps - served(ready) } : {};
        return {
          atMs: startMs + pool.nth * 1_000,
          queued: 0,
          arrivals: rps,
          ...shed,
          workers: ready,
          inFlight,
          firstTextP95Ms: 60,
        };
      });
      pool.verdict = decideScaling(pool.seen(seconds));
      pool.supply = { ...pool.supply, ready: pool.verdict.wanted };
    }
    return pool.supply.ready;
  };
  expect(pass(true)).toBeGreaterThanOrEqual(rps / each);
  expect(pass(true)).toBeLessThanOrEqual((1.5 * rps) / each);
  // Counted as served, it makes few workers look as if they were enough.
  expect(pass(false)).toBeLessThan(rps / each);
});

test("a little that is turned away while a crowd goes again does not ask for workers as if it were still there", () => {
  const pool = new Pool({ slots: 2, seasonality: "None" });
  const pass = (seconds: number, arrivals: number, shed: number) => {
    for (let s = 0; s < seconds; s++) {
      pool.nth += 1;
      const second = { queued: 0, arrivals, shed, workers: 4, inFlight: arrivals * 0.06, firstTextP95Ms: 60 };
      pool.verdict = decideScaling(pool.seen([{ atMs: startMs + pool.nth * 1_000, ...second }]));
    }
    return pool.verdict?.wanted as number;
  };
  const busy = pass(235, 80, 0);
  expect(pass(24, 16, 1)).toBeLessThanOrEqual(busy + 1);
});

/** A pool that knows its workers, and was busy a moment ago. */
function busyPool(more: Partial<ScalingRules> = {}): { pool: Pool; busy: number } {
  const pool = new Pool({ seasonality: "None", headroom: 1, ...more });
  pool.pass(hourS, 4_000, 60);
  return { pool, busy: pool.pass(60, 4_000).wanted };
}

test("fewer only after the hold, one a minute", () => {
  const { pool, busy } = busyPool();
  expect(pool.pass(330, 400)).toMatchObject({ wanted: busy, reason: "Holding" });
  expect(pool.pass(60, 400).wanted).toBe(busy - 1);
  expect(pool.pass(60, 400).wanted).toBe(busy - 2);
});

test.each<[string, (pool: Pool) => void]>([
  ["while two revisions are there", (pool) => Object.assign(pool, { supply: { ...pool.supply, rollingOut: true } })],
  ["within a cold start of an operator's begin", (pool) => Object.assign(pool, { ledSinceMs: startMs + (pool.nth + 700) * 1_000 })],
])("nothing leaves %s", (_, happens) => {
  const { pool, busy } = busyPool();
  happens(pool);
  expect(pool.pass(900, 400).wanted).toBe(busy);
});

test("while no router is heard nothing leaves, and that is said", () => {
  const { pool, busy } = busyPool();
  expect(pool.pass(4 * hourS, undefined, 60)).toMatchObject({
    wanted: busy,
    conditions: [{ type: "ScalingActive", status: "False", reason: "MetricsStale" }],
  });
});

test("what starts counts until its deadline; then fewer are asked for, that is said, and it is tried again", () => {
  const { pool, busy } = busyPool();
  pool.comes = false;
  const asked = pool.pass(60, 9_000).wanted;
  expect(asked).toBeGreaterThan(busy);
  expect(pool.pass(530, 9_000).wanted).toBeGreaterThanOrEqual(asked);
  const stalled = pool.pass(60, 9_000);
  expect(stalled).toMatchObject({ wanted: busy, reason: "CapacityStalled" });
  expect(stalled.conditions).toMatchObject([{ type: "ScalingActive" }, { type: "CapacityAvailable", status: "False" }]);
  expect(pool.pass(60, 9_000).wanted).toBeGreaterThan(busy);
});

test("a rise that comes each day at nine finds its workers there", () => {
  const pool = new Pool();
  const office = (nth: number) => (nth % dayS >= 9 * hourS && nth % dayS < 17 * hourS ? 2_000 : 200);
  pool.pass(3 * dayS + 9 * hourS - 900, office, 60);
  const before = pool.verdict?.wanted as number;
  const ready = pool.pass(600, office);
  expect(ready.wanted).toBeGreaterThan(2 * before);
  expect(ready.inputs.forecastRps).toBeGreaterThan(1_500);
  const reactive = new Pool({ seasonality: "None" });
  reactive.nth = 9 * hourS - 600;
  expect(reactive.pass(595, office).wanted).toBeLessThan(ready.wanted / 2);
});

test("a schedule's workers are asked for before it begins", () => {
  const office = { name: "office", cron: "0 9 * * 1-5", timeZone: "UTC", durationMs: 8 * hourS * 1_000, minReplicas: 20 };
  const pool = new Pool({ schedules: [office], seasonality: "None" });
  pool.nth = 8 * hourS;
  expect(pool.pass(900, 50).wanted).toBeLessThan(20);
  expect(pool.pass(2_700, 50)).toMatchObject({ wanted: 20, reason: "Schedule" });
});

test("a text that is none of ours is no memory: the wanted number of the status stands", () => {
  for (const memory of ["", "{}", '{"version":9}', "x".repeat(100_000)])
    expect(decideScaling({ ...new Pool().seen([]), wanted: 7, memory }).wanted).toBe(7);
});

/** What routers said in `seconds`, with bursts, silence and queues. */
function stormy(random: Random, seconds: number): LoadSecond[] {
  let [rps, silent] = [500, 0];
  return Array.from({ length: seconds }, (_, nth): LoadSecond[] => {
    rps = Math.max(0, rps * (0.97 + 0.06 * random.next()) + (random.next() < 0.002 ? 900 : 0));
    if (random.next() < 0.003) silent = Math.floor(20 * random.next());
    silent -= 1;
    const made = second(nth + 1, Math.round(rps), 8);
    return silent > 0 ? [] : [{ ...made, queued: random.next() < 0.1 ? 40 : 0 }];
  }).flat();
}

test("an operator that is killed at any moment decides as the one that lives: the status is all it needs", () => {
  for (let seed = 1; seed <= 4; seed++) {
    const random = seeded(seed);
    const seconds = stormy(random, 1_200);
    const lived: string[] = [];
    const killed: string[] = [];
    /** What each knows: the one keeps all, the other finds in the status what was worth writing, and hears seconds again. */
    let [mine, saved, savedMs, wanted]: [string | undefined, string | undefined, number, number | undefined] = [
      undefined,
      undefined,
      0,
      4,
    ];
    for (let nth = 5; nth <= 1_200; nth += 5) {
      const nowMs = startMs + nth * 1_000;
      const supply = { ready: 8, startingSinceMs: [], leaving: 0, starts: [], rollingOut: false };
      const of = (sinceMs: number) => seconds.filter(({ atMs }) => atMs <= nowMs && atMs > sinceMs);
      const ask = (memory: string | undefined, heard: readonly LoadSecond[]) =>
        decideScaling({ nowMs, ledSinceMs: 0, seconds: heard, supply, rules, wanted, memory });
      const one = ask(mine, of(nowMs - 5_000));
      const other = ask(saved, of(savedMs - 3_000));
      lived.push(`${one.wanted} ${one.reason} ${one.message}`);
      killed.push(`${other.wanted} ${other.reason} ${other.message}`);
      [mine, wanted] = [one.memory, one.wanted];
      if (other.remember || nowMs - savedMs >= 60_000 * random.next()) [saved, savedMs] = [other.memory, nowMs];
    }
    expect(killed, `seed ${seed}`).toEqual(lived);
  }
});
