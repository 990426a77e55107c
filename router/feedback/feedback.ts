// feedback: a trigger's path in, exactly one Ending out, whatever happens on the way: it is followed from outside, so errors,
// clients that leave and supersession end here too. Each ending becomes a metric, a log line without code text and an event
// for the bus; reports of shown text are matched to their completion, and those that cannot be change nothing. Remembers
// `completionsMax` completions; of their text only by the operator's policy, at most `keptTextBytesMax`.
import type { Clock } from "../../lib/clock.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import type { Random } from "../../lib/random.ts";
import { Lru } from "../../lib/structures/lru.ts";
import type { Feedback as FeedbackMessage } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import {
  type Bill,
  type Delta,
  type Ending,
  type Fate,
  type Milestones,
  noUsage,
  type Outcome,
  type Reason,
  type Report,
  Retired,
  type Trigger,
} from "../completion.ts";
import type { RouterMetrics } from "../metrics.ts";
import { feedbackRecord, outcomeEvent, reactionOf, refusalEvent } from "./events.ts";
import type { Outbox } from "./outbox.ts";
import { Reactions } from "./reactions.ts";

export type { Spool } from "./spool.ts";

export interface FeedbackOptions {
  readonly completionsMax: number;
  /** The policy that events of a tenant carry delivered text; nothing else ever does. */
  readonly keepText: (tenant: string) => boolean;
}

/** What is known of a trigger that ingress refused. */
export type Unadmitted = Pick<Trigger, "id" | "tenant" | "session"> & { readonly lane?: Trigger["lane"] };

export interface FeedbackDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly outbox: Outbox;
  /** What was accepted, and what that had cost. */
  readonly value: { accepted(of: Delivered, accepted: { readonly characters: number; readonly share: number }): void };
  /** Told of each report that belongs to a completion we remember. */
  readonly reported?: (report: Report) => void;
  /** Told of what ended before it was a trigger. */
  readonly refused?: (trigger: Unadmitted, ending: Ending) => void;
  readonly metrics: Pick<
    RouterMetrics,
    | "outcomes_total"
    | "errors_total"
    | "first_text_seconds"
    | "total_seconds"
    | "feedback_total"
    | "feedback_without_effect_total"
    | "shown_characters_total"
    | "accepted_characters_total"
    | "shown_seconds"
  >;
}

/** A completion that reports may come for. */
export interface Delivered extends Pick<Trigger, "tenant" | "document" | "shape" | "kind" | "language"> {
  readonly pool: string;
  readonly textUtf16: number;
  readonly text: string | undefined;
  readonly reactions: Reactions;
  readonly bill: Bill | undefined;
}

const keptTextBytesMax = 64 << 20;

export class Feedback {
  readonly #options: FeedbackOptions;
  readonly #deps: FeedbackDeps;
  readonly #delivered: Lru<Delivered>;
  #underWay = 0;

  constructor(options: FeedbackOptions, deps: FeedbackDeps) {
    this.#options = options;
    this.#deps = deps;
    const weigh = ({ text = "" }: Delivered) => text.length * 2;
    this.#delivered = new Lru({ max: options.completionsMax, maxWeight: keptTextBytesMax, weigh });
  }

  /** Triggers that have begun and not ended. */
  get underWay(): number {
    return this.#underWay;
  }

  /** The path's deltas, then its one ending, of which `ended` is told as well. Never throws. */
  async *follow(
    trigger: Trigger,
    at: Milestones,
    path: AsyncGenerator<Delta, Ending>,
    ended?: (ending: Ending) => void,
  ): AsyncGenerator<Delta, Ending> {
    let ending: Ending | undefined;
    this.#underWay += 1;
    let textUtf16 = 0;
    let text = "";
    const keepText = this.#options.keepText(trigger.tenant);
    try {
      for (;;) {
        const step = await path.next();
        if (step.done) {
          ending = step.value;
          break;
        }
        at.firstTextMs ??= this.#deps.clock.now();
        textUtf16 += step.value.text.length;
        if (keepText) text += step.value.text;
        yield step.value;
      }
    } catch (thrown) {
      ending = endingOf(thrown);
    } finally {
      this.#underWay -= 1;
      // A reader that left before the end: the path is closed here, and the trigger ends as cancelled if nothing ended it before.
      if (!ending) {
        trigger.retire(new Retired("cancelled"));
        await path.return(undefined as never).catch(() => {});
        ending = endingOf(trigger.signal.reason);
      }
      ending = this.#ended(trigger, at, ending, textUtf16, keepText ? text : undefined);
      ended?.(ending);
    }
    return ending;
  }

  /** The ending of a trigger that ingress refused: it never reached the path, but it is an outcome like any other. */
  refused(trigger: Unadmitted, ending: Ending): void {
    const { metrics, outbox, clock, log } = this.#deps;
    metrics.outcomes_total.inc({ lane: trigger.lane ?? "inline", outcome: ending.outcome });
    if (ending.error) metrics.errors_total.inc({ code: ending.error.code });
    outbox.outcome(refusalEvent(trigger, ending, clock.wall()));
    this.#deps.refused?.(trigger, ending);
    const { outcome, reason, code } = ending;
    log.debug({ trigger: trigger.id, session: trigger.session, outcome, reason, code }, "trigger refused");
  }

  /** A report of what became of a completion; false: not one we remember, or another tenant's. */
  report(message: FeedbackMessage, tenant: string): boolean {
    const { clock, metrics, outbox, reported, value } = this.#deps;
    const now = clock.now();
    const reaction = reactionOf(message);
    const event = reaction ?? "unknown";
    const delivered = this.#delivered.get(message.completionId, now);
    if (!delivered || delivered.tenant !== tenant) {
      metrics.feedback_without_effect_total.inc({ event, why: "unmatched" });
      return false;
    }
    const { reactions, shape, textUtf16 } = delivered;
    const [shownBefore, acceptedBefore] = [reactions.shown, reactions.acceptedUtf16];
    if (!reaction || !reactions.take({ reaction, ...message }, now)) {
      metrics.feedback_without_effect_total.inc({ event, why: "order" });
      return true;
    }
    metrics.feedback_total.inc({ event, shape });
    if (!shownBefore) metrics.shown_characters_total.inc({ shape }, textUtf16);
    const characters = reactions.acceptedUtf16 - acceptedBefore;
    if (characters > 0) {
      metrics.accepted_characters_total.inc({ shape }, characters);
      value.accepted(delivered, { characters, share: characters / Math.max(1, textUtf16) });
    }
    const stood = reaction !== "shown" && reaction !== "retained" && reactions.shownMs > 0;
    if (stood) metrics.shown_seconds.observe({ event }, reactions.shownMs / 1000);
    reported?.({ document: delivered.document, reaction, shownMs: message.shownMs });
    outbox.feedback(feedbackRecord(message, delivered, clock.wall()));
    return true;
  }

  #ended(trigger: Trigger, at: Milestones, given: Ending, textUtf16: number, text: string | undefined): Ending {
    trigger.release();
    const { clock, metrics, log, outbox } = this.#deps;
    const now = clock.now();
    const { lane } = trigger;
    const delivered = at.firstTextMs !== undefined;
    const ending: Ending = delivered ? { ...given, textUtf16, completionId: this.#deps.random.hex(16) } : { ...given, textUtf16 };
    at.bill?.ended(delivered ? "shown" : (fateOf[ending.outcome] ?? "other"));
    if (ending.completionId) this.#remember(ending.completionId, trigger, ending, { text, bill: at.bill }, now);
    metrics.outcomes_total.inc({ lane, outcome: ending.outcome });
    metrics.total_seconds.observe({ lane, outcome: ending.outcome }, (now - trigger.receivedMs) / 1000);
    if (at.firstTextMs !== undefined) metrics.first_text_seconds.observe({ lane }, (at.firstTextMs - trigger.receivedMs) / 1000);
    if (ending.error) metrics.errors_total.inc({ code: ending.error.code });
    outbox.outcome(outcomeEvent(trigger, at, ending, { now, unixMs: clock.wall(), text }));
    const line = {
      trigger: trigger.id,
      session: trigger.session,
      lane,
      kind: trigger.kind,
      outcome: ending.outcome,
      reason: ending.reason,
      code: ending.code,
      ms: Math.round((now - trigger.receivedMs) * 10) / 10,
      worker: ending.worker,
      prompt: ending.usage.promptTokens,
      cached: ending.usage.cachedTokens,
      tokens: ending.usage.completionTokens,
    };
    if (ending.error?.code === "internal") log.error({ ...line, err: ending.error.cause ?? ending.error }, "trigger failed");
    else log.debug(line, "trigger ended");
    return ending;
  }

  #remember(
    id: string,
    trigger: Trigger,
    { model, textUtf16 = 0 }: Ending,
    { text, bill }: Pick<Delivered, "text" | "bill">,
    now: number,
  ): void {
    const { tenant, document, shape, kind, language } = trigger;
    const reactions = new Reactions(textUtf16);
    this.#delivered.set(id, { tenant, document, shape, kind, language, pool: model ?? "", textUtf16, text, reactions, bill }, now);
  }
}

/** Of what nobody was shown. */
const fateOf: Partial<Record<Outcome, Fate>> = { superseded: "superseded", expired: "late", empty: "empty" };

const retiredReason = { superseded: "superseded", cancelled: "cancelled", expired: "deadline" } as const satisfies Record<
  Retired["outcome"],
  Reason
>;

/** Codes that say the caller may not or the router will not, as opposed to something broke. */
const refusals: ReadonlySet<string> = new Set([
  "overloaded",
  "too_late",
  "permission_denied",
  "unauthenticated",
  "unsupported",
  "invalid_request",
  "not_found",
]);

/** What a path that did not end by itself ended as. */
export function endingOf(thrown: unknown): Ending {
  if (thrown instanceof Retired) return { outcome: thrown.outcome, reason: retiredReason[thrown.outcome], usage: noUsage };
  const error = SlipstreamError.from(thrown);
  if (error.code === "cancelled") return { outcome: "cancelled", reason: "cancelled", usage: noUsage };
  if (error.code === "deadline_exceeded") return { outcome: "expired", reason: "deadline", usage: noUsage };
  const outcome = refusals.has(error.code) ? "refused" : "failed";
  const reason =
    error.code === "too_late"
      ? "deadline"
      : error.code === "overloaded"
        ? "quota"
        : error.code === "permission_denied"
          ? "excluded"
          : "error";
  return {
    outcome,
    reason,
    detail: `${error.code}: ${error.code === "internal" ? "internal error; see the router's log" : error.message}`,
    code: error.code,
    usage: noUsage,
    ...(outcome === "failed" ? { error } : {}),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  };
}
