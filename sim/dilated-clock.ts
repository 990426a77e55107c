// dilated-clock: a clock that goes `factor` times as slowly as another, so that pretend GPUs and typists of a whole fleet fit a
// small machine: what a processor takes of a millisecond is a `factor`th of one here, the same for whoever is compared.
import { type Clock, sleepOn } from "../lib/clock.ts";

export function dilatedClock(of: Clock, factor: number): Clock {
  const startMs = of.now();
  const clock: Clock = {
    now: () => startMs + (of.now() - startMs) / factor,
    wall: () => of.wall(),
    timer: (ms, fire) => of.timer(ms * factor, fire),
    sleep: (ms, signal) => sleepOn(clock, ms, signal),
  };
  return clock;
}
