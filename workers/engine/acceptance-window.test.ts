import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { AcceptanceWindow } from "./acceptance-window.ts";

const counts = (drafted: number, accepted: number) => ({ drafted: [drafted, drafted], accepted: [accepted, 0] });

test("it tells of the last minute, position by position", async () => {
  const clock = new FakeClock();
  const window = new AcceptanceWindow(counts(0, 0), { clock });
  window.add(counts(10, 5));
  expect(window.value).toEqual({
    drafted: 20,
    accepted: 5,
    perPosition: [
      { drafted: 10, accepted: 5 },
      { drafted: 10, accepted: 0 },
    ],
  });
  await clock.advance(30_000);
  window.add(counts(30, 20));
  expect([window.value.drafted, window.value.accepted]).toEqual([60, 20]);
  await clock.advance(40_000);
  window.add(counts(32, 20));
  // What came in the first seconds is more than a minute ago.
  expect([window.value.drafted, window.value.accepted]).toEqual([44, 15]);
  await clock.advance(200_000);
  expect([window.value.drafted, window.value.accepted]).toEqual([0, 0]);
});

test("however often it is told, it keeps some dozen counts", async () => {
  const clock = new FakeClock();
  const window = new AcceptanceWindow(counts(0, 0), { clock });
  for (let second = 1; second <= 600; second++) {
    await clock.advance(1_000);
    window.add(counts(second, 0));
  }
  expect(window.value.drafted / 2).toBeGreaterThanOrEqual(55);
  expect(window.value.drafted / 2).toBeLessThanOrEqual(66);
});
