// events: endings and reports as the messages of fleet.proto. Lengths and names, never code text.
import { create } from "@bufbuild/protobuf";
import { FeedbackEvent, type Feedback as FeedbackMessage } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import {
  type FeedbackRecord,
  FeedbackRecordSchema,
  type OutcomeEvent,
  OutcomeEventSchema,
} from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import { Lane } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import type { Ending, Milestones, Report, Trigger } from "../completion.ts";
import { cacheUseOf, finishMessage, kindMessage, outcomeMessage, reasonMessage, timingOf } from "../messages.ts";

const laneMessage = { inline: Lane.INLINE, chat: Lane.CHAT, speculative: Lane.SPECULATIVE, batch: Lane.BATCH } as const;

export function outcomeEvent(
  trigger: Trigger,
  at: Milestones,
  ending: Ending,
  time: { now: number; unixMs: number },
): OutcomeEvent {
  return create(OutcomeEventSchema, {
    triggerId: trigger.id,
    completionId: ending.completionId ?? "",
    outcome: outcomeMessage[ending.outcome],
    ...(ending.reason ? { reason: reasonMessage[ending.reason] } : {}),
    ...(ending.finish ? { finish: finishMessage[ending.finish] } : {}),
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
  });
}

export function refusalEvent(trigger: Pick<Trigger, "id" | "tenant" | "session">, ending: Ending, unixMs: number): OutcomeEvent {
  return create(OutcomeEventSchema, {
    triggerId: trigger.id,
    outcome: outcomeMessage[ending.outcome],
    ...(ending.reason ? { reason: reasonMessage[ending.reason] } : {}),
    code: ending.code ?? "",
    tenant: trigger.tenant,
    sessionKey: trigger.session,
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

export function feedbackRecord(
  feedback: FeedbackMessage,
  of: { tenant: string; pool: string; unixMs: number },
): { readonly event: Report["reaction"] | "unknown"; readonly message: FeedbackRecord } {
  return {
    event: eventNames[feedback.event] ?? "unknown",
    message: create(FeedbackRecordSchema, { feedback, tenant: of.tenant, pool: of.pool, unixMs: BigInt(Math.round(of.unixMs)) }),
  };
}
