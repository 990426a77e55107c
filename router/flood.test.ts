// What a session may do to a router: floods, clients that do not read, streams that hang half open, clocks that jump. Memory
// stays flat, others are served on; with a whole router and scripted workers.

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { Duplex } from "../lib/grpc/duplex.ts";
import {
  type ClientMessage,
  ClientMessageSchema,
  Outcome,
  Reason,
  type ServerMessage,
  TriggerKind,
} from "../proto/gen/slipstream/v1/completion_pb.ts";
import { hello, opened, routed } from "../test/support/routed.ts";
import { runSession } from "./session-service.ts";

type Message = MessageInitShape<typeof ClientMessageSchema>;

const trigger = (triggerId: string, given: object = {}) =>
  ({
    case: "trigger",
    value: { triggerId, documentId: "d1", version: 1n, offsetUtf16: 10, kind: TriggerKind.INVOKED, ...given },
  }) as const;

async function ready(given: Parameters<typeof routed>[0] = {}) {
  const made = routed(given);
  await made.workers.welcome("w1");
  const connect = async (sessionId: string) => {
    const editor = made.session();
    await editor.say({ case: "hello", value: { protocol: "1", client: "test", sessionId } }, opened("const a = \n"));
    return editor;
  };
  return { ...made, connect };
}

test("triggers over the rate are refused with the time to wait, each by name, and another session does not notice", async () => {
  const { connect, clock, answer, workers } = await ready();
  const [flood, other] = [await connect("flood"), await connect("other")];
  const ids = Array.from({ length: 350 }, (_, i) => `t${i}`);
  await flood.say(...ids.map((id) => trigger(id)));
  const refused = flood.of("nothing").filter(({ reason }) => reason === Reason.QUOTA);
  expect(refused).toHaveLength(50);
  expect(refused[0]).toMatchObject({ outcome: Outcome.REFUSED, detail: expect.stringContaining("150 a second") });
  expect(refused[0]?.retryAfterMs).toBeGreaterThan(0);
  // Every one has its end but the newest that was let in.
  expect(new Set(flood.of("nothing").map(({ triggerId }) => triggerId)).size).toBe(349);
  for (const { id } of workers.stream("w1").of("cancel")) workers.stream("w1").say({ case: "cancelAck", value: { id } });
  await other.say(trigger("mine"));
  await answer("w1", ["1;"]);
  expect(other.ends("mine")).toMatchObject([{ case: "completion" }]);
  await clock.advance(1_000);
  await flood.say(trigger("later"));
  expect(flood.ends("later")).toMatchObject([{ case: "completion" }]);
});

test("who sends more text than an editor does is read more slowly, and nothing is lost", async () => {
  const { connect, clock, answer } = await ready();
  const [flood, other] = [await connect("flood"), await connect("other")];
  const text = "x".repeat(1 << 20);
  const opens = Array.from({ length: 40 }, (_, i) => opened(text, BigInt(i + 2)));
  await flood.say(...opens, trigger("last", { version: 41n }));
  expect(flood.ends("last")).toEqual([]);
  await other.say(trigger("mine", { offsetUtf16: 999 }));
  expect(other.ends("mine")).toHaveLength(1);
  await clock.advance(7_000);
  await answer("w1", ["1;"]);
  expect(flood.ends("last")).toMatchObject([{ case: "completion" }]);
  expect([flood.of("resync"), flood.of("status")]).toEqual([[], []]);
});

test.each<
  [name: string, message: Parameters<Awaited<ReturnType<Awaited<ReturnType<typeof ready>>["connect"]>>["say"]>[0], field: string]
>([
  ["a document over the size", opened("x".repeat((2 << 20) + 1)), "document_open.text"],
  ["an edit past the end", edit(1_000, 1_000, "x"), "document_edit.edits[0].start_utf16"],
  ["an edit that makes the document too large", edit(0, 0, "x".repeat(2 << 20)), "document_edit.edits"],
])("%s is refused by its field, and the mirror stays as it was", async (_, message, field) => {
  const { connect, answer } = await ready();
  const editor = await connect("s");
  await editor.say(message);
  expect(editor.of("status")).toMatchObject([{ field }]);
  await editor.say(trigger("t1"));
  await answer("w1", ["1;"]);
  expect(editor.ends("t1")).toMatchObject([{ case: "completion" }]);
});

function edit(startUtf16: number, endUtf16: number, text: string) {
  const value = { documentId: "d1", baseVersion: 1n, version: 2n, edits: [{ startUtf16, endUtf16, text }] };
  return { case: "documentEdit" as const, value };
}

test("of a document that was never opened, edits, triggers and context are each told", async () => {
  const { connect } = await ready();
  const editor = await connect("s");
  await editor.say(
    { case: "documentEdit", value: { documentId: "d9", baseVersion: 1n, version: 2n } },
    trigger("t1", { documentId: "d9" }),
    { case: "context", value: { documentId: "d9" } },
    { case: "documentClose", value: { documentId: "d9" } },
  );
  expect(editor.of("resync")).toMatchObject([
    { documentId: "d9", heldVersion: 0n },
    { documentId: "d9", heldVersion: 0n },
  ]);
  expect(editor.ends("t1")).toMatchObject([{ case: "nothing", value: { reason: Reason.RESYNC_NEEDED } }]);
  expect(editor.of("status")).toMatchObject([{ field: "context.document_id" }]);
});

test("streams that hang half open are let go, and make room", async () => {
  const { session, connect, clock, metrics } = await ready({ sessionsMax: 2 });
  const silent = Array.from({ length: 50 }, () => session());
  await clock.advance(10_000);
  expect(silent.every(({ over }) => over.done)).toBe(true);
  const editors = [await connect("a"), await connect("b")];
  expect(editors.map(({ over }) => over.done)).toEqual([false, false]);
  expect(metrics.unrest(["sessions"])).toEqual(["sessions{} 2"]);
});

test("a client's clock may say anything: its triggers are answered all the same", async () => {
  const { connect, answer } = await ready();
  const editor = await connect("s");
  let version = 1n;
  for (const clientTimeUs of [1n, 2n ** 63n, 0n, 5n, 2n ** 64n - 1n]) {
    const value = {
      documentId: "d1",
      baseVersion: version,
      version: ++version,
      edits: [{ startUtf16: 0, endUtf16: 0, text: "x" }],
    };
    await editor.say({ case: "documentEdit", value: { ...value, clientTimeUs, origin: 1 } });
    await editor.say(trigger(`t${version}`, { version }));
    await answer("w1", ["1;"]);
    expect(editor.ends(`t${version}`)).toMatchObject([{ case: "completion" }]);
  }
});

test("of a client that does not read its answers no further message is taken, until it reads or its time is over", async () => {
  const { router, clock, draining, metrics } = await ready();
  const { signal } = new AbortController();
  let [taken, reads] = [0, () => {}];
  const answers: ServerMessage[] = [];
  async function* frames() {
    for (const message of [hello, opened("const a = \n")]) yield create(ClientMessageSchema, { message } as Message);
    for (;;) {
      taken += 1;
      yield create(ClientMessageSchema, { message: trigger(`t${taken}`) });
    }
  }
  const stream: Duplex<ClientMessage, ServerMessage> = {
    frames: frames(),
    send: (message) => answers.push(message) > 0,
    drained: () =>
      taken < 5
        ? Promise.resolve()
        : new Promise((resolve) => {
            reads = resolve;
          }),
    end: () => {},
    signal,
  };
  const over = runSession(router, stream, "default");
  await clock.advance(60_000);
  expect(taken).toBe(5);
  expect(answers.length).toBeLessThan(20);
  reads();
  await clock.advance(60_000);
  expect(taken).toBe(6);
  draining.abort();
  await clock.advance(2_000);
  await over;
  expect(metrics.unrest(["sessions", "documents"])).toEqual([]);
});
