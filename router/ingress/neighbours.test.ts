// What of a session's other documents and edits travels with a trigger.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { seeded } from "../../lib/random.ts";
import {
  ContextSchema,
  DocumentEditSchema,
  DocumentOpenSchema,
  type EditEventSchema,
  HelloSchema,
  type SnippetSchema,
  TriggerSchema,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";
import type { Trigger } from "../completion.ts";
import { Arrivals } from "./arrival.ts";
import { Session } from "./session.ts";
import { Wishes } from "./wishes.ts";

const caller = new AbortController().signal;

function sessionOf() {
  const clock = new FakeClock();
  const wishes = new Wishes(
    { autoMs: 500, invokedMs: 3_000, chatMs: 60_000 },
    { arrivals: new Arrivals({ clock, random: seeded(1) }) },
  );
  const session = new Session(
    create(HelloSchema, { protocol: "1", client: "test", sessionId: "s1" }),
    { tenant: "default", documentBytesMax: 10_000, documentsMax: 20, token: "t" },
    { clock, wishes, counted: () => {} },
  );
  const open = async (documentId: string, given: MessageInitShape<typeof DocumentOpenSchema> = {}) => {
    await clock.advance(10);
    session.open(
      create(DocumentOpenSchema, { documentId, path: `${documentId}.ts`, version: 1n, text: `// ${documentId}\n`, ...given }),
    );
  };
  const context = (snippets: MessageInitShape<typeof SnippetSchema>[], edits: MessageInitShape<typeof EditEventSchema>[] = []) =>
    session.context(create(ContextSchema, { documentId: "a", snippets, recentEdits: edits }));
  const trigger = () => session.trigger(create(TriggerSchema, { documentId: "a", version: 1n, offsetUtf16: 0 }), caller) as Trigger;
  const neighbours = () => trigger().neighbours.map(({ path }) => path);
  return { clock, session, open, context, trigger, neighbours };
}

test("other open documents come with a trigger, the one touched last first, those that may not be read not at all", async () => {
  const { clock, session, open, neighbours, trigger } = sessionOf();
  await open("a");
  expect(neighbours()).toEqual([]);
  for (const id of ["b", "c", "d"]) await open(id);
  await open("secret", { excluded: true });
  expect(neighbours()).toEqual(["d.ts", "c.ts", "b.ts"]);
  await clock.advance(10);
  const edits = [{ startUtf16: 0, endUtf16: 0, text: "x" }];
  session.edit(create(DocumentEditSchema, { documentId: "b", baseVersion: 1n, version: 2n, edits }));
  expect(neighbours()).toEqual(["b.ts", "d.ts", "c.ts"]);
  // A mirror that is known to be wrong is no source.
  session.edit(create(DocumentEditSchema, { documentId: "c", baseVersion: 7n, version: 8n, edits }));
  session.close("d");
  expect(trigger().neighbours.map(({ document, text }) => [document, text.slice(0, text.length)])).toEqual([
    ["default/s1 b", "x// b\n"],
  ]);
});

test("there are at most eight", async () => {
  const { open, neighbours } = sessionOf();
  for (const id of "abcdefghijklm") await open(id);
  expect(neighbours()).toEqual([..."mlkjihgf"].map((id) => `${id}.ts`));
});

test("recent edits elsewhere are chunks that will change again, the latest the best", async () => {
  const { open, context, trigger } = sessionOf();
  await open("a");
  context(
    [{ path: "s.ts", text: "given", score: 0.5 }],
    [
      { path: "b.ts", before: "x", after: "now", ageMs: 60_000 },
      { path: "c.ts", before: "gone", after: " ", ageMs: 1 },
    ],
  );
  expect(trigger().snippets).toEqual([
    { path: "s.ts", text: "given", score: 0.5, stable: true },
    { path: "b.ts", text: "now", score: 0.5, stable: false },
  ]);
  const tooLong = { path: "b.ts", before: "", after: "x".repeat((16 << 10) + 1) };
  expect(() => context([], [tooLong])).toThrow(/context\.recent_edits\[0\]\.after/);
  expect(() =>
    context(
      [],
      Array.from({ length: 65 }, () => ({ path: "b.ts" })),
    ),
  ).toThrow(/context\.recent_edits: more than 64/);
});

test("the same context sent again is no change", async () => {
  const { open, context, trigger } = sessionOf();
  await open("a");
  context([{ path: "s.ts", text: "given" }]);
  const { snippets } = trigger();
  context([{ path: "s.ts", text: "given" }]);
  expect(trigger().snippets).toBe(snippets);
  context([{ path: "s.ts", text: "other" }]);
  expect(trigger().snippets).not.toBe(snippets);
});
