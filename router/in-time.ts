// in-time: what a trigger asks for, so that it can be answered before its deadline. A rendered prompt in; the same out nearly
// always; else with fewer tokens, else shorter, else the fallback tier's, whichever is predicted to be in time first, or is known
// or under way already. When none is, the trigger is refused now: it is never started late; but where slots stand empty and its own
// prompt alone takes too long, it is tried: what the first key computes is resident for those after it.
import { SlipstreamError } from "../lib/errors.ts";
import { askingOf, queueMs } from "./asking.ts";
import type { Context, Prediction, Prompt, Sampling, ServedModel, Trigger } from "./completion.ts";
import type { Path } from "./path.ts";

/** What is asked for in the trigger's name. */
export interface Wish {
  readonly prompt: Prompt;
  readonly sampling: Sampling;
}

export const shortenings = ["tokens", "prompt", "fallback"] as const;
export type Shortening = (typeof shortenings)[number];

/** Fewer make no line. */
const tokensMin = 8;
/** A prompt that is hardly shorter is no other prompt. */
const shorterShare = 0.9;

export function inTime(rooms: Path, trigger: Trigger, context: Context, model: ServedModel, prompt: Prompt): Wish {
  const whole = { prompt, sampling: trigger.sampling };
  // What nobody waits for has time.
  if (trigger.lane === "speculative" || trigger.lane === "batch") return whole;
  const first = timeOf(rooms, trigger, whole);
  if (!first || first.lateByMs <= 0 || isKnown(rooms, whole)) return whole;
  for (const [how, wish] of shorter(rooms, trigger, context, model, whole, first)) {
    const time = timeOf(rooms, trigger, wish);
    if (isKnown(rooms, wish) || (time && time.lateByMs <= 0)) {
      rooms.shortened(how);
      return wish;
    }
  }
  if (trigger.lane === "inline" && first.atEase && first.lateByMs <= first.prefillMs) return whole;
  rooms.late(trigger.lane);
  throw new SlipstreamError("too_late", `no worker can answer before the deadline: ${Math.ceil(first.lateByMs)} ms too late`, {
    retryAfterMs: Math.ceil(first.lateByMs),
  });
}

/** From the nearest to what was asked for to the farthest. */
function* shorter(
  rooms: Path,
  trigger: Trigger,
  context: Context,
  model: ServedModel,
  { prompt, sampling }: Wish,
  first: Time,
): Generator<[Shortening, Wish]> {
  const { leftMs, waitMs, prefillMs, tokenMs } = first;
  const tokens = tokenMs === 0 ? sampling.maxTokens : Math.floor((leftMs - waitMs - prefillMs) / tokenMs);
  const fewer = { ...sampling, maxTokens: Math.max(tokensMin, Math.min(sampling.maxTokens, tokens)) };
  const render = (of: ServedModel, given: Trigger) => ({
    prompt: rooms.prompt.render({ ...given, sampling: fewer }, context, of),
    sampling: fewer,
  });
  if (fewer.maxTokens < sampling.maxTokens) yield ["tokens", render(model, trigger)];
  if (trigger.lane !== "inline") return;
  // Half of a trigger's time is what its prompt may take (router/prompt): so much is left for it.
  const promptMs = leftMs - waitMs - tokensMin * tokenMs;
  const brief = render(model, { ...trigger, deadlineMs: trigger.receivedMs + Math.max(1, 2 * promptMs) });
  if (brief.prompt.bytes < prompt.bytes * shorterShare) yield ["prompt", brief];
  for (const pool of rooms.fallbacks(trigger.tenant, trigger.asked ?? trigger.model)) {
    const other = rooms.fleet.model(pool);
    if (other && (other.name !== model.name || other.pool !== model.pool)) yield ["fallback", render(other, trigger)];
  }
}

interface Time extends Prediction {
  readonly leftMs: number;
  readonly lateByMs: number;
}

function timeOf(rooms: Path, trigger: Trigger, { prompt, sampling }: Wish): Time | undefined {
  const { deadlineMs } = trigger;
  const predicted = rooms.predict(askingOf({ ...trigger, sampling }, prompt, deadlineMs));
  if (!predicted) return undefined;
  const leftMs = deadlineMs - rooms.clock.now();
  // Who waits in the queue waits for slots: the longer of both.
  const waitMs = Math.max(queueMs(rooms, trigger, prompt), predicted.waitMs);
  return { ...predicted, waitMs, leftMs, lateByMs: predicted.totalMs + waitMs - predicted.waitMs - leftMs };
}

function isKnown(rooms: Path, { prompt, sampling }: Wish): boolean {
  return rooms.cache.join(prompt, sampling) !== undefined || rooms.cache.find(prompt, sampling) !== undefined;
}
