// The story of an editor's session with a whole router and scripted workers.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { FeedbackEvent, Finish, Outcome, Reason, Status_Kind, TriggerKind } from "../proto/gen/slipstream/v1/completion_pb.ts";
import { hello, opened, routed } from "../test/support/routed.ts";

async function ready() {
  const made = routed();
  await made.workers.welcome("w1");
  const editor = made.session();
  await editor.say(hello);
  const trigger = (triggerId: string, given: object = {}) =>
    ({
      case: "trigger",
      value: { triggerId, documentId: "d1", version: 1n, offsetUtf16: 10, kind: TriggerKind.INVOKED, ...given },
    }) as const;
  return { ...made, editor, trigger };
}

test("a session is welcomed with its limits and its models, and lives until the client is done", async () => {
  const { editor, metrics, clock } = await ready();
  expect(editor.heard.map((message) => message.case)).toEqual(["welcome", "policy"]);
  expect(editor.of("welcome")[0]).toMatchObject({ protocol: "1", limits: { documentsMax: 64, editsPerMessageMax: 1_024 } });
  expect(editor.of("policy")[0]).toMatchObject({ completions: true, models: ["m"] });
  expect(metrics.unrest(["sessions"])).toEqual(["sessions{} 1"]);
  editor.client.end();
  await clock.advance(0);
  expect([editor.over, metrics.unrest(["sessions", "documents"])]).toEqual([{ done: true }, []]);
});

test("a trigger is answered in pieces and with one Completion", async () => {
  const { editor, trigger, answer } = await ready();
  await editor.say(opened("f(() => {\n\n"), trigger("t1", { offsetUtf16: 9, stream: true }));
  await answer("w1", ["\n  a();\n", "});"]);
  expect(editor.of("partial").map(({ text }) => text)).toEqual(["\n  a();", "\n});"]);
  expect(editor.ends("t1")).toMatchObject([
    { case: "completion", value: { outcome: Outcome.GENERATED, finish: Finish.STOP, items: [{ insertText: "\n  a();\n});" }] } },
  ]);
});

test("without streaming only the end is sent", async () => {
  const { editor, trigger, answer } = await ready();
  await editor.say(opened("const a = \n"), trigger("t1"));
  await answer("w1", ["1;\n"], "none");
  expect(editor.of("partial")).toEqual([]);
  expect(editor.ends("t1")).toHaveLength(1);
});

test("edits and triggers are taken in order, and the newest trigger wins", async () => {
  const { editor, trigger, answer, workers } = await ready();
  await editor.say(opened("const a = \n"), trigger("t1"), edits("b", 10, 10), trigger("t2", { version: 2n, offsetUtf16: 11 }));
  expect(editor.ends("t1")).toMatchObject([{ case: "nothing", value: { outcome: Outcome.SUPERSEDED } }]);
  const segments = workers.submitted("w1").segments.map(({ part }) => part.value);
  expect(segments).toContain("const a = b");
  await answer("w1", [".c;"]);
  expect(editor.ends("t2")).toMatchObject([{ case: "completion", value: { items: [{ insertText: ".c;" }] } }]);
});

test("Cancel ends its trigger once; for another, or a second time, it does nothing", async () => {
  const { editor, trigger, workers } = await ready();
  await editor.say(opened("const a = \n"), trigger("t1"));
  const cancel = (triggerId: string) => ({ case: "cancel", value: { triggerId } }) as const;
  await editor.say(cancel("other"), cancel("t1"), cancel("t1"));
  expect(editor.ends("t1")).toMatchObject([{ case: "nothing", value: { reason: Reason.CANCELLED, outcome: Outcome.CANCELLED } }]);
  expect(workers.stream("w1").of("cancel")).toHaveLength(1);
});

test("a closed document ends its trigger", async () => {
  const { editor, trigger } = await ready();
  await editor.say(opened("const a = \n"), trigger("t1"), { case: "documentClose", value: { documentId: "d1" } });
  expect(editor.ends("t1")).toMatchObject([{ case: "nothing", value: { outcome: Outcome.CANCELLED } }]);
});

test("a mirror that went wrong is told, refused, and healed by opening again", async () => {
  const { editor, trigger, answer } = await ready();
  const sha256After = new Uint8Array(createHash("sha256").update("other").digest());
  await editor.say(opened("const a = \n"), {
    case: "documentEdit",
    value: { documentId: "d1", baseVersion: 1n, version: 2n, edits: [], sha256After },
  });
  expect(editor.of("resync")).toMatchObject([{ documentId: "d1", heldVersion: 2n }]);
  await editor.say(trigger("t1", { version: 2n }));
  expect(editor.of("resync")).toHaveLength(2);
  expect(editor.ends("t1")).toMatchObject([{ case: "nothing", value: { reason: Reason.RESYNC_NEEDED, outcome: Outcome.REFUSED } }]);
  await editor.say(opened("const a = \n", 3n), trigger("t2", { version: 3n }));
  await answer("w1", ["1;"]);
  expect(editor.ends("t2")).toMatchObject([{ case: "completion" }]);
});

test("a refused trigger gets its Nothing, and is counted", async () => {
  const { editor, trigger, metrics } = await ready();
  await editor.say(opened("const a = \n"), trigger("t1", { offsetUtf16: 999 }));
  expect(editor.ends("t1")).toMatchObject([
    {
      case: "nothing",
      value: { reason: Reason.ERROR, outcome: Outcome.REFUSED, detail: expect.stringContaining("trigger.offset_utf16") },
    },
  ]);
  expect(metrics.count("outcomes_total", { outcome: "refused" })).toBe(1);
});

test("a second trigger of a live id is told apart from the end of the first", async () => {
  const { editor, trigger, answer } = await ready();
  await editor.say(opened("const a = \n"), trigger("t1"), trigger("t1"));
  expect(editor.ends("t1")).toEqual([]);
  expect(editor.of("status")).toMatchObject([{ kind: Status_Kind.INVALID, field: "trigger.trigger_id", triggerId: "t1" }]);
  await answer("w1", ["1;"]);
  expect(editor.ends("t1")).toMatchObject([{ case: "completion" }]);
});

test.each([
  ["a second hello", hello, "hello"],
  ["an empty message", { case: undefined }, "message"],
  ["context for a document that is not open", { case: "context", value: { documentId: "d9" } }, "context.document_id"],
  ["a report of no event", { case: "feedback", value: { completionId: "c1" } }, "feedback.event"],
  ["an edit inside a character", edits("😀", 1, 1), "document_edit.edits[0].start_utf16"],
] as const)("%s is refused by its field, and the session lives on", async (_, message, field) => {
  const { editor, trigger, answer } = await ready();
  await editor.say(opened("😀 const a = \n"), message);
  expect(editor.of("status")).toMatchObject([{ kind: Status_Kind.INVALID, field }]);
  await editor.say(opened("const a = \n"), trigger("t1"));
  await answer("w1", ["1;"]);
  expect(editor.ends("t1")).toMatchObject([{ case: "completion" }]);
});

function edits(text: string, startUtf16: number, endUtf16: number) {
  const value = { documentId: "d1", baseVersion: 1n, version: 2n, edits: [{ startUtf16, endUtf16, text }] };
  return { case: "documentEdit" as const, value };
}

test.each([
  ["a first message that is no hello", opened("a"), "invalid_request", "message"],
  ["a hello of another protocol", { case: "hello", value: { protocol: "9", sessionId: "s1" } }, "protocol", "hello.protocol"],
  ["a hello without a session", { case: "hello", value: { protocol: "1" } }, "invalid_request", "hello.session_id"],
] as const)("%s ends the session", async (_, message, code, field) => {
  const { session, metrics } = routed();
  const editor = session();
  await editor.say(message);
  expect(editor.over).toMatchObject({ done: true, error: { code } });
  expect(editor.over.error?.message).toContain(field);
  expect(metrics.unrest(["sessions"])).toEqual([]);
});

test("a client that half-closes is answered before the stream ends", async () => {
  const { editor, trigger, answer, clock } = await ready();
  await editor.say(opened("const a = \n"), trigger("t1"));
  editor.client.end();
  await clock.advance(0);
  expect(editor.over.done).toBe(false);
  await answer("w1", ["1;"]);
  expect(editor.ends("t1")).toMatchObject([{ case: "completion" }]);
  expect(editor.over.done).toBe(true);
});

test("a client that vanishes takes its triggers, documents and session with it", async () => {
  const { editor, trigger, workers, clock, metrics, router } = await ready();
  await editor.say(
    opened("const a = \n"),
    opened("b = \n", 1n, "d2"),
    trigger("t1"),
    trigger("t2", { documentId: "d2", offsetUtf16: 4 }),
  );
  expect(workers.stream("w1").of("submit")).toHaveLength(2);
  editor.cut();
  await clock.advance(0);
  expect(workers.stream("w1").of("cancel")).toHaveLength(2);
  for (const { id } of workers.stream("w1").of("submit")) workers.stream("w1").say({ case: "cancelAck", value: { id } });
  await clock.advance(100);
  expect(metrics.count("outcomes_total", { outcome: "cancelled" })).toBe(2);
  expect(metrics.unrest(["sessions", "documents", "queued"])).toEqual([]);
  expect(metrics.unrest(["parked_sessions"])).toEqual(["parked_sessions{} 1"]);
  await clock.advance(60_000);
  expect(metrics.unrest(["parked_sessions", "parked_bytes"])).toEqual([]);
  expect([router.rooms.settle.size, router.rooms.dispatch.outstanding, clock.waiting]).toEqual([0, 0, 0]);
});

test("what was shown may be reported, and another tenant's may not", async () => {
  const { editor, trigger, answer, session, metrics } = await ready();
  await editor.say(opened("const a = \n"), trigger("t1"));
  await answer("w1", ["1;"]);
  const [end] = editor.ends("t1");
  const completionId = end?.case === "completion" ? end.value.completionId : "";
  const report = { case: "feedback", value: { completionId, event: FeedbackEvent.ACCEPTED } } as const;
  const other = session("beta");
  await other.say(hello, report);
  expect(metrics.count("feedback_total")).toBe(0);
  await editor.say(report);
  expect(metrics.count("feedback_total", { event: "accepted" })).toBe(1);
  expect(editor.of("status")).toEqual([]);
});

test("a router that drains says so, serves on for the time it names, answers what is under way and ends", async () => {
  const { editor, trigger, answer, draining, clock, metrics } = await ready();
  draining.abort();
  await editor.say(opened("const a = \n"));
  expect(editor.of("status")).toMatchObject([{ kind: Status_Kind.DRAINING, graceMs: 2_000 }]);
  await clock.advance(1_900);
  await editor.say(trigger("t1"));
  await clock.advance(200);
  await editor.say(trigger("t2"));
  expect(editor.over.done).toBe(false);
  await answer("w1", ["1;"]);
  expect(editor.ends("t1")).toMatchObject([{ case: "completion" }]);
  expect(editor.ends("t2")).toEqual([]);
  expect(editor.over).toEqual({ done: true });
  expect(metrics.count("session_notices_total", { why: "draining" })).toBe(1);
});

test("a client that leaves when it is told does not wait for the end of the notice", async () => {
  const { editor, draining, clock } = await ready();
  draining.abort();
  await clock.advance(0);
  editor.client.end();
  await clock.advance(0);
  expect(editor.over).toEqual({ done: true });
});

test("two tenants with the same names never meet", async () => {
  const { editor, trigger, answer, session, workers } = await ready();
  const other = session("beta");
  await other.say(hello, opened("const a = \n"));
  await editor.say(opened("const a = \n"), trigger("t1"));
  await other.say(trigger("t1"));
  expect(editor.ends("t1")).toEqual([]);
  await answer("w1", ["1;"]);
  // The second asks for itself: neither superseded the first nor got its text.
  expect(other.ends("t1")).toMatchObject([{ case: "completion" }]);
  expect(
    workers
      .stream("w1")
      .of("submit")
      .map(({ cacheSalt }) => cacheSalt),
  ).toEqual(["default", "beta"]);
});
