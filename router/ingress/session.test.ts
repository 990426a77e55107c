// Sessions through the room's door: messages of a session in, triggers, mismatches and refusals out.

import { createHash } from "node:crypto";
import { setMaxListeners } from "node:events";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { seeded } from "../../lib/random.ts";
import {
  ContextSchema,
  DocumentEditSchema,
  DocumentOpenSchema,
  HelloSchema,
  Stability,
  TriggerKind,
  TriggerSchema,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { recordedMetrics } from "../../test/support/router.ts";
import { Retired, type Trigger } from "../completion.ts";
import { Ingress } from "./ingress.ts";

const sha256 = (text: string) => new Uint8Array(createHash("sha256").update(text, "utf8").digest());
const caller = new AbortController().signal;
// Shared by every case here, each of which listens once; arrival.test.ts shows that one that ended listens no more.
setMaxListeners(0, caller);
const textOf = ({ text }: Trigger) => ({ prefix: text.before(text.lengthBefore), suffix: text.after(text.lengthAfter) });

function ingressOf(sessionsMax = 4) {
  const metrics = recordedMetrics();
  const clock = new FakeClock();
  const ingress = new Ingress(
    {
      documentBytesMax: 1_000,
      documentsMax: 2,
      sessionsMax,
      resumeTtlMs: 60_000,
      resumeBytes: 4_000,
      deadlines: { autoMs: 500, invokedMs: 3_000, chatMs: 60_000 },
    },
    { clock, random: seeded(1), metrics: metrics.metrics },
  );
  return { ingress, metrics, clock };
}

const hello = (given: MessageInitShape<typeof HelloSchema> = {}) =>
  create(HelloSchema, { protocol: "1", client: "test", sessionId: "s1", ...given });

function sessionOf(tenant = "default") {
  const { ingress, metrics, clock } = ingressOf();
  const session = ingress.openSession(hello(), tenant);
  const open = (given: MessageInitShape<typeof DocumentOpenSchema> = {}) =>
    session.open(
      create(DocumentOpenSchema, {
        documentId: "d1",
        path: "a.ts",
        language: "typescript",
        version: 1n,
        text: "let a😀",
        ...given,
      }),
    );
  const edit = (given: MessageInitShape<typeof DocumentEditSchema> = {}) =>
    session.edit(create(DocumentEditSchema, { documentId: "d1", baseVersion: 1n, version: 2n, ...given }));
  const trigger = (given: MessageInitShape<typeof TriggerSchema> = {}) =>
    session.trigger(create(TriggerSchema, { documentId: "d1", version: 1n, offsetUtf16: 5, ...given }), caller);
  const live = (given: MessageInitShape<typeof TriggerSchema> = {}): Trigger => {
    const made = trigger(given);
    if ("heldVersion" in made) throw new Error(made.detail);
    return made;
  };
  return { ingress, metrics, clock, session, open, edit, trigger, live };
}

function refusal(act: () => unknown): { code: string; field: string | undefined } {
  try {
    act();
  } catch (thrown) {
    if (!(thrown instanceof SlipstreamError)) throw thrown;
    return { code: thrown.code, field: thrown.field };
  }
  throw new Error("nothing was thrown");
}

test.each<[name: string, given: MessageInitShape<typeof HelloSchema>, code: string, field: string]>([
  ["of another protocol", { protocol: "2" }, "protocol", "hello.protocol"],
  ["without a protocol", { protocol: "" }, "protocol", "hello.protocol"],
  ["without a session id", { sessionId: "" }, "invalid_request", "hello.session_id"],
  ["with a session id that is too long", { sessionId: "s".repeat(129) }, "invalid_request", "hello.session_id"],
  ["with a space in its session id", { sessionId: "s 1" }, "invalid_request", "hello.session_id"],
  ["with a client name that is too long", { client: "c".repeat(129) }, "invalid_request", "hello.client"],
  [
    "with too many labels",
    { labels: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`l${i}`, "x"])) },
    "invalid_request",
    "hello.labels",
  ],
])("a hello %s is refused, and no session is held", (_, given, code, field) => {
  const { ingress, metrics } = ingressOf();
  expect(refusal(() => ingress.openSession(hello(given), "default"))).toEqual({ code, field });
  expect(metrics.max("sessions")).toBe(0);
});

test("sessions are bounded, and a closed one makes room", () => {
  const { ingress, metrics } = ingressOf(2);
  const first = ingress.openSession(hello(), "default");
  ingress.openSession(hello({ sessionId: "s2" }), "default");
  expect(refusal(() => ingress.openSession(hello({ sessionId: "s3" }), "default")).code).toBe("overloaded");
  ingress.closeSession(first);
  ingress.openSession(hello({ sessionId: "s3" }), "default");
  expect(metrics.max("sessions")).toBe(2);
});

test("documents are bounded; opening an open one replaces it, closing makes room", () => {
  const { open, session, metrics, live, ingress } = sessionOf();
  expect(open()).toBeUndefined();
  expect(open({ documentId: "d2" })).toBeUndefined();
  expect(refusal(() => open({ documentId: "d3" }))).toEqual({ code: "overloaded", field: "document_open.document_id" });
  expect(open({ text: "again", version: 7n })).toBeUndefined();
  expect(textOf(live({ version: 7n })).prefix).toBe("again");
  session.close("d2");
  expect(open({ documentId: "d3" })).toBeUndefined();
  expect(metrics.max("documents")).toBe(2);
  ingress.closeSession(session);
  expect(metrics.unrest(["documents", "sessions"])).toEqual([]);
});

test.each<[name: string, given: MessageInitShape<typeof DocumentOpenSchema>, field: string]>([
  ["without an id", { documentId: "" }, "document_open.document_id"],
  ["with an id that is not ASCII", { documentId: "dé" }, "document_open.document_id"],
  ["with a path that is too long", { path: "p".repeat(4_097) }, "document_open.path"],
  ["with a language that is too long", { language: "l".repeat(65) }, "document_open.language"],
  ["that is too large", { text: "x".repeat(1_001) }, "document_open.text"],
])("a document %s is refused", (_, given, field) => {
  const { open, metrics } = sessionOf();
  expect(refusal(() => open(given))).toEqual({ code: "invalid_request", field });
  expect(metrics.max("documents")).toBe(0);
});

test("a document opened with another hash is not held, nor what was held before", () => {
  const { open, trigger, metrics, live } = sessionOf();
  open({ sha256: sha256("let a😀") });
  expect(textOf(live()).prefix).toBe("let a");
  expect(open({ sha256: sha256("x") })).toMatchObject({ heldVersion: 0n });
  expect(trigger()).toMatchObject({ heldVersion: 0n, detail: "the document is not open" });
  expect(metrics.unrest(["documents"])).toEqual([]);
});

test("a trigger has the document's text on both sides of its cursor, and the session's names", () => {
  const { open, live, clock } = sessionOf("acme");
  open();
  const made = live({ triggerId: "t1", offsetUtf16: 5 });
  expect(made).toMatchObject({
    id: "t1",
    tenant: "acme",
    session: "acme/s1",
    document: "acme/s1 d1",
    path: "a.ts",
    language: "typescript",
    kind: "auto",
    lane: "inline",
    stateless: false,
    receivedMs: clock.now(),
    deadlineMs: clock.now() + 500,
  });
  expect(textOf(made)).toEqual({ prefix: "let a", suffix: "😀" });
  expect(textOf(live({ offsetUtf16: 7 })).suffix).toBe("");
});

test("sessions and documents never make the same key, whatever their ids", () => {
  const { ingress } = ingressOf();
  const keys = [
    ["a", "b/c"],
    ["a/b", "c"],
  ].map(([sessionId = "", documentId = ""]) => {
    const session = ingress.openSession(hello({ sessionId }), "default");
    session.open(create(DocumentOpenSchema, { documentId, version: 1n }));
    const made = session.trigger(create(TriggerSchema, { documentId, version: 1n }), caller);
    return "heldVersion" in made ? made.detail : made.document;
  });
  expect(new Set(keys).size).toBe(2);
});

test.each<[name: string, given: MessageInitShape<typeof TriggerSchema>, heldVersion: bigint]>([
  ["for a document that is not open", { documentId: "d9" }, 0n],
  ["for an older version", { version: 0n }, 1n],
  ["for a version that is not there yet", { version: 2n }, 1n],
])("a trigger %s needs a resync", (_, given, heldVersion) => {
  const { open, trigger } = sessionOf();
  open();
  expect(trigger(given)).toMatchObject({ heldVersion });
});

test("nothing is answered from a stale mirror until the document is sent again", () => {
  const { open, edit, trigger, live } = sessionOf();
  open();
  expect(edit({ baseVersion: 5n, version: 6n })).toMatchObject({ heldVersion: 1n });
  expect(trigger()).toMatchObject({ heldVersion: 0n });
  open({ version: 6n });
  expect(textOf(live({ version: 6n })).prefix).toBe("let a");
  expect(edit({ documentId: "d9" })).toMatchObject({ heldVersion: 0n });
});

test.each<[name: string, given: MessageInitShape<typeof TriggerSchema>, code: string, field: string]>([
  ["past the end", { offsetUtf16: 8 }, "invalid_request", "trigger.offset_utf16"],
  ["inside a surrogate pair", { offsetUtf16: 6 }, "invalid_request", "trigger.offset_utf16"],
  ["of an unknown kind", { kind: 99 as TriggerKind }, "invalid_request", "trigger.kind"],
  ["of a kind that is reserved", { kind: TriggerKind.NEXT_EDIT }, "unsupported", "trigger.kind"],
  ["with an id that is too long", { triggerId: "t".repeat(129) }, "invalid_request", "trigger.trigger_id"],
])("a trigger %s is refused by its field", (_, given, code, field) => {
  const { open, trigger } = sessionOf();
  open();
  expect(refusal(() => trigger(given))).toEqual({ code, field });
});

test("an excluded document is never read by a trigger", () => {
  const { open, trigger } = sessionOf();
  open({ excluded: true });
  expect(refusal(() => trigger())).toEqual({ code: "permission_denied", field: "trigger.document_id" });
});

test("a flood of live triggers is refused beyond its bound, and room comes back as they end", () => {
  const { open, live, trigger, session } = sessionOf();
  open();
  const first = live();
  for (let i = 1; i < 32; i++) live();
  expect(refusal(() => trigger())).toEqual({ code: "overloaded", field: "trigger" });
  session.ended(first);
  expect(live().id).not.toBe(first.id);
});

test("a trigger id that is live is refused, also where the mirror is stale; it is free again when its trigger ended", () => {
  const { open, live, trigger, session } = sessionOf();
  open();
  const first = live({ triggerId: "t1" });
  expect(refusal(() => trigger({ triggerId: "t1" })).field).toBe("trigger.trigger_id");
  expect(refusal(() => trigger({ triggerId: "t1", version: 9n })).field).toBe("trigger.trigger_id");
  session.ended(first);
  expect(session.find("t1")).toBeUndefined();
  expect(session.find(live({ triggerId: "t1" }).id)?.id).toBe("t1");
});

test("a trigger retires the one that it names, in whichever document that is", () => {
  const { open, live } = sessionOf();
  open();
  open({ documentId: "d2" });
  const [other, bystander] = [live({ triggerId: "t1" }), live({ triggerId: "t2" })];
  live({ triggerId: "t3", documentId: "d2", supersedes: "t1" });
  expect(other.signal.reason).toBeInstanceOf(Retired);
  expect((other.signal.reason as Retired).outcome).toBe("superseded");
  expect(bystander.signal.aborted).toBe(false);
  expect(live({ triggerId: "t4", supersedes: "t4" }).signal.aborted).toBe(false);
});

test("closing a document ends its triggers and no others", () => {
  const { open, live, session } = sessionOf();
  open();
  open({ documentId: "d2" });
  const [mine, other] = [live({ triggerId: "t1" }), live({ triggerId: "t2", documentId: "d2" })];
  session.close("d1");
  expect((mine.signal.reason as Retired).outcome).toBe("cancelled");
  expect(other.signal.aborted).toBe(false);
});

test("context belongs to an open document and travels with its triggers until it closes", () => {
  const { open, live, session } = sessionOf();
  const context = (documentId: string, count = 1) =>
    session.context(
      create(ContextSchema, {
        documentId,
        snippets: Array.from({ length: count }, (_, i) => ({
          path: `b${i}.ts`,
          text: "x",
          score: Number.NaN,
          stability: Stability.VOLATILE,
        })),
      }),
    );
  expect(refusal(() => context("d1")).field).toBe("context.document_id");
  open();
  expect(refusal(() => context("d1", 65)).field).toBe("context.snippets");
  context("d1");
  expect(live().snippets).toEqual([{ path: "b0.ts", text: "x", score: 0, stable: false }]);
  session.close("d1");
  open();
  expect(live().snippets).toEqual([]);
});
