// hurried-clock: the machine's time, so many times as fast, for a whole process whose own pauses a test has no use for.
import { type Clock, sleepOn, systemClock } from "../../lib/clock.ts";

export function hurriedClock(times: number): Clock {
  const [began, wall] = [systemClock.now(), systemClock.wall()];
  const clock: Clock = {
    now: () => systemClock.now() * times,
    wall: () => Math.round(wall + (systemClock.now() - began) * times),
    timer: (ms, fire) => systemClock.timer(ms / times, fire),
    sleep: (ms, signal) => sleepOn(clock, ms, signal),
  };
  return clock;
}
