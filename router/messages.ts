// messages: from our nouns to the messages of completion.proto, in one place for every way in. Written out as the messages that
// they are: `create` would copy each of them, and what is in it, once more for every trigger.
import {
  CacheSource,
  type CacheUse,
  Finish,
  type Item,
  Outcome,
  Reason,
  type ServerMessage,
  type Timing,
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
  return {
    $typeName: "slipstream.v1.Timing",
    settleMs: since(at.settledMs),
    queueMs: at.placedMs !== undefined && at.queuedMs !== undefined ? at.placedMs - at.queuedMs : 0,
    firstTextMs: since(at.firstTextMs),
    totalMs: now - trigger.receivedMs,
  };
}

export function cacheUseOf(ending: Ending): CacheUse {
  const { usage, worker = "", model = "" } = ending;
  return {
    $typeName: "slipstream.v1.CacheUse",
    source: sourceOf(ending),
    promptTokens: usage.promptTokens,
    cachedTokens: usage.cachedTokens,
    recomputedTokens: usage.recomputedTokens,
    drafted: usage.drafted,
    draftAccepted: usage.draftAccepted,
    completionTokens: usage.completionTokens,
    worker,
    model,
  };
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
  const triggerId = trigger.id;
  const outcome = outcomeMessage[ending.outcome];
  const timing = timingOf(trigger, at, now);
  const cache = cacheUseOf(ending);
  const { completionId, alternatives, finish } = ending;
  if (completionId && delivered.has(ending.outcome))
    return said({
      case: "completion",
      value: {
        $typeName: "slipstream.v1.Completion",
        triggerId,
        completionId,
        items: alternatives ? [text, ...alternatives].map((each) => itemOf(trigger, each)) : [itemOf(trigger, text)],
        timing,
        cache,
        finish: finish ? finishMessage[finish] : Finish.UNSPECIFIED,
        outcome,
      },
    });
  return said({
    case: "nothing",
    value: {
      $typeName: "slipstream.v1.Nothing",
      triggerId,
      reason: reasonMessage[ending.reason ?? "empty"],
      retryAfterMs: Math.round(ending.retryAfterMs ?? 0),
      detail: ending.detail ?? "",
      outcome,
      timing,
      cache,
    },
  });
}

function said(message: ServerMessage["message"]): ServerMessage {
  return { $typeName: "slipstream.v1.ServerMessage", message };
}

/** The item chosen in the editor's menu leads, and takes the place of what was typed of it. */
function itemOf({ selected }: Trigger, text: string): Item {
  const { startUtf16 = 0, endUtf16 = 0 } = selected ?? {};
  return {
    $typeName: "slipstream.v1.Item",
    insertText: selected ? selected.text + text : text,
    replace: selected && { $typeName: "slipstream.v1.Range", startUtf16, endUtf16 },
    typeThrough: [],
    acceptProbability: 0,
    citations: [],
    next: [],
  };
}

/** `first`: nothing was sent before it. All pieces together are the text of the first item. */
export function partialMessage(trigger: Trigger, text: string, first: boolean): ServerMessage {
  const whole = first ? (trigger.selected?.text ?? "") + text : text;
  return said({ case: "partial", value: { $typeName: "slipstream.v1.Partial", triggerId: trigger.id, text: whole } });
}
