import { expect, test } from "vitest";
import { FakeClock } from "../lib/clock.fake.ts";
import { dilatedClock } from "./dilated-clock.ts";

test("time goes by a factor more slowly, and timers wait as much longer", async () => {
  const machine = new FakeClock();
  const clock = dilatedClock(machine, 4);
  const startMs = clock.now();
  const fired: string[] = [];
  clock.timer(10, () => fired.push("timer"));
  void clock.sleep(20).then(() => fired.push("sleep"));
  await machine.advance(39);
  expect(fired).toEqual([]);
  await machine.advance(1);
  expect(fired).toEqual(["timer"]);
  await machine.advance(40);
  expect(fired).toEqual(["timer", "sleep"]);
  expect(clock.now() - startMs).toBe(20);
});
