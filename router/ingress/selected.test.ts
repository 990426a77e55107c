import { setMaxListeners } from "node:events";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { SlipstreamError } from "../../lib/errors.ts";
import { seeded } from "../../lib/random.ts";
import {
  DocumentEditSchema,
  DocumentOpenSchema,
  EditOrigin,
  HelloSchema,
  TriggerKind,
  TriggerSchema,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { recordedMetrics } from "../../test/support/router.ts";
import { Ingress } from "./ingress.ts";

const caller = new AbortController().signal;
// Shared by every case here, each of which listens once; arrival.test.ts shows that one that ended listens no more.
setMaxListeners(0, caller);

/** A session with a document "a.for😀(x)", and the trigger of these fields at its sixth unit, behind "for". */
function sessionOf() {
  const ingress = new Ingress(
    {
      ...{ documentBytesMax: 4_000, documentsMax: 2, sessionsMax: 4, resumeTtlMs: 60_000, resumeBytes: 4_000 },
      deadlines: { autoMs: 500, invokedMs: 3_000, chatMs: 60_000 },
    },
    { clock: new FakeClock(), random: seeded(1), metrics: recordedMetrics().metrics },
  );
  const session = ingress.openSession(create(HelloSchema, { protocol: "1", sessionId: "s1" }), "default");
  session.open(create(DocumentOpenSchema, { documentId: "d1", language: "typescript", version: 1n, text: "a.for😀(x)" }));
  const trigger = (given: MessageInitShape<typeof TriggerSchema>) => {
    const made = session.trigger(create(TriggerSchema, { documentId: "d1", version: 1n, offsetUtf16: 5, ...given }), caller);
    if ("heldVersion" in made) throw new Error(made.detail);
    return made;
  };
  return { session, trigger };
}

function refusal(given: MessageInitShape<typeof TriggerSchema>) {
  try {
    sessionOf().trigger(given);
  } catch (thrown) {
    if (thrown instanceof SlipstreamError) return { code: thrown.code, field: thrown.field };
    throw thrown;
  }
  return undefined;
}

test.each<[name: string, selected: { text: string; startUtf16: number; endUtf16: number }, before: string, after: string]>([
  ["in the place of what was typed of it", { text: "forEach", startUtf16: 2, endUtf16: 5 }, "a.forEach", "😀(x)"],
  ["over what stands right of the cursor", { text: "find", startUtf16: 2, endUtf16: 7 }, "a.find", "(x)"],
  ["at the cursor", { text: "1", startUtf16: 5, endUtf16: 5 }, "a.for1", "😀(x)"],
])("the trigger is for the text with the item %s", (_, selected, before, after) => {
  const made = sessionOf().trigger({ selected });
  expect([made.text.before(100), made.text.after(100)]).toEqual([before, after]);
  expect(made.selected).toEqual(selected);
});

test("an item without text is none", () => {
  const made = sessionOf().trigger({ selected: { text: "", startUtf16: 90, endUtf16: 1 } });
  expect([made.selected, made.text.before(100)]).toEqual([undefined, "a.for"]);
});

test.each<[name: string, given: MessageInitShape<typeof TriggerSchema>, code: string, field: string]>([
  [
    "an item that begins after the cursor",
    { selected: { text: "a", startUtf16: 7, endUtf16: 8 } },
    "invalid_request",
    "trigger.selected.start_utf16",
  ],
  [
    "an item that ends before the cursor",
    { selected: { text: "a", startUtf16: 1, endUtf16: 4 } },
    "invalid_request",
    "trigger.selected.end_utf16",
  ],
  [
    "an item past the end",
    { selected: { text: "a", startUtf16: 1, endUtf16: 40 } },
    "invalid_request",
    "trigger.selected.end_utf16",
  ],
  [
    "an item inside a character",
    { selected: { text: "a", startUtf16: 1, endUtf16: 6 } },
    "invalid_request",
    "trigger.selected.end_utf16",
  ],
  [
    "an item of half a character",
    { selected: { text: "\ud83d", startUtf16: 2, endUtf16: 5 } },
    "invalid_request",
    "trigger.selected.text",
  ],
  [
    "an item without end",
    { selected: { text: "a".repeat(1_025), startUtf16: 2, endUtf16: 5 } },
    "invalid_request",
    "trigger.selected.text",
  ],
  ["four alternatives", { kind: TriggerKind.INVOKED, n: 4 }, "invalid_request", "trigger.n"],
  ["two alternatives that nobody asked for", { kind: TriggerKind.AUTO, n: 2 }, "unsupported", "trigger.n"],
  ["two alternatives ahead of the person", { kind: TriggerKind.SPECULATIVE, n: 2 }, "unsupported", "trigger.n"],
  ["a wide indentation", { indent: { tabs: false, width: 17 } }, "invalid_request", "trigger.indent.width"],
  ["an estimate above one", { clientAcceptProbability: 1.5 }, "invalid_request", "trigger.client_accept_probability"],
  [
    "an estimate that is no number",
    { clientAcceptProbability: Number.NaN },
    "invalid_request",
    "trigger.client_accept_probability",
  ],
])("%s is refused", (_, given, code, field) => {
  expect(refusal(given)).toEqual({ code, field });
});

test("what is not said is one alternative, no estimate, and the indentation of the text", () => {
  const { trigger } = sessionOf();
  expect(trigger({ triggerId: "t1" })).toMatchObject({ n: 1, acceptProbability: undefined, indent: undefined, origin: "unknown" });
  expect(trigger({ triggerId: "t2", indent: { tabs: true, width: 0 } }).indent).toBeUndefined();
  expect(
    trigger({ triggerId: "t3", kind: TriggerKind.INVOKED, n: 3, clientAcceptProbability: 0, indent: { tabs: true, width: 8 } }),
  ).toMatchObject({ n: 3, acceptProbability: 0, indent: { tabs: true, width: 8 } });
});

test.each([
  [EditOrigin.UNSPECIFIED, "unknown"],
  [EditOrigin.TYPED, "typed"],
  [EditOrigin.PASTE, "paste"],
  [EditOrigin.UNDO, "undo"],
  [EditOrigin.ACCEPT, "accept"],
  [EditOrigin.FORMAT, "format"],
  [99 as EditOrigin, "unknown"],
] as const)("a trigger knows how the last edit came about: %s is %s", (origin, name) => {
  const { session, trigger } = sessionOf();
  const edits = [{ startUtf16: 0, endUtf16: 0, text: "b" }];
  session.edit(create(DocumentEditSchema, { documentId: "d1", baseVersion: 1n, version: 2n, edits, origin }));
  expect(trigger({ version: 2n }).origin).toBe(name);
});
