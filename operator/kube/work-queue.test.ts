import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { seeded } from "../../lib/random.ts";
import { WorkQueue } from "./work-queue.ts";

function queueOf(run: (key: string) => Promise<void>, atOnce = 4) {
  const clock = new FakeClock();
  const queue = new WorkQueue({ name: "q", pauseMs: 100, pauseMaxMs: 60_000, atOnce }, { clock, random: seeded(1), run });
  queue.start();
  return { clock, queue };
}

test("a key added many times while it waits runs once, and once more when it is added while it runs", async () => {
  const runs: string[] = [];
  const ends: (() => void)[] = [];
  const { clock, queue } = queueOf((key) => {
    runs.push(key);
    return new Promise((resolve) => ends.push(resolve));
  }, 1);
  for (let i = 0; i < 5; i++) queue.add("a");
  queue.add("b");
  await clock.advance(0);
  expect(runs).toEqual(["a"]);
  queue.add("a");
  queue.add("a");
  for (let i = 0; i < 3; i++) {
    ends.shift()?.();
    await clock.advance(0);
  }
  expect(runs).toEqual(["a", "b", "a"]);
});

test("a key never runs twice at a time, however many run at once", async () => {
  let running = 0;
  let most = 0;
  const { clock, queue } = queueOf(async () => {
    most = Math.max(most, ++running);
    await clock.sleep(10);
    running -= 1;
  });
  for (let i = 0; i < 20; i++) {
    queue.add("a");
    await clock.advance(3);
  }
  expect(most).toBe(1);
});

test("what fails comes again after a growing pause, up to a minute, and starts anew once it succeeded", async () => {
  const at: number[] = [];
  let fails = true;
  const { clock, queue } = queueOf(async () => {
    at.push(clock.now());
    if (fails) throw new Error("no");
  });
  queue.add("a");
  await clock.advance(10 * 60_000);
  const gaps = at.slice(1).map((each, i) => each - (at[i] ?? 0));
  for (const [i, gap] of gaps.slice(0, 8).entries()) expect(gap / (100 * 2 ** i)).toBeGreaterThan(0.7);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(75_000);
  fails = false;
  await clock.advance(80_000);
  expect(queue.failures("a")).toBe(0);
  expect(queue.idle).toBe(true);
});

test("of two later times the earlier one counts, and what is stopped begins nothing", async () => {
  const at: number[] = [];
  const { clock, queue } = queueOf(async () => void at.push(clock.now()));
  const began = clock.now();
  queue.addAfter("a", 5_000);
  queue.addAfter("a", 1_000);
  queue.addAfter("a", 9_000);
  await clock.advance(20_000);
  expect(at).toHaveLength(1);
  expect((at[0] ?? 0) - began).toBe(1_000);
  queue.addAfter("a", 10);
  await queue.stop();
  queue.add("b");
  await clock.advance(1_000);
  expect(at).toHaveLength(1);
});
