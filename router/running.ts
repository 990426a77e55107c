// running: one trigger in, its path followed from outside to its one Ending out: every alternative of it, what is explained and
// traced of it, what the other routers are told of the load. The order on the path itself is pipeline.ts.
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { beneath } from "../lib/tracing/context.ts";
import { drawn, isSent } from "../lib/tracing/tail.ts";
import type { Tracing } from "../lib/tracing/tracing.ts";
import { withAlternatives } from "./alternatives.ts";
import type { Delta, Ending, Milestones, Trigger } from "./completion.ts";
import { type Explain, spansOf } from "./explain/explain.ts";
import { explained } from "./explained.ts";
import type { Feedback } from "./feedback/feedback.ts";
import type { Rooms } from "./path.ts";
import type { Peers } from "./peers/peers.ts";
import { complete } from "./pipeline.ts";

/** Runs one trigger to its one Ending; `at` is filled in on the way. `caller` is the traceparent of whoever asked. */
export type Run = (trigger: Trigger, at: Milestones, caller?: string) => AsyncGenerator<Delta, Ending>;

export interface RunOptions {
  /** What became of triggers is kept for `slipstream explain`. */
  readonly explains: boolean;
  /** Traces that took longer are sent, and a share of all. */
  readonly tail: Parameters<typeof isSent>[2];
}

export interface RunDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly feedback: Pick<Feedback, "follow">;
  readonly explain: Pick<Explain, "begin" | "ended">;
  readonly peers: Pick<Peers, "met">;
  /** Absent: nothing is traced. */
  readonly tracing: Pick<Tracing, "send"> | undefined;
}

export function runner(rooms: Rooms, { explains, tail }: RunOptions, deps: RunDeps): Run {
  const { clock, random, feedback, explain, peers, tracing } = deps;
  const spanId = () => random.hex(16);
  // Whether a caller flagged its trace does not decide: the flag that workers see is ours.
  const placeOf = (caller: string | undefined) => {
    const context = beneath(caller, random);
    return { ...context, sampled: drawn(context, tail.share) };
  };
  return (trigger, at, caller) => {
    const told = explains || tracing ? explain.begin(trigger, tracing && placeOf(caller)) : undefined;
    const met = told ? explained(rooms, told, spanId) : rooms;
    const path = (one: Trigger, its: Milestones) => complete(met, one, its);
    const metered = peers.met(trigger, at);
    const ended = (ending: Ending) => {
      metered(ending);
      if (!told) return;
      told.firstTextMs = at.firstTextMs;
      explain.ended(told, ending);
      const tookMs = (at.firstTextMs ?? told.endedMs) - trigger.receivedMs;
      if (tracing && told.context && isSent(told.context, { tookMs, failed: ending.outcome === "failed" }, tail))
        tracing.send(spansOf(told, clock.wall() - clock.now(), spanId));
    };
    return feedback.follow(trigger, at, withAlternatives(rooms, path, trigger, at), ended);
  };
}
