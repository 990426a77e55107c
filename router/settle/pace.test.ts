import { expect, test } from "vitest";
import { seeded } from "../../lib/random.ts";
import { modelOf, workerOf } from "../../test/support/router.ts";
import { busyShare, normalShare, type PaceInput, pauseMs } from "./pace.ts";

const typing = { mean: Math.log(120), deviation: 0.4 };
const given: PaceInput = { busy: 1, typing, answerMs: 300, deadlineAfterMs: 3_000, pauseMaxMs: 250 };

test.each<[name: string, given: Partial<PaceInput>, pause: number]>([
  ["workers full, answers late", {}, 200],
  ["workers three quarters full: a shorter one", { busy: 0.75 }, 177],
  ["workers half full", { busy: 0.5 }, 0],
  ["workers idle", { busy: 0 }, 0],
  ["answers that come before the next key", { answerMs: 60 }, 0],
  ["answers of which nothing is known yet", { answerMs: 0 }, 0],
  ["a limit that shortens it a little", { pauseMaxMs: 180 }, 180],
  ["a limit within which too few keys come", { pauseMaxMs: 150 }, 0],
  ["a deadline that leaves no time for it", { deadlineAfterMs: 100 }, 0],
  ["a deadline of which a third is less than it wants", { deadlineAfterMs: 540 }, 180],
  ["someone who types slower than the limit", { typing: { mean: Math.log(240), deviation: 0.4 } }, 0],
  ["no pause wanted", { pauseMaxMs: 0 }, 0],
])("%s", (_, change, pause) => {
  expect(pauseMs({ ...given, ...change })).toBeCloseTo(pause, -0.5);
});

test("whatever is given, a pause is 0 or lasts three quarters of the next keys, within its limits; more load never shortens it", () => {
  const random = seeded(9);
  for (let i = 0; i < 5_000; i++) {
    const input: PaceInput = {
      busy: random.next() * 1.2,
      typing: { mean: Math.log(20 + random.next() * 500), deviation: 0.1 + random.next() },
      answerMs: random.next() * 1_000,
      deadlineAfterMs: random.next() * 3_000,
      pauseMaxMs: random.next() * 500,
    };
    const pause = pauseMs(input);
    const most = Math.exp(input.typing.mean + 0.674 * input.typing.deviation);
    expect(pause === 0 || pause >= most - 1e-9).toBe(true);
    expect(pause).toBeLessThanOrEqual(Math.min(input.pauseMaxMs, input.deadlineAfterMs / 3));
    expect(pauseMs({ ...input, busy: input.busy + random.next() })).toBeGreaterThanOrEqual(pause);
    expect(pauseMs({ ...input, busy: Math.min(0.5, input.busy) })).toBe(0);
  }
});

test.each([
  [-2, 0.023],
  [-1, 0.159],
  [0, 0.5],
  [0.674, 0.75],
  [1.282, 0.9],
])("%f deviations leave %f below", (z, share) => {
  expect(Math.abs(normalShare(z) - share)).toBeLessThan(0.011);
});

test.each<[name: string, workers: ReturnType<typeof workerOf>[], model: string, busy: number]>([
  ["no workers", [], "", 0],
  ["idle ones", [workerOf("a"), workerOf("b")], "", 0],
  ["one full, one idle", [workerOf("a", { running: 4 }), workerOf("b")], "", 0.5],
  ["our own submissions that the worker has not told of", [workerOf("a", { outstanding: 3, running: 1 })], "", 0.75],
  ["more than fits is full", [workerOf("a", { running: 9 })], "", 1],
  ["draining ones do not count", [workerOf("a", { running: 4, draining: true }), workerOf("b", { running: 1 })], "", 0.25],
  ["nor do those of another model", [workerOf("a", { running: 4 }), workerOf("b", { models: [modelOf({ name: "x" })] })], "x", 0],
  ["a pool is asked for by name", [workerOf("a", { pool: "q", running: 2 }), workerOf("b")], "q", 0.5],
])("%s", (_, workers, model, busy) => {
  expect(busyShare({ workers }, model)).toBe(busy);
});
