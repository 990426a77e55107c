import { expect, test } from "vitest";
import { FakeClock, settle } from "./clock.fake.ts";
import { sleepOn, systemClock } from "./clock.ts";
import { below, seeded } from "./random.ts";

test("the machine's clock moves on, its wall is the present", async () => {
  const before = systemClock.now();
  await systemClock.sleep(2);
  expect(systemClock.now()).toBeGreaterThan(before);
  expect(new Set([systemClock.wall() > 1_700_000_000_000, systemClock.wall() < 10_000_000_000_000])).toEqual(new Set([true]));
});

test("a machine timer fires once, unless it is taken back", async () => {
  const fired: string[] = [];
  systemClock.timer(1, () => fired.push("kept"));
  systemClock.timer(1, () => fired.push("taken back"))[Symbol.dispose]();
  await systemClock.sleep(10);
  expect(fired).toEqual(["kept"]);
});

test.each([2 ** 31, 10 * 365 * 86_400_000, Number.POSITIVE_INFINITY])(
  "a machine timer for %d ms does not fire at once",
  async (ms) => {
    let fired = 0;
    const timer = systemClock.timer(ms, () => {
      fired += 1;
    });
    await systemClock.sleep(10);
    expect(fired).toBe(0);
    timer[Symbol.dispose]();
  },
);

test("fake time starts where it is told and moves only by advance", async () => {
  const clock = new FakeClock({ startMs: 50, wallStartMs: 1_000_000 });
  await settle();
  expect([clock.now(), clock.wall()]).toEqual([50, 1_000_000]);
  await clock.advance(25.5);
  expect([clock.now(), clock.wall()]).toEqual([75.5, 1_000_025.5]);
});

test("timers fire at their time, in order of time, then of their making", async () => {
  const clock = new FakeClock({ startMs: 0 });
  const fired: string[] = [];
  for (const [ms, name] of [
    [20, "d"],
    [10, "b"],
    [10, "c"],
    [0, "a"],
    [-5, "a2"],
    [30, "never"],
  ] as const)
    clock.timer(ms, () => fired.push(`${name}@${clock.now()}`));
  await clock.advance(29.9);
  expect(fired).toEqual(["a@0", "a2@0", "b@10", "c@10", "d@20"]);
  expect([clock.now(), clock.next(), clock.waiting]).toEqual([29.9, 30, 1]);
});

test("a timer set by a timer fires within the same advance when it falls due", async () => {
  const clock = new FakeClock({ startMs: 0 });
  const at: number[] = [];
  const again = () => {
    at.push(clock.now());
    if (at.length < 4) clock.timer(10, again);
  };
  clock.timer(10, again);
  await clock.advance(100);
  expect(at).toEqual([10, 20, 30, 40]);
});

test("promises that one timer makes ready run before the next timer", async () => {
  const clock = new FakeClock({ startMs: 0 });
  const seen: string[] = [];
  const wait = async (ms: number) => {
    await clock.sleep(ms);
    for (let i = 0; i < 50; i++) await Promise.resolve();
    seen.push(`after ${ms} at ${clock.now()}`);
  };
  void wait(10);
  void wait(11);
  await clock.advance(11);
  expect(seen).toEqual(["after 10 at 10", "after 11 at 11"]);
});

test("a timer that was taken back does not fire, also from another timer of the same time", async () => {
  const clock = new FakeClock();
  const fired: string[] = [];
  clock.timer(5, () => second[Symbol.dispose]());
  const second = clock.timer(5, () => fired.push("second"));
  const third = clock.timer(6, () => fired.push("third"));
  third[Symbol.dispose]();
  third[Symbol.dispose]();
  expect(clock.waiting).toBe(2);
  await clock.advance(10);
  expect([fired, clock.next(), clock.waiting]).toEqual([[], undefined, 0]);
});

test("taking back a timer that has fired changes nothing", async () => {
  const clock = new FakeClock();
  const timer = clock.timer(1, () => timer[Symbol.dispose]());
  await clock.advance(1);
  timer[Symbol.dispose]();
  clock.timer(1, () => {});
  expect(clock.waiting).toBe(1);
});

test("far timers that are taken back do not pile up", async () => {
  const clock = new FakeClock();
  const kept: number[] = [];
  for (let i = 0; i < 100_000; i++) {
    if (i % 10_000 === 0) clock.timer(i, () => kept.push(i));
    clock.timer(3_600_000, () => kept.push(-1))[Symbol.dispose]();
  }
  expect(clock.waiting).toBe(10);
  await clock.advance(200_000);
  expect(kept).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => i * 10_000));
});

test("ten thousand random timers, a third taken back, fire in order", async () => {
  const random = seeded(7);
  const clock = new FakeClock({ startMs: 0 });
  const want: { at: number; i: number }[] = [];
  const got: number[] = [];
  for (let i = 0; i < 10_000; i++) {
    const at = below(random, 500);
    const timer = clock.timer(at, () => got.push(i));
    if (random.next() < 1 / 3) timer[Symbol.dispose]();
    else want.push({ at, i });
  }
  await clock.advance(500);
  expect(got).toEqual(want.sort((a, b) => a.at - b.at || a.i - b.i).map(({ i }) => i));
});

test("a sleep ends at its time or with the signal's reason, and leaves nothing behind", async () => {
  const clock = new FakeClock();
  const controller = new AbortController();
  const ended: unknown[] = [];
  void clock.sleep(10, controller.signal).then(() => ended.push("slept"));
  void clock.sleep(20, controller.signal).catch((reason: unknown) => ended.push(reason));
  await clock.advance(10);
  controller.abort("woken");
  await settle();
  expect(ended).toEqual(["slept", "woken"]);
  expect(clock.waiting).toBe(0);
});

test("a sleep with a signal that has aborted sets no timer", async () => {
  const clock = new FakeClock();
  await expect(clock.sleep(10, AbortSignal.abort("before"))).rejects.toBe("before");
  expect(clock.waiting).toBe(0);
});

test("many sleeps on one signal leave no listeners on it", async () => {
  const listeners = new Set<unknown>();
  const signal = {
    aborted: false,
    addEventListener: (_type: string, act: unknown) => listeners.add(act),
    removeEventListener: (_type: string, act: unknown) => listeners.delete(act),
  } as unknown as AbortSignal;
  const clock = new FakeClock();
  for (let i = 0; i < 1_000; i++) void sleepOn(clock, 1, signal);
  expect(listeners.size).toBe(1_000);
  await clock.advance(1);
  expect(listeners.size).toBe(0);
});
