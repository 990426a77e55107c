// curve: how a pool's workers answer load, learned from what routers see. Two lines over b, the generations that each worker runs at
// once: the time that a trigger occupies a slot (by Little's law, so that what is cancelled, joined or answered from a cache weighs what
// it really costs), and the p95 of first useful text. Out of both: what a worker can take within the target. Pure and bounded.
import type { ScalingRules } from "../../scaling.ts";
import { firstLine, type Line, lineAt, sampled } from "./line.ts";

export interface Curve {
  readonly occupied: Line;
  readonly firstText: Line;
}

/** Before anything was seen: an L40S with a 7B model, by estimate. */
export const firstCurve: Curve = { occupied: firstLine(60, 3), firstText: firstLine(45, 3) };

/** What was seen over some seconds without a queue, at b generations a worker. */
export interface CurveSample {
  readonly b: number;
  readonly occupiedMs: number | undefined;
  readonly firstTextP95Ms: number | undefined;
}

export function learned({ occupied, firstText }: Curve, { b, occupiedMs, firstTextP95Ms }: CurveSample): Curve {
  return {
    occupied: occupiedMs === undefined ? occupied : sampled(occupied, b, occupiedMs),
    firstText: firstTextP95Ms === undefined ? firstText : sampled(firstText, b, firstTextP95Ms),
  };
}

export interface Capacity {
  /** Generations a worker may run at once within the target. */
  readonly b: number;
  /** Triggers a second that it serves then. */
  readonly rps: number;
}

/** A worker that cannot make the target even alone still serves: it is counted with one generation. */
export function capacityOf(curve: Curve, { targetMs, slots }: Pick<ScalingRules, "targetMs" | "slots">): Capacity {
  const { at0, slope } = curve.firstText;
  const b = Math.min(slots, Math.max(1, (targetMs - at0) / Math.max(slope, 1e-6)));
  return { b, rps: (1_000 * b) / Math.max(1, lineAt(curve.occupied, b)) };
}

/** First useful text at p95 of so many triggers a second on so many workers: Little's law b·workers = rps·S(b), solved for b. */
export function p95Of({ occupied, firstText }: Curve, rps: number, workers: number): number {
  if (workers <= 0) return longestMs;
  const each = rps / workers / 1_000;
  const free = 1 - each * occupied.slope;
  return free <= 0 ? longestMs : Math.min(longestMs, lineAt(firstText, (each * occupied.at0) / free));
}

/** What does not end within it is as good as never. */
const longestMs = 60_000;
