// events: endings and reports as the messages of fleet.proto. Lengths and names; text only where it is given, by policy.
import { create } from "@bufbuild/protobuf";
import {
  FeedbackEvent,
  type Feedback as FeedbackMessage,
  Finish,
  Reason,
  Shape,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";
import {
  type FeedbackRecord,
  FeedbackRecordSchema,
  type OutcomeEvent,
  OutcomeEventSchema,
} from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import { Lane } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import type { Ending, Milestones, Report, Trigger } from "../completion.ts";
import { cacheUseOf, finishMessage, kindMessage, outcomeMessage, reasonMessage, timingOf } from "../messages.ts";
import type { Delivered, Unadmitted } from "./feedback.ts";

const laneMessage = { inline: Lane.INLINE, chat: Lane.CHAT, speculative: Lane.SPECULATIVE, batch: Lane.BATCH } as const;

export function outcomeEvent(
  trigger: Trigger,
  at: Milestones,
  ending: Ending,
  time: { now: number; unixMs: number; text: string | undefined },
): OutcomeEvent {
  // Written out as the message it is: one for every trigger.
  return {
    $typeName: "slipstream.v1.OutcomeEvent",
    triggerId: trigger.id,
    completionId: ending.completionId ?? "",
    outcome: outcomeMessage[ending.outcome],
    reason: ending.reason ? reasonMessage[ending.reason] : Reason.UNSPECIFIED,
    finish: ending.finish ? finishMessage[ending.finish] : Finish.UNSPECIFIED,
    code: ending.code ?? "",
    tenant: trigger.tenant,
    sessionKey: trigger.session,
    pool: ending.model ?? "",
    lane: laneMessage[trigger.lane],
    kind: kindMessage[trigger.kind],
    language: trigger.language,
    timing: timingOf(trigger, at, time.now),
    cache: cacheUseOf(ending),
    unixMs: BigInt(Math.round(time.unixMs)),
    textUtf16: ending.textUtf16 ?? 0,
    text: time.text,
  };
}

export function refusalEvent(trigger: Unadmitted, ending: Ending, unixMs: number): OutcomeEvent {
  return create(OutcomeEventSchema, {
    triggerId: trigger.id,
    outcome: outcomeMessage[ending.outcome],
    ...(ending.reason ? { reason: reasonMessage[ending.reason] } : {}),
    code: ending.code ?? "",
    tenant: trigger.tenant,
    sessionKey: trigger.session,
    lane: laneMessage[trigger.lane ?? "inline"],
    unixMs: BigInt(Math.round(unixMs)),
  });
}

const eventNames: Readonly<Record<number, Report["reaction"]>> = {
  [FeedbackEvent.SHOWN]: "shown",
  [FeedbackEvent.ACCEPTED]: "accepted",
  [FeedbackEvent.PARTIAL]: "partial",
  [FeedbackEvent.REJECTED]: "rejected",
  [FeedbackEvent.IGNORED]: "ignored",
  [FeedbackEvent.SUPERSEDED]: "superseded",
  [FeedbackEvent.RETAINED]: "retained",
};

/** Undefined: an event of a newer client. */
export const reactionOf = ({ event }: FeedbackMessage): Report["reaction"] | undefined => eventNames[event];

const shapeMessage: Record<Trigger["shape"], Shape> = {
  token: Shape.TOKEN,
  line: Shape.LINE,
  block: Shape.BLOCK,
  auto: Shape.AUTO,
  raw: Shape.UNSPECIFIED,
};

export function feedbackRecord(feedback: FeedbackMessage, of: Delivered, unixMs: number): FeedbackRecord {
  const { tenant, pool, textUtf16, shape, kind, language, text, reactions } = of;
  return create(FeedbackRecordSchema, {
    feedback,
    tenant,
    pool,
    unixMs: BigInt(Math.round(unixMs)),
    textUtf16,
    acceptedUtf16: reactions.acceptedUtf16,
    shownMs: Math.round(reactions.shownMs),
    shape: shapeMessage[shape],
    kind: kindMessage[kind],
    language,
    ...(text === undefined ? {} : { text }),
  });
}
