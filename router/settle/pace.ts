// pace: how long to pause after a key. Pure. A pause is worth its time only when it outlasts most of the next keys: a short one
// asks in the midst of them, where nearly every answer comes too late (docs/decisions/0005-pause-or-ask-at-once.md). So it is
// nothing, or long: nothing while workers are idle, nothing where the answer comes before the next key anyway, nothing where
// the limit would cut it short.
import type { FleetView } from "../completion.ts";

/** Up to this share of slots in use another sequence costs little more than its own step time. */
const freelyBusy = 0.5;
/** With every slot in use, an answer is asked for at once only if it comes in time more often than this. */
const inTimeMin = 0.75;
/** How many of a burst's next keys a pause outlasts: three quarters, with every slot in use nine of ten (in deviations). */
const outlasts = { from: 0.674, to: 1.282 };
/** Of a trigger's time: what is left must do for queue, prefill and decode. */
const timeShareMax = 1 / 3;

/** Median and spread of the intervals of a session's keys, in the logarithm. */
export interface Typing {
  readonly mean: number;
  readonly deviation: number;
}

export interface PaceInput {
  /** 0: workers idle, 1: every slot taken (`busyShare`). */
  readonly busy: number;
  readonly typing: Typing;
  /** What an answer takes of late, from here to its end. */
  readonly answerMs: number;
  readonly deadlineAfterMs: number;
  readonly pauseMaxMs: number;
}

/**
 * load = 0 up to half of the slots in use, then rising to 1. No pause if the share of keys that come later than the answer is
 * at least 0.75 × load. Else the time within which 75–90 % (by load) of a burst's next keys come, at most `pauseMaxMs` and a
 * third of the trigger's time; none if not even 75 % come within these.
 */
export function pauseMs({ busy, typing, answerMs, deadlineAfterMs, pauseMaxMs }: PaceInput): number {
  const load = Math.min(1, Math.max(0, (busy - freelyBusy) / (1 - freelyBusy)));
  if (load === 0) return 0;
  const inTime = 1 - normalShare((Math.log(Math.max(1, answerMs)) - typing.mean) / typing.deviation);
  if (inTime >= inTimeMin * load) return 0;
  const limit = Math.min(pauseMaxMs, deadlineAfterMs * timeShareMax);
  const until = (deviations: number) => Math.exp(typing.mean + typing.deviation * deviations);
  if (until(outlasts.from) > limit) return 0;
  return Math.min(limit, until(outlasts.from + load * (outlasts.to - outlasts.from)));
}

/** Share of a standard normal below `z`: the logistic curve, to a hundredth. */
export function normalShare(z: number): number {
  return 1 / (1 + Math.exp(-1.702 * z));
}

/** Share of the slots in use, of the workers that may get work for this model or pool ("": any). */
export function busyShare({ workers }: Pick<FleetView, "workers">, model: string): number {
  let slots = 0;
  let used = 0;
  for (const worker of workers) {
    const serves = model === "" || worker.pool === model || worker.models.some(({ name }) => name === model);
    if (worker.draining || !serves) continue;
    slots += worker.slots;
    used += Math.min(worker.slots, Math.max(worker.running, worker.outstanding));
  }
  return slots === 0 ? 0 : used / slots;
}
