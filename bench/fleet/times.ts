// times: moments that several processes of one machine can compare: milliseconds of this process's clock, from the epoch at
// which it began.
import { performance } from "node:perf_hooks";
import { systemClock } from "../../lib/clock.ts";

export const sharedMs = (): number => performance.timeOrigin + systemClock.now();
