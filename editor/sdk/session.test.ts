import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { CompletionSchema, Outcome, Reason, Status_Kind } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { RouterEnd } from "../../test/support/router-end.ts";
import type { Answer } from "./answer.ts";

const file = { id: "d", path: "src/a.ts", language: "typescript", text: "const a = ;\n" };
const sha256 = (text: string) => new Uint8Array(createHash("sha256").update(text).digest());
const completion = (triggerId: string, text: string) =>
  ({
    case: "completion",
    value: create(CompletionSchema, {
      triggerId,
      completionId: `c-${triggerId}`,
      items: [{ insertText: text }],
      outcome: Outcome.GENERATED,
    }),
  }) as const;
const now = async (end: RouterEnd, answer: Promise<Answer>): Promise<Answer | "waits"> => {
  await end.clock.advance(5);
  return Promise.race([answer, Promise.resolve("waits" as const)]);
};

test("a document is opened, edited by UTF-16 units and hashed as the router does it", async () => {
  const end = await new RouterEnd().ready();
  const document = end.session.open(file);
  document.edit([{ start: 10, end: 10, text: "😀" }]);
  document.edit([{ start: 12, end: 12, text: "!" }], "paste");
  await end.clock.advance(5);
  const [open] = end.last.all("documentOpen");
  expect([open?.text, open?.version, open?.sha256]).toEqual([file.text, 1n, sha256(file.text)]);
  const [first, second] = end.last.all("documentEdit");
  expect([first?.baseVersion, first?.version, first?.sha256After]).toEqual([1n, 2n, sha256("const a = 😀;\n")]);
  expect([second?.edits[0]?.startUtf16, second?.origin]).toEqual([12, 2]);
  expect(document.text).toBe("const a = 😀!;\n");
});

test("an edit out of range is refused by its number and changes nothing", async () => {
  const end = await new RouterEnd().ready();
  const document = end.session.open(file);
  expect(() =>
    document.edit([
      { start: 0, end: 0, text: "x" },
      { start: 40, end: 41, text: "" },
    ]),
  ).toThrow("edits[1]");
  expect([document.text, document.version]).toEqual([file.text, 1n]);
  expect(() => end.session.ask(document, { offset: 99 })).toThrow("offset: 99");
});

test("a trigger streams its pieces and ends with one answer; numbers only grow", async () => {
  const end = await new RouterEnd().ready();
  const document = end.session.open(file);
  const asked = end.session.ask(document, { offset: 10, kind: "invoked", deadlineMs: 900, stream: true, maxTokens: 7 });
  const newer = end.session.ask(document, { offset: 10 });
  await end.clock.advance(5);
  const [first, second] = end.last.all("trigger");
  expect(first).toMatchObject({ triggerId: asked.triggerId, offsetUtf16: 10, kind: 2, deadlineMs: 900, stream: true });
  expect(first?.sampling?.maxTokens).toBe(7);
  expect(second?.sequence).toBe((first?.sequence ?? 0n) + 1n);
  end.last.say({ case: "partial", value: { triggerId: asked.triggerId, text: "4" } });
  end.last.say({ case: "partial", value: { triggerId: asked.triggerId, text: "2" } });
  end.last.say(completion(asked.triggerId, "42"));
  end.last.say({
    case: "nothing",
    value: { triggerId: newer.triggerId, reason: Reason.GATED, outcome: Outcome.GATED, retryAfterMs: 5 },
  });
  await end.clock.advance(5);
  const pieces: string[] = [];
  for await (const piece of asked.pieces) pieces.push(piece);
  expect(pieces).toEqual(["4", "2"]);
  expect(await asked.answer).toMatchObject({
    type: "completion",
    items: [{ text: "42", start: 10, end: 10 }],
    outcome: "generated",
  });
  expect(await newer.answer).toMatchObject({ type: "nothing", reason: "gated", retryAfterMs: 5 });
});

test("a cancel is told, and the router's word ends it; an aborted signal does the same", async () => {
  const end = await new RouterEnd().ready();
  const document = end.session.open(file);
  const gone = new AbortController();
  const [one, two] = [end.session.ask(document, { offset: 1 }), end.session.ask(document, { offset: 1, signal: gone.signal })];
  one.cancel();
  gone.abort();
  await end.clock.advance(5);
  expect(end.last.all("cancel").map(({ triggerId }) => triggerId)).toEqual([one.triggerId, two.triggerId]);
  const nothing = { triggerId: one.triggerId, reason: Reason.CANCELLED, outcome: Outcome.CANCELLED };
  end.last.say({ case: "nothing", value: nothing });
  expect(await now(end, one.answer)).toMatchObject({ reason: "cancelled" });
  expect(await now(end, two.answer)).toBe("waits");
});

test("a resync sends the text again and asks once more; a second one is an answer", async () => {
  const end = await new RouterEnd().ready();
  const document = end.session.open(file);
  const { triggerId, answer } = end.session.ask(document, { offset: 1 });
  const refuse = () => {
    end.last.say({ case: "resync", value: { documentId: "d" } });
    end.last.say({ case: "nothing", value: { triggerId, reason: Reason.RESYNC_NEEDED, outcome: Outcome.REFUSED } });
  };
  refuse();
  expect(await now(end, answer)).toBe("waits");
  await end.clock.advance(5);
  expect([end.last.all("documentOpen").length, end.last.all("trigger").length]).toEqual([2, 2]);
  refuse();
  expect(await now(end, answer)).toMatchObject({ reason: "resync_needed" });
});

test("a broken connection is made anew with the token; held documents are not sent, the trigger is asked again", async () => {
  const end = await new RouterEnd().ready("first");
  const document = end.session.open(file);
  end.session.open({ ...file, id: "e" });
  const { answer, triggerId } = end.session.ask(document, { offset: 1, deadlineMs: 5_000 });
  await end.clock.advance(5);
  end.last.pipe.cut();
  expect(await now(end, answer)).toBe("waits");
  await end.clock.advance(300);
  expect(end.last.all("hello")[0]?.resumeToken).toBe("first");
  expect(end.last.all("trigger")).toEqual([]);
  end.last.welcome("second", [{ documentId: "d", version: 1n, sha256: sha256(file.text) }]);
  await end.clock.advance(5);
  expect(end.last.all("documentOpen").map(({ documentId }) => documentId)).toEqual(["e"]);
  const [again] = end.last.all("trigger");
  expect(again?.triggerId).toBe(triggerId);
  expect(again?.deadlineMs).toBeLessThan(4_900);
  end.last.say(completion(triggerId, "x"));
  expect(await now(end, answer)).toMatchObject({ type: "completion" });
  expect(end.streams[0]?.closed).toBe(true);
});

test("a trigger with text, or of an older text, is lost with its connection", async () => {
  const end = await new RouterEnd().ready();
  const document = end.session.open(file);
  const [begun, older] = [end.session.ask(document, { offset: 1, stream: true }), end.session.ask(document, { offset: 2 })];
  document.edit([{ start: 0, end: 0, text: "/" }]);
  end.last.say({ case: "partial", value: { triggerId: begun.triggerId, text: "4" } });
  await end.clock.advance(5);
  end.last.pipe.cut();
  expect(await now(end, begun.answer)).toMatchObject({ reason: "lost" });
  expect(await now(end, older.answer)).toMatchObject({ reason: "lost" });
});

test("without a router triggers are answered at once, edits are kept, and the pauses grow with chance in them", async () => {
  const end = new RouterEnd({ backoff: { firstMs: 1_000, maxMs: 8_000 } });
  end.down = true;
  end.last.pipe.cut();
  await end.clock.advance(10);
  expect(end.session.state.is).toBe("offline");
  const document = end.session.open(file);
  document.edit([{ start: 0, end: 0, text: "//" }]);
  const answer = await end.session.ask(document, { offset: 1 }).answer;
  expect(answer).toMatchObject({ type: "nothing", reason: "offline", detail: expect.stringContaining("broke") });
  await end.clock.advance(60_000);
  const pauses = end.states.filter((is) => is === "offline").length;
  expect(pauses).toBeGreaterThan(6);
  expect(pauses).toBeLessThan(20);
  end.down = false;
  await end.clock.advance(8_000);
  end.last.welcome();
  await end.clock.advance(5);
  expect(end.last.all("documentOpen")[0]).toMatchObject({ text: `//${file.text}`, version: 2n });
});

test("a person who asks is not kept waiting by a long pause", async () => {
  const end = new RouterEnd({ backoff: { firstMs: 60_000, maxMs: 60_000 } });
  end.last.pipe.cut();
  await end.clock.advance(2_000);
  const document = end.session.open(file);
  expect(end.streams).toHaveLength(1);
  end.session.ask(document, { offset: 1, kind: "invoked" });
  expect(end.streams).toHaveLength(2);
});

test("a drain notice is honoured: the old stream serves until the new one is welcome, and what it has is still answered", async () => {
  const end = await new RouterEnd().ready();
  const document = end.session.open(file);
  const before = end.session.ask(document, { offset: 1 });
  const old = end.last;
  old.say({ case: "status", value: { kind: Status_Kind.DRAINING, graceMs: 10_000 } });
  await end.clock.advance(2_100);
  expect(end.streams).toHaveLength(2);
  document.edit([{ start: 0, end: 0, text: "/" }]);
  const during = end.session.ask(document, { offset: 2 });
  await end.clock.advance(5);
  expect(old.all("trigger").map(({ triggerId }) => triggerId)).toEqual([before.triggerId, during.triggerId]);
  // Answers may cross the move.
  old.say(completion(before.triggerId, "old"));
  expect(await now(end, before.answer)).toMatchObject({ items: [{ text: "old" }] });
  end.last.welcome();
  await end.clock.advance(5);
  expect(end.last.all("documentOpen")[0]?.text).toBe(`/${file.text}`);
  // The old stream ended without an answer: it is asked again here.
  await end.clock.advance(5);
  expect(end.last.all("trigger").map(({ triggerId }) => triggerId)).toEqual([during.triggerId]);
  expect(end.session.state.is).toBe("ready");
});

test("a drained stream that ends before the next one is welcome leaves a trigger waiting, not refused", async () => {
  const end = await new RouterEnd().ready();
  const document = end.session.open(file);
  const old = end.last;
  old.say({ case: "status", value: { kind: Status_Kind.DRAINING, graceMs: 10_000 } });
  await end.clock.advance(2_100);
  expect(end.streams).toHaveLength(2);
  old.pipe.cut();
  await end.clock.advance(5);
  expect(end.session.state.is).toBe("connecting");
  const { answer, triggerId } = end.session.ask(document, { offset: 1, deadlineMs: 5_000 });
  expect(await now(end, answer)).toBe("waits");
  end.last.welcome();
  await end.clock.advance(5);
  expect(end.last.all("trigger").map((each) => each.triggerId)).toEqual([triggerId]);
  end.last.say(completion(triggerId, "x"));
  expect(await now(end, answer)).toMatchObject({ type: "completion" });
});

test("where no other router is, each stream is told as it opens, and the next is welcome before it ends", async () => {
  const end = await new RouterEnd().ready();
  const told = { case: "status", value: { kind: Status_Kind.DRAINING, graceMs: 2_000 } } as const;
  end.last.say(told);
  for (let streams = 2; streams <= 5; streams++) {
    await end.clock.advance(900);
    // One that was told as it opened is no haste: that would be a storm of streams.
    if (streams > 2) expect(end.streams).toHaveLength(streams - 1);
    await end.clock.advance(700);
    expect(end.streams).toHaveLength(streams);
    end.last.say(told);
    end.last.welcome();
    await end.clock.advance(5);
    expect(end.session.state.is).toBe("ready");
  }
  expect(new Set(end.states)).toEqual(new Set(["ready"]));
});

test.each([
  ["before the new stream is welcome", false],
  ["after it", true],
])("what a router ends because the session has a newer stream is asked again there; told %s", async (_, after) => {
  const end = await new RouterEnd().ready();
  const document = end.session.open(file);
  const other = end.session.open({ ...file, id: "e", path: "src/e.ts" });
  const { answer, triggerId } = end.session.ask(document, { offset: 1, kind: "invoked", deadlineMs: 5_000 });
  const unwanted = end.session.ask(other, { offset: 1 });
  const old = end.last;
  await end.clock.advance(5);
  old.say({ case: "status", value: { kind: Status_Kind.DRAINING, graceMs: 2_000 } });
  await end.clock.advance(600);
  expect(end.streams).toHaveLength(2);
  unwanted.cancel();
  await end.clock.advance(5);
  const cancelled = (id: string) =>
    ({ case: "nothing", value: { triggerId: id, reason: Reason.CANCELLED, outcome: Outcome.CANCELLED } }) as const;
  if (after) end.last.welcome();
  await end.clock.advance(5);
  old.say(cancelled(triggerId));
  old.say(cancelled(unwanted.triggerId));
  await end.clock.advance(5);
  if (!after) end.last.welcome();
  await end.clock.advance(5);
  expect(end.last.all("trigger").map((each) => each.triggerId)).toEqual([triggerId]);
  expect(await now(end, unwanted.answer)).toMatchObject({ type: "nothing", outcome: "cancelled" });
  end.last.say(completion(triggerId, "x"));
  expect(await now(end, answer)).toMatchObject({ type: "completion" });
});

test("a stream that its own successor took the place of, before that is welcome, is no end of the session", async () => {
  const end = await new RouterEnd().ready();
  const document = end.session.open(file);
  const old = end.last;
  old.say({ case: "status", value: { kind: Status_Kind.RECONNECT, graceMs: 2_000 } });
  await end.clock.advance(600);
  expect(end.streams).toHaveLength(2);
  old.say({ case: "status", value: { kind: Status_Kind.RECONNECT, graceMs: 0 } });
  old.pipe.server.end();
  await end.clock.advance(5);
  const { answer, triggerId } = end.session.ask(document, { offset: 1, deadlineMs: 5_000 });
  end.last.welcome();
  await end.clock.advance(5);
  expect(end.session.state.is).toBe("ready");
  end.last.say(completion(triggerId, "x"));
  expect(await now(end, answer)).toMatchObject({ type: "completion" });
});

test("a session that a newer stream took over does not come back", async () => {
  const end = await new RouterEnd().ready();
  end.last.say({ case: "status", value: { kind: Status_Kind.RECONNECT, graceMs: 0 } });
  await end.clock.advance(120_000);
  expect([end.session.state, end.streams.length]).toEqual([{ is: "closed", why: "replaced" }, 1]);
  const document = end.session.open(file);
  expect(await end.session.ask(document, { offset: 1 }).answer).toMatchObject({ reason: "closed" });
});

test("limits hold: documents, their size, triggers, edits in one message, excluded text", async () => {
  const refused: string[] = [];
  const end = await new RouterEnd({}, { refused: (field) => void refused.push(field) }).ready();
  const large = end.session.open({ ...file, id: "large", text: "x".repeat(1_001) });
  expect(await end.session.ask(large, { offset: 0 }).answer).toMatchObject({ reason: "too_large" });
  large.edit([{ start: 0, end: 10, text: "" }]);
  const secret = end.session.open({ ...file, id: "secret", text: "KEY=1", excluded: true });
  expect(await end.session.ask(secret, { offset: 0 }).answer).toMatchObject({ reason: "excluded" });
  const document = end.session.open(file);
  document.edit(Array.from({ length: 5 }, () => ({ start: 0, end: 0, text: "x" })));
  end.session.open({ ...file, id: "fourth" });
  expect(() => end.session.open({ ...file, id: "fifth" })).toThrow("more than 4 documents");
  for (let i = 0; i < 32; i++) end.session.ask(document, { offset: 0 });
  expect(await end.session.ask(document, { offset: 0 }).answer).toMatchObject({ reason: "busy" });
  await end.clock.advance(5);
  const opened = end.last.all("documentOpen").map(({ documentId, text }) => [documentId, text.length]);
  expect(opened).toEqual([
    ["large", 991],
    ["secret", 0],
    ["d", 12],
    ["d", 17],
    ["fourth", 12],
  ]);
  expect(end.last.all("documentEdit")).toEqual([]);
  end.last.say({ case: "status", value: { kind: Status_Kind.INVALID, field: "document_open.path", detail: "no" } });
  await end.clock.advance(5);
  expect(refused).toEqual(["document_open.path"]);
});

test("closing ends what is under way, tells the router, and leaves no timer", async () => {
  const end = await new RouterEnd().ready();
  const document = end.session.open(file);
  const { answer } = end.session.ask(document, { offset: 1 });
  end.session.close();
  expect(await now(end, answer)).toMatchObject({ reason: "closed" });
  await end.clock.advance(20_000);
  expect([end.clock.waiting, end.states.at(-1), end.last.closed]).toEqual([0, "closed", true]);
});
