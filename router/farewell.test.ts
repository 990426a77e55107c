// How streams end and go on: by age, by drain, by a newer stream, by a break; with a whole router and scripted workers.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { Outcome, Reason, Status_Kind, TriggerKind } from "../proto/gen/slipstream/v1/completion_pb.ts";
import { hello, opened, routed } from "../test/support/routed.ts";

const sha256 = (text: string) => new Uint8Array(createHash("sha256").update(text, "utf8").digest());
const helloWith = (resumeToken: string, sessionId = "s1") =>
  ({ case: "hello", value: { protocol: "1", client: "test", sessionId, resumeToken } }) as const;
const trigger = (triggerId: string, given: object = {}) =>
  ({
    case: "trigger",
    value: { triggerId, documentId: "d1", version: 1n, offsetUtf16: 10, kind: TriggerKind.INVOKED, ...given },
  }) as const;

async function ready(given: Parameters<typeof routed>[0] = {}) {
  const made = routed(given);
  await made.workers.welcome("w1");
  const connect = async (resumeToken = "", tenant = "default", sessionId = "s1") => {
    const editor = made.session(tenant);
    await editor.say(helloWith(resumeToken, sessionId));
    const [welcome] = editor.of("welcome");
    return { ...editor, token: welcome?.resumeToken ?? "", held: welcome?.held ?? [] };
  };
  const broken = async (editor: { cut: () => void }) => {
    editor.cut();
    await made.clock.advance(100);
  };
  return { ...made, connect, broken };
}

test("a client that comes back with its token finds its documents as they were, and goes on without sending them", async () => {
  const { connect, broken, answer, metrics } = await ready();
  const first = await connect();
  expect(first.token).toMatch(/^[0-9a-f]{32}$/);
  await first.say(opened("const a = \n"), opened("other", 7n, "d2"));
  await broken(first);
  const second = await connect(first.token);
  expect(second.token).not.toBe(first.token);
  expect(second.held).toMatchObject([
    { documentId: "d1", version: 1n, sha256: sha256("const a = \n") },
    { documentId: "d2", version: 7n, sha256: sha256("other") },
  ]);
  const edits = [{ startUtf16: 10, endUtf16: 10, text: "b" }];
  await second.say(
    { case: "documentEdit", value: { documentId: "d1", baseVersion: 1n, version: 2n, edits } },
    trigger("t1", { version: 2n, offsetUtf16: 11 }),
  );
  await answer("w1", [".c;"]);
  expect(second.ends("t1")).toMatchObject([{ case: "completion" }]);
  expect(metrics.count("sessions_opened_total", { how: "resumed" })).toBe(1);
  expect(metrics.unrest(["documents", "parked_sessions"])).toEqual(["documents{} 2"]);
});

test.each<[name: string, token: (good: string) => string, tenant: string, waitMs: number]>([
  ["a wrong token", () => "0".repeat(32), "default", 0],
  ["no token", () => "", "default", 0],
  ["half a token", (good) => good.slice(0, 16), "default", 0],
  ["a token that is too old", (good) => good, "default", 60_000],
  ["another tenant's token", (good) => good, "beta", 0],
])("%s makes a fresh session, never an error", async (_, token, tenant, waitMs) => {
  const { connect, broken, clock } = await ready();
  const first = await connect();
  await first.say(opened("const a = \n"));
  await broken(first);
  await clock.advance(waitMs);
  const second = await connect(token(first.token), tenant);
  expect([second.held, second.over.done]).toEqual([[], false]);
  await second.say(trigger("t1"));
  expect(second.ends("t1")).toMatchObject([{ case: "nothing", value: { reason: Reason.RESYNC_NEEDED } }]);
});

test("a token serves once: what was resumed is held by the new stream alone", async () => {
  const { connect, broken } = await ready();
  const first = await connect();
  await first.say(opened("const a = \n"));
  await broken(first);
  const second = await connect(first.token);
  expect(second.held).toHaveLength(1);
  await broken(second);
  expect((await connect(first.token)).held).toEqual([]);
  // Whoever came with the wrong one took nothing away from the one who has the right one.
  expect((await connect(second.token)).held).toHaveLength(1);
});

test("what is under way when a stream breaks ends as cancelled, and the one after it asks anew", async () => {
  const { connect, broken, metrics, workers } = await ready();
  const first = await connect();
  await first.say(opened("const a = \n"), trigger("t1"));
  await broken(first);
  expect(metrics.count("outcomes_total", { outcome: "cancelled" })).toBe(1);
  const second = await connect(first.token);
  await second.say(trigger("t1"));
  expect(workers.stream("w1").of("submit")).toHaveLength(2);
});

test("a newer stream of a session takes its place at once, and with its token its documents", async () => {
  const { connect, clock, metrics, answer } = await ready();
  const first = await connect();
  await first.say(opened("const a = \n"), trigger("t1"));
  const second = await connect(first.token);
  await clock.advance(0);
  expect(first.ends("t1")).toMatchObject([{ case: "nothing", value: { outcome: Outcome.CANCELLED } }]);
  expect(first.of("status")).toMatchObject([{ kind: Status_Kind.RECONNECT, graceMs: 0 }]);
  expect(first.over).toEqual({ done: true });
  expect(second.held).toHaveLength(1);
  await second.say(trigger("t2"));
  await answer("w1", ["1;"]);
  expect(second.ends("t2")).toMatchObject([{ case: "completion" }]);
  expect(metrics.unrest(["sessions", "parked_sessions"])).toEqual(["sessions{} 1"]);
  // The older one's end takes nothing from the newer one.
  second.cut();
  await clock.advance(0);
  expect(metrics.unrest(["sessions", "documents"])).toEqual([]);
});

test("a newer stream without the token takes the name, not the documents", async () => {
  const { connect, clock } = await ready();
  const first = await connect();
  await first.say(opened("const a = \n"));
  const second = await connect("guess");
  await clock.advance(0);
  expect([first.over.done, second.held]).toEqual([true, []]);
});

test("another tenant's session of the same name stands beside it", async () => {
  const { connect, clock } = await ready();
  const first = await connect();
  await connect("", "beta");
  await clock.advance(0);
  expect(first.over.done).toBe(false);
});

test("an old connection is told at its age, give or take a tenth, served on and then ended", async () => {
  const { connect, clock, answer } = await ready({ connectionAgeMaxMs: 100_000 });
  const editors = [await connect("", "default", "a"), await connect("", "default", "b"), await connect("", "default", "c")];
  const ages = editors.map(({ of }) => of("welcome")[0]?.maxConnectionAgeMs ?? 0);
  expect(new Set(ages).size).toBe(3);
  for (const age of ages) {
    expect(age).toBeGreaterThanOrEqual(90_000);
    expect(age).toBeLessThanOrEqual(110_000);
  }
  const [editor] = editors as [(typeof editors)[number]];
  await editor.say(opened("const a = \n"));
  await clock.advance((ages[0] ?? 0) - 1);
  expect(editor.of("status")).toEqual([]);
  await clock.advance(1);
  expect(editor.of("status")).toMatchObject([{ kind: Status_Kind.RECONNECT, graceMs: 2_000 }]);
  await editor.say(trigger("t1"));
  await answer("w1", ["1;"]);
  expect(editor.ends("t1")).toMatchObject([{ case: "completion" }]);
  await clock.advance(1_999);
  expect(editor.over.done).toBe(false);
  await clock.advance(1);
  expect(editor.over).toEqual({ done: true });
  expect((await connect(editor.token, "default", "a")).held).toHaveLength(1);
});

test("by default no connection is too old", async () => {
  const { connect, clock } = await ready();
  const editor = await connect();
  await clock.advance(30 * 86_400_000);
  expect([editor.of("welcome")[0]?.maxConnectionAgeMs, editor.of("status"), editor.over.done]).toEqual([0, [], false]);
});

test("a stream that says no hello is ended with the reason, and nothing of it stays", async () => {
  const { session, clock, metrics } = await ready();
  const editor = session();
  await clock.advance(9_999);
  expect(editor.over.done).toBe(false);
  await clock.advance(1);
  expect(editor.over).toMatchObject({ done: true, error: { code: "invalid_request" } });
  expect(editor.over.error?.message).toContain("hello: did not come within 10000 ms");
  expect(metrics.unrest(["sessions"])).toEqual([]);
});

test("a stream that opens while the router drains is told at once", async () => {
  const { session, draining, clock } = await ready();
  draining.abort();
  const editor = session();
  await editor.say(hello);
  expect(editor.heard.map((message) => message.case)).toEqual(["status", "welcome", "policy"]);
  await clock.advance(2_000);
  expect(editor.over).toEqual({ done: true });
});
