// Calls without a session, through the room's door: every field checked once, refused by its name.
import { setMaxListeners } from "node:events";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { seeded } from "../../lib/random.ts";
import {
  CompleteRequestSchema,
  FeedbackEvent,
  FeedbackSchema,
  GenerateRequestSchema,
  Role,
  type SamplingSchema,
  Shape,
  Speculation,
  TriggerKind,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { recordedMetrics } from "../../test/support/router.ts";
import { Ingress } from "./ingress.ts";

const bytesMax = 1_000;
const caller = new AbortController().signal;
// Shared by every case here, each of which listens once; arrival.test.ts shows that one that ended listens no more.
setMaxListeners(0, caller);
const ingress = new Ingress(
  {
    documentBytesMax: bytesMax,
    documentsMax: 2,
    sessionsMax: 2,
    resumeTtlMs: 0,
    resumeBytes: 0,
    deadlines: { autoMs: 500, invokedMs: 3_000, chatMs: 60_000 },
  },
  { clock: new FakeClock(), random: seeded(1), metrics: recordedMetrics().metrics },
);

type Complete = MessageInitShape<typeof CompleteRequestSchema>;
type Generate = MessageInitShape<typeof GenerateRequestSchema>;
type Sampling = MessageInitShape<typeof SamplingSchema>;
const complete = (given: Complete = {}) =>
  ingress.complete(create(CompleteRequestSchema, { prefix: "let a", ...given }), "acme", caller);
const generate = (given: Generate = {}) =>
  ingress.generate(create(GenerateRequestSchema, { messages: [{ role: Role.USER, content: "hi" }], ...given }), "acme", caller);

function refusal(act: () => unknown): { code: string; field: string | undefined } {
  try {
    act();
  } catch (thrown) {
    if (!(thrown instanceof SlipstreamError)) throw thrown;
    expect(thrown.message).toContain(thrown.field);
    return { code: thrown.code, field: thrown.field };
  }
  throw new Error("nothing was thrown");
}
const invalid = (field: string) => ({ code: "invalid_request", field });

test.each<[name: string, given: Complete, field: string]>([
  ["a prefix over the size", { prefix: "x".repeat(1_001) }, "prefix"],
  ["prefix and suffix over the size together", { prefix: "x".repeat(600), suffix: "x".repeat(600) }, "prefix"],
  ["a prefix with a lone surrogate", { prefix: "a\ud800" }, "prefix"],
  ["a suffix with a lone surrogate", { suffix: "\udc00a" }, "suffix"],
  ["a path that is too long", { path: "p".repeat(4_097) }, "path"],
  ["a language that is too long", { language: "l".repeat(65) }, "language"],
  ["an unknown kind", { kind: 42 as TriggerKind }, "kind"],
  ["an unknown shape", { shape: 42 as Shape }, "shape"],
  ["a deadline of more than ten minutes", { deadlineMs: 600_001 }, "deadline_ms"],
  ["a model name that is too long", { model: "m".repeat(129) }, "model"],
  ["a trigger id with a line break", { triggerId: "a\nb" }, "trigger_id"],
  ["a session id that is too long", { sessionId: "s".repeat(129) }, "session_id"],
  ["a document id with a space", { documentId: "d 1" }, "document_id"],
  ["too many snippets", { snippets: Array.from({ length: 65 }, () => ({})) }, "snippets"],
  ["a snippet that is too large", { snippets: [{}, { text: "x".repeat((16 << 10) + 1) }] }, "snippets[1].text"],
  ["a snippet's path that is too long", { snippets: [{ path: "p".repeat(4_097) }] }, "snippets[0].path"],
])("a completion with %s is refused by that field", (_, given, field) => {
  expect(refusal(() => complete(given))).toEqual(invalid(field));
});

test("a call that names nothing but a rendered prompt is the call it stands for", () => {
  const prefix = "<|fim_prefix|>let a<|fim_suffix|>;<|fim_middle|>";
  const trigger = complete({ prefix });
  expect([trigger.text.before(99), trigger.text.after(99), trigger.verbatim]).toEqual(["let a", ";", undefined]);
  // Who says what the text is means the text.
  for (const named of [{ path: "a.ts" }, { suffix: "}" }, { documentId: "d", sessionId: "s" }])
    expect(complete({ prefix, ...named }).text.before(99)).toBe(prefix);
  expect(complete({ prefix: "<|im_start|>user\nhi" })).toMatchObject({ verbatim: true });
});

test("edits away from the cursor are reserved, and refused as such", () => {
  expect(refusal(() => complete({ kind: TriggerKind.NEXT_EDIT }))).toEqual({ code: "unsupported", field: "kind" });
});

test.each<[name: string, given: Sampling, field: string]>([
  ["no tokens", { maxTokens: 0 }, "max_tokens"],
  ["too many tokens", { maxTokens: 257 }, "max_tokens"],
  ["a temperature below zero", { temperature: -0.1 }, "temperature"],
  ["a temperature over two", { temperature: 2.1 }, "temperature"],
  ["a temperature that is no number", { temperature: Number.NaN }, "temperature"],
  ["an endless temperature", { temperature: Number.POSITIVE_INFINITY }, "temperature"],
  ["a top_p of zero", { topP: 0 }, "top_p"],
  ["a top_p over one", { topP: 1.01 }, "top_p"],
  ["a top_p that is no number", { topP: Number.NaN }, "top_p"],
  ["a top_k over its limit", { topK: 1_001 }, "top_k"],
  ["too many stops", { stop: Array.from({ length: 9 }, (_, i) => `${i}`) }, "stop"],
  ["an empty stop", { stop: ["\n", ""] }, "stop[1]"],
  ["a stop that is too long", { stop: ["é".repeat(33)] }, "stop[0]"],
  ["an unknown use of speculation", { speculation: 9 as Speculation }, "speculation"],
])("sampling with %s is refused by that field", (_, given, field) => {
  expect(refusal(() => complete({ sampling: given }))).toEqual(invalid(`sampling.${field}`));
  if (field !== "max_tokens") expect(refusal(() => generate({ sampling: given }))).toEqual(invalid(`sampling.${field}`));
});

test.each<[name: string, given: Sampling, expected: object]>([
  ["nothing said is greedy", {}, { temperature: 0, topP: 1, topK: 0, seed: undefined, stop: [], speculation: "auto" }],
  ["the largest of everything", { maxTokens: 256, temperature: 2, topP: 1, topK: 1_000 }, { maxTokens: 256, temperature: 2 }],
  ["a seed keeps its lower half", { seed: (7n << 32n) + 5n }, { seed: 5 }],
  ["a seed of zero is a seed", { seed: 0n }, { seed: 0 }],
  ["stops in their order", { stop: ["\n\n", ";"] }, { stop: ["\n\n", ";"] }],
  ["speculation switched off", { speculation: Speculation.OFF }, { speculation: "off" }],
])("%s", (_, given, expected) => {
  expect(complete({ sampling: given }).sampling).toMatchObject(expected);
});

test.each<[name: string, given: Complete, expected: object]>([
  ["nothing said", {}, { kind: "auto", lane: "inline", shape: "auto" }],
  ["a kind that was asked for", { kind: TriggerKind.INVOKED }, { kind: "invoked", lane: "inline" }],
  ["a warm-up", { kind: TriggerKind.PRELOAD }, { kind: "preload", lane: "speculative" }],
  [
    "a warm-up of a client that says its tokens with every trigger",
    { kind: TriggerKind.PRELOAD, sampling: { maxTokens: 32 } },
    { kind: "preload", sampling: expect.objectContaining({ maxTokens: 1 }) },
  ],
  ["work ahead of acceptance", { kind: TriggerKind.SPECULATIVE }, { kind: "speculative", lane: "speculative" }],
  ["a line", { shape: Shape.LINE }, { shape: "line", sampling: expect.objectContaining({ maxTokens: 32 }) }],
  ["a token", { shape: Shape.TOKEN }, { shape: "token", sampling: expect.objectContaining({ maxTokens: 8 }) }],
  ["an unknown language is plain text", { language: "klingon" }, { language: "klingon" }],
])("%s becomes a trigger of its lane", (_, given, expected) => {
  expect(complete(given)).toMatchObject(expected);
});

test.each<[name: string, given: Complete, deadlineMs: number]>([
  ["no deadline is the default of its kind", {}, 500],
  ["no deadline of one that was asked for", { kind: TriggerKind.INVOKED }, 3_000],
  ["a warm-up waits longer than keys do", { kind: TriggerKind.PRELOAD }, 10_000],
  ["a deadline of one millisecond", { deadlineMs: 1 }, 1],
  ["the longest deadline", { deadlineMs: 600_000 }, 600_000],
])("%s", (_, given, deadlineMs) => {
  const trigger = complete(given);
  expect(trigger.deadlineMs - trigger.receivedMs).toBe(deadlineMs);
});

test("a call without names is alone; with names it meets its session's", () => {
  const [alone, other] = [complete(), complete()];
  expect(alone.document).not.toBe(other.document);
  expect(alone.session).not.toBe(other.session);
  const named = complete({ sessionId: "s1", documentId: "d1", triggerId: "t1" });
  expect(named).toMatchObject({ id: "t1", session: "acme/s1", document: "acme/s1 d1", stateless: true });
});

test("calls that name nothing share a document where one plainly goes on with the other, and their caller is known", () => {
  const prefix = "const settings = await readSettings(path, { encoding: 'utf8', flag: 'r' });\nconst a";
  const asked = (more: string, who: string, given: Complete = {}) =>
    ingress.complete(create(CompleteRequestSchema, { prefix: prefix + more, suffix: ");\n", ...given }), "acme", caller, who);
  const first = asked("", "client 1");
  expect(asked("b", "client 1")).toMatchObject({ document: first.document, session: first.session });
  expect(asked("b", "client 2").document).not.toBe(first.document);
  expect(asked("bc", "").document).not.toBe(first.document);
  const inSession = asked("", "", { sessionId: "s1" });
  expect(inSession.session).toBe("acme/s1");
  expect(asked("b", "client 9", { sessionId: "s1" }).document).toBe(inSession.document);
  expect(asked("bc", "client 9", { sessionId: "s1", documentId: "d1" }).document).toBe("acme/s1 d1");
});

test.each<[name: string, given: Generate, field: string]>([
  ["no messages", { messages: [] }, "messages"],
  ["too many messages", { messages: Array.from({ length: 257 }, () => ({ role: Role.USER, content: "x" })) }, "messages"],
  ["messages without text", { messages: [{ role: Role.USER, content: "" }] }, "messages"],
  ["a message of nobody", { messages: [{ role: Role.USER, content: "x" }, { content: "x" }] }, "messages[1].role"],
  ["an unknown role", { messages: [{ role: 9 as Role, content: "x" }] }, "messages[0].role"],
  ["a message that is no Unicode", { messages: [{ role: Role.USER, content: "\ud800" }] }, "messages[0].content"],
  ["a message that is too large", { messages: [{ role: Role.USER, content: "x".repeat(1_001) }] }, "messages[0].content"],
  ["messages that are too large together", { messages: Array(2).fill({ role: Role.USER, content: "x".repeat(600) }) }, "messages"],
  ["a request id with a space", { requestId: "a b" }, "request_id"],
  ["too long a deadline", { deadlineMs: 600_001 }, "deadline_ms"],
  ["more tokens than chat may have", { sampling: { maxTokens: 4_097 } }, "sampling.max_tokens"],
])("chat with %s is refused by that field", (_, given, field) => {
  expect(refusal(() => generate(given))).toEqual(invalid(field));
});

test("a single message is continued as it stands; a conversation becomes a transcript", () => {
  expect(generate()).toMatchObject({ lane: "chat", shape: "block", stream: true });
  const messages = [
    { role: Role.SYSTEM, content: "Be short." },
    { role: Role.USER, content: "hi" },
  ];
  expect(generate({ messages }).text.before(100)).toBe("System: Be short.\n\nUser: hi\n\nAssistant:");
});

test.each<[name: string, given: MessageInitShape<typeof FeedbackSchema>, field: string]>([
  ["no event", { event: FeedbackEvent.UNSPECIFIED }, "feedback[3].event"],
  ["an unknown event", { event: 99 as FeedbackEvent }, "feedback[3].event"],
  ["a share that is no number", { keptRatio: Number.NaN }, "feedback[3].kept_ratio"],
  ["a share over one", { keptRatio: 1.5 }, "feedback[3].kept_ratio"],
  ["an id that is too long", { completionId: "c".repeat(129) }, "feedback[3].completion_id"],
])("a report with %s is refused by that field", (_, given, field) => {
  const report = create(FeedbackSchema, { completionId: "c1", event: FeedbackEvent.SHOWN, ...given });
  expect(refusal(() => ingress.report("feedback[3].", report))).toEqual(invalid(field));
});
