import { expect, test } from "vitest";
import { FakeClock } from "../../../lib/clock.fake.ts";
import { Recent } from "./recent.ts";

test("acceptance is by position, of the last minute", async () => {
  const clock = new FakeClock();
  const recent = new Recent({ clock });
  recent.block(4, 2);
  recent.block(2, 2);
  recent.block(0, 0);
  await clock.advance(30_000);
  recent.block(3, 0);
  expect(recent.acceptance()).toEqual({
    drafted: 9,
    accepted: 4,
    perPosition: [
      { drafted: 3, accepted: 2 },
      { drafted: 3, accepted: 2 },
      { drafted: 2, accepted: 0 },
      { drafted: 1, accepted: 0 },
    ],
  });
  await clock.advance(35_000);
  expect(recent.acceptance()).toMatchObject({ drafted: 3, accepted: 0 });
  await clock.advance(60_000);
  expect(recent.acceptance()).toEqual({ drafted: 0, accepted: 0, perPosition: [] });
});

test("speeds follow what is measured, and are 0 before", async () => {
  const clock = new FakeClock();
  const recent = new Recent({ clock });
  expect([recent.stepMs, recent.prefillTokensPerSecond]).toEqual([0, 0]);
  for (let i = 0; i < 100; i++) {
    recent.step(i < 50 ? 5 : 10);
    recent.prefill(100, 2);
    await clock.advance(100);
  }
  expect(recent.stepMs).toBeCloseTo(10, 0);
  expect(recent.prefillTokensPerSecond).toBeCloseTo(50_000);
  recent.prefill(5, 0);
  expect(recent.prefillTokensPerSecond).toBeCloseTo(50_000);
});
