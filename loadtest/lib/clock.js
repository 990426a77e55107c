// clock: the time and the chance of a run, for all scripts of this folder. k6 has no clock but the machine's, in whole milliseconds; its
// chance is seeded, so that sessions of one seed begin, and lose their connections, at the same moments of every run.
import { randomSeed } from "k6";

randomSeed(Number(__ENV.SEED || 1) * 100_000 + __VU);

export const now = () => Date.now();
export const after = (ms, what) => setTimeout(what, ms);
/** From 0 to just below 1. */
export const chance = () => Math.random();
