// virtual-clock: the clock of a simulated world, for whoever measures in one.
export { FakeClock as VirtualClock } from "../lib/clock.fake.ts";
