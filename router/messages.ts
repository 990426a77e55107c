// messages: from our nouns to the messages of completion.proto, in one place for every way in.
import { create } from "@bufbuild/protobuf";
import {
  CacheSource,
  type CacheUse,
  CacheUseSchema,
  Finish,
  Outcome,
  Reason,
  type ServerMessage,
  ServerMessageSchema,
  type Timing,
  TimingSchema,
  TriggerKind,
} from "../proto/gen/slipstream/v1/completion_pb.ts";
import type {
  Ending,
  Kind,
  Milestones,
  Finish as OurFinish,
  Outcome as OurOutcome,
  Reason as OurReason,
  Trigger,
} from "./completion.ts";

export const outcomeMessage: Record<OurOutcome, Outcome> = {
  typed_ahead: Outcome.TYPED_AHEAD,
  cached: Outcome.CACHED,
  joined: Outcome.JOINED,
  generated: Outcome.GENERATED,
  superseded: Outcome.SUPERSEDED,
  gated: Outcome.GATED,
  empty: Outcome.EMPTY,
  cancelled: Outcome.CANCELLED,
  expired: Outcome.EXPIRED,
  refused: Outcome.REFUSED,
  failed: Outcome.FAILED,
};

export const reasonMessage: Record<OurReason, Reason> = {
  gated: Reason.GATED,
  brownout: Reason.BROWNOUT,
  superseded: Reason.SUPERSEDED,
  cancelled: Reason.CANCELLED,
  empty: Reason.EMPTY,
  duplicate: Reason.DUPLICATE,
  deadline: Reason.DEADLINE,
  excluded: Reason.EXCLUDED,
  secret: Reason.SECRET,
  quota: Reason.QUOTA,
  resync_needed: Reason.RESYNC_NEEDED,
  error: Reason.ERROR,
};

export const finishMessage: Record<OurFinish, Finish> = {
  stop: Finish.STOP,
  length: Finish.LENGTH,
  cut: Finish.CUT,
  deadline: Finish.DEADLINE,
};

export const kindMessage: Record<Kind, TriggerKind> = {
  auto: TriggerKind.AUTO,
  invoked: TriggerKind.INVOKED,
  preload: TriggerKind.PRELOAD,
  speculative: TriggerKind.SPECULATIVE,
};

export function timingOf(trigger: Trigger, at: Milestones, now: number): Timing {
  const since = (ms: number | undefined) => (ms === undefined ? 0 : ms - trigger.receivedMs);
  return create(TimingSchema, {
    settleMs: since(at.settledMs),
    queueMs: at.placedMs !== undefined && at.queuedMs !== undefined ? at.placedMs - at.queuedMs : 0,
    firstTextMs: since(at.firstTextMs),
    totalMs: now - trigger.receivedMs,
  });
}

export function cacheUseOf(ending: Ending): CacheUse {
  const { usage, worker = "", model = "" } = ending;
  return create(CacheUseSchema, { ...usage, source: sourceOf(ending), worker, model });
}

const sources: Partial<Record<OurOutcome, CacheSource>> = {
  typed_ahead: CacheSource.TYPE_THROUGH,
  cached: CacheSource.RESULT,
  joined: CacheSource.IN_FLIGHT,
};

/** What no worker was asked for came from nowhere. */
function sourceOf({ outcome, usage, worker }: Ending): CacheSource {
  const generated = usage.cachedTokens > 0 ? CacheSource.KV : CacheSource.COLD;
  return sources[outcome] ?? (worker === undefined ? CacheSource.UNSPECIFIED : generated);
}

const delivered: ReadonlySet<OurOutcome> = new Set(["typed_ahead", "cached", "joined", "generated"]);

/** The one message that ends a trigger: Completion where text was delivered, else Nothing with its reason. */
export function endMessage(trigger: Trigger, at: Milestones, ending: Ending, text: string, now: number): ServerMessage {
  const shared = {
    triggerId: trigger.id,
    outcome: outcomeMessage[ending.outcome],
    timing: timingOf(trigger, at, now),
    cache: cacheUseOf(ending),
  };
  if (ending.completionId && delivered.has(ending.outcome))
    return create(ServerMessageSchema, {
      message: {
        case: "completion",
        value: {
          ...shared,
          completionId: ending.completionId,
          items: [text, ...(ending.alternatives ?? [])].map((each) => itemOf(trigger, each)),
          finish: ending.finish ? finishMessage[ending.finish] : Finish.UNSPECIFIED,
        },
      },
    });
  return create(ServerMessageSchema, {
    message: {
      case: "nothing",
      value: {
        ...shared,
        reason: reasonMessage[ending.reason ?? "empty"],
        retryAfterMs: Math.round(ending.retryAfterMs ?? 0),
        detail: ending.detail ?? "",
      },
    },
  });
}

/** The item chosen in the editor's menu leads, and takes the place of what was typed of it. */
function itemOf({ selected }: Trigger, text: string) {
  if (!selected) return { insertText: text };
  const { startUtf16, endUtf16 } = selected;
  return { insertText: selected.text + text, replace: { startUtf16, endUtf16 } };
}

/** `first`: nothing was sent before it. All pieces together are the text of the first item. */
export function partialMessage(trigger: Trigger, text: string, first: boolean): ServerMessage {
  const whole = first ? (trigger.selected?.text ?? "") + text : text;
  return create(ServerMessageSchema, { message: { case: "partial", value: { triggerId: trigger.id, text: whole } } });
}
