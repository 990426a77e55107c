// From endings to the messages that end a trigger (design: meaning of endings).
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  CacheSource,
  Finish,
  Outcome,
  Reason,
  ServerMessageSchema,
  TimingSchema,
} from "../proto/gen/slipstream/v1/completion_pb.ts";
import { triggerAt } from "../test/support/router.ts";
import { type Ending, noUsage, type Outcome as OurOutcome, outcomes } from "./completion.ts";
import { cacheUseOf, endMessage, finishMessage, outcomeMessage, partialMessage, reasonMessage, timingOf } from "./messages.ts";

const usage = {
  ...noUsage,
  promptTokens: 10,
  cachedTokens: 8,
  recomputedTokens: 2,
  completionTokens: 5,
  drafted: 4,
  draftAccepted: 3,
};
const end = (ending: Ending, text = "") => {
  const { message } = endMessage(triggerAt("a|"), {}, ending, text, 1_050);
  if (message.case !== "completion" && message.case !== "nothing") throw new Error(`a trigger ended by ${message.case}`);
  return message;
};

test.each<[outcome: OurOutcome, finish: Ending["finish"], kind: Outcome]>([
  ["generated", "cut", Outcome.GENERATED],
  ["generated", "deadline", Outcome.GENERATED],
  ["cached", "stop", Outcome.CACHED],
  ["joined", "length", Outcome.JOINED],
  ["typed_ahead", undefined, Outcome.TYPED_AHEAD],
])("%s text with finish %s is a Completion", (outcome, finish, kind) => {
  const message = end({ outcome, ...(finish ? { finish } : {}), usage, completionId: "c1", worker: "w1", model: "m" }, "text");
  expect(message).toMatchObject({
    case: "completion",
    value: {
      triggerId: "t1",
      completionId: "c1",
      items: [{ insertText: "text" }],
      outcome: kind,
      finish: finish ? finishMessage[finish] : Finish.UNSPECIFIED,
      timing: { totalMs: 50 },
      cache: { promptTokens: 10, draftAccepted: 3, worker: "w1", model: "m" },
    },
  });
});

test.each<[reason: NonNullable<Ending["reason"]>, outcome: OurOutcome, message: Reason, kind: Outcome]>([
  ["gated", "gated", Reason.GATED, Outcome.GATED],
  ["brownout", "gated", Reason.BROWNOUT, Outcome.GATED],
  ["superseded", "superseded", Reason.SUPERSEDED, Outcome.SUPERSEDED],
  ["cancelled", "cancelled", Reason.CANCELLED, Outcome.CANCELLED],
  ["empty", "empty", Reason.EMPTY, Outcome.EMPTY],
  ["duplicate", "empty", Reason.DUPLICATE, Outcome.EMPTY],
  ["deadline", "expired", Reason.DEADLINE, Outcome.EXPIRED],
  ["excluded", "refused", Reason.EXCLUDED, Outcome.REFUSED],
  ["secret", "refused", Reason.SECRET, Outcome.REFUSED],
  ["quota", "refused", Reason.QUOTA, Outcome.REFUSED],
  ["resync_needed", "refused", Reason.RESYNC_NEEDED, Outcome.REFUSED],
  ["error", "failed", Reason.ERROR, Outcome.FAILED],
])("reason %s of outcome %s is a Nothing, whatever had been shown", (reason, outcome, message, kind) => {
  for (const shown of [{}, { completionId: "c1" }]) {
    expect(end({ outcome, reason, detail: "why", retryAfterMs: 49.6, usage, ...shown }, "text")).toMatchObject({
      case: "nothing",
      value: { triggerId: "t1", reason: message, outcome: kind, detail: "why", retryAfterMs: 50, cache: { completionTokens: 5 } },
    });
  }
});

test("every outcome and reason of ours has a message of its own", () => {
  expect(new Set(outcomes.map((outcome) => outcomeMessage[outcome])).size).toBe(outcomes.length);
  const reasons = Object.values(reasonMessage);
  expect(new Set(reasons).size).toBe(reasons.length);
  expect([...Object.values(outcomeMessage), ...reasons]).not.toContain(0);
});

test.each<[name: string, ending: Ending, source: CacheSource]>([
  ["a generation with a resident prefix", { outcome: "generated", usage, worker: "w1" }, CacheSource.KV],
  ["a generation without", { outcome: "generated", usage: { ...usage, cachedTokens: 0 }, worker: "w1" }, CacheSource.COLD],
  ["an empty generation", { outcome: "empty", usage, worker: "w1" }, CacheSource.KV],
  ["a known result", { outcome: "cached", usage: noUsage }, CacheSource.RESULT],
  ["text that is typed along", { outcome: "typed_ahead", usage: noUsage }, CacheSource.TYPE_THROUGH],
  ["a joined generation", { outcome: "joined", usage: noUsage }, CacheSource.IN_FLIGHT],
  ["a gated trigger", { outcome: "gated", usage: noUsage }, CacheSource.UNSPECIFIED],
  ["a failure before any worker", { outcome: "failed", usage: noUsage }, CacheSource.UNSPECIFIED],
])("%s names its source", (_, ending, source) => {
  expect(cacheUseOf(ending).source).toBe(source);
});

test("times are counted from receipt, and what did not happen took none", () => {
  const trigger = triggerAt("a|");
  expect(timingOf(trigger, {}, 1_000)).toEqual(create(TimingSchema));
  expect(timingOf(trigger, { settledMs: 1_015, queuedMs: 1_016, placedMs: 1_026, firstTextMs: 1_080 }, 1_100)).toMatchObject({
    settleMs: 15,
    queueMs: 10,
    firstTextMs: 80,
    totalMs: 100,
  });
  expect(timingOf(trigger, { queuedMs: 1_016 }, 1_100).queueMs).toBe(0);
});

test("the item chosen in the editor's menu leads every text, and takes the place of what was typed of it", () => {
  const trigger = triggerAt("a.forEach|", { selected: { text: "forEach", startUtf16: 2, endUtf16: 4 }, n: 2 });
  const ending = { outcome: "generated", usage, completionId: "c1", alternatives: ["(c => "] } as const;
  expect(endMessage(trigger, {}, ending, "(b => ", 1_050).message.value).toMatchObject({
    items: [
      { insertText: "forEach(b => ", replace: { startUtf16: 2, endUtf16: 4 } },
      { insertText: "forEach(c => ", replace: { startUtf16: 2, endUtf16: 4 } },
    ],
  });
  const pieces = [partialMessage(trigger, "(b", true), partialMessage(trigger, " => ", false)];
  expect(pieces.map((piece) => (piece.message.value as { text: string }).text)).toEqual(["forEach(b", " => "]);
});

test("every message survives the wire", () => {
  for (const message of [
    partialMessage(triggerAt("a|"), "größe 😀\r\n", true),
    endMessage(triggerAt("a|"), {}, { outcome: "generated", usage, completionId: "c1", finish: "cut" }, "😀", 1_050.5),
    endMessage(triggerAt("a|"), {}, { outcome: "gated", reason: "brownout", usage: noUsage, retryAfterMs: 0.4 }, "", 1_050),
  ])
    expect(fromBinary(ServerMessageSchema, toBinary(ServerMessageSchema, message))).toEqual(message);
});
