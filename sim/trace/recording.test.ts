import { readFileSync } from "node:fs";
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  type ClientMessage,
  ClientMessageSchema,
  FeedbackEvent,
  TriggerKind,
} from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { generateTrace } from "./generate.ts";
import { Masking, reservedIn } from "./masking.ts";
import { parseTrace } from "./parse.ts";
import { Recording } from "./recording.ts";
import { replay } from "./replay.ts";
import { origins, type Trace } from "./trace.ts";
import { workingTrace } from "./working.ts";
import { formatTrace } from "./written.ts";

const secret = Buffer.from("a secret of this test alone");
const say = (name: string, value: object) => create(ClientMessageSchema, { message: { case: name, value } as never });

/** As an editor's client says it. */
function* said({ documents, events }: Trace): Generator<readonly [number, ClientMessage]> {
  const versions = new Map(documents.map(({ id }) => [id, 1n]));
  for (const { id, path, language, text } of documents)
    yield [0, say("documentOpen", { documentId: id, path, language, version: 1n, text })];
  for (const { tMs, document, edit, origin, cursor, trigger, mark } of events) {
    const baseVersion = versions.get(document) ?? 0n;
    if (edit && origin) {
      versions.set(document, baseVersion + 1n);
      yield [
        tMs,
        say("documentEdit", {
          documentId: document,
          baseVersion,
          version: baseVersion + 1n,
          edits: [edit],
          origin: origins.indexOf(origin) + 1,
        }),
      ];
    }
    if (mark)
      yield [
        tMs,
        say("feedback", { completionId: "c", event: mark === "accept" ? FeedbackEvent.ACCEPTED : FeedbackEvent.REJECTED }),
      ];
    if (trigger) {
      const kind = trigger === "auto" ? TriggerKind.AUTO : trigger === "invoked" ? TriggerKind.INVOKED : TriggerKind.PRELOAD;
      yield [
        tMs,
        say("trigger", { triggerId: "t", documentId: document, version: versions.get(document), offsetUtf16: cursor, kind }),
      ];
    }
  }
}

function recorded(trace: Trace): Trace {
  let now = 0;
  const recording = new Recording({ masking: new Masking(secret), now: () => now });
  for (const [tMs, message] of said(trace)) {
    now = tMs;
    recording.heard(message);
  }
  return recording.trace;
}

const sources = ["sim/trace/recording.ts", "lib/fim/render.ts", "models/train/bpe.py"].map((path) => ({
  path,
  language: path.endsWith("py") ? "python" : "typescript",
  text: readFileSync(path, "utf8"),
}));

test("what is recorded has the shape of what was done: the same events, lengths, lines and brackets", () => {
  const trace = workingTrace({ sources, seed: 4, keys: 2_500, habits: { pasteProbability: 0.2, acceptProbability: 0.3 } });
  const taken = recorded(trace);
  expect(parseTrace(formatTrace(taken))).toEqual(taken);
  const shape = ({ events }: Trace) =>
    events.map(({ edit, origin, cursor, trigger, mark }) => [
      edit?.startUtf16,
      edit?.endUtf16,
      edit?.text.length,
      origin,
      cursor,
      trigger,
      mark,
    ]);
  expect(shape(taken)).toEqual(shape({ ...trace, events: trace.events.map((event) => event) }));
  const [before, after] = [replay(trace), replay(taken)];
  for (const [nth, { id }] of trace.documents.entries()) {
    const kept = (text: string | undefined) => text?.replace(/[\p{L}\p{M}\p{N}]/gu, "a").replace(/[^\p{ASCII}]/gu, "?");
    expect(kept(after.get(`d${nth}`))).toBe(kept(before.get(id)));
    expect(Buffer.byteLength(after.get(`d${nth}`) ?? "")).toBe(Buffer.byteLength(before.get(id) ?? ""));
  }
});

test("no name, number, string or path of the person's survives in it", () => {
  for (const trace of [
    workingTrace({ sources, seed: 5, keys: 2_500, habits: { pasteProbability: 0.2 } }),
    ...sources.map((source) => generateTrace({ ...source, seed: 1, keys: 400 })),
  ]) {
    const words = (texts: readonly string[]) => new Set(texts.flatMap((text) => text.match(/[\p{L}\p{N}_$]{4,}/gu) ?? []));
    const textsOf = (of: Trace) => [
      ...replay(of).values(),
      ...of.documents.flatMap(({ text, path }) => [text, path]),
      ...of.events.map(({ edit }) => edit?.text ?? ""),
    ];
    const own = words(textsOf(trace));
    for (const { language } of trace.documents) for (const word of reservedIn(language)) own.delete(word);
    expect(own.size).toBeGreaterThan(50);
    const left = words(textsOf(recorded(trace)));
    expect(left.size).toBeGreaterThan(50);
    expect([...left].filter((word) => own.has(word))).toEqual([]);
  }
});

test("a word typed key by key becomes what it becomes when it is pasted, and another secret makes another one of it", () => {
  const masking = new Masking(secret);
  let typed = "";
  for (const key of "customerName") typed += masking.text(key, { before: `let ${"customerName".slice(0, typed.length)}` });
  expect(typed).toBe(masking.text("customerName"));
  expect(masking.text("return customerName;", { language: "python" })).toBe(`return ${typed};`);
  expect(typed).toMatch(/^[a-z]{8}[A-Z][a-z]{3}$/);
  expect(new Masking(Buffer.from("another")).text("customerName")).not.toBe(typed);
  expect(masking.text("ü→漢🚀 42")).toMatch(/^[а-я][←-⇿][一-龥]. \d\d$/su);
});

test("documents that are excluded, grow too long or lose their version are left out until they are opened again", () => {
  const recording = new Recording({ masking: new Masking(secret), now: () => 0 });
  const hear = (...messages: [string, object][]) => {
    for (const [name, value] of messages) recording.heard(say(name, value));
    return recording.events;
  };
  const edit = (baseVersion: bigint, at = 0) => ({
    documentId: "a",
    baseVersion,
    version: baseVersion + 1n,
    edits: [{ startUtf16: at, endUtf16: at, text: "x" }],
  });
  expect(hear(["documentOpen", { documentId: "s", text: "secret", excluded: true }])).toBe(0);
  expect(hear(["documentEdit", { ...edit(0n), documentId: "s" }])).toBe(0);
  hear(["documentOpen", { documentId: "a", path: "a.ts", version: 1n, text: "one" }]);
  expect(hear(["documentEdit", edit(7n)])).toBe(0);
  expect(hear(["documentEdit", edit(1n)])).toBe(1);
  expect(hear(["documentEdit", edit(2n, 99)])).toBe(1);
  expect(hear(["documentEdit", edit(2n)])).toBe(1);
  expect(recording.trace.documents).toHaveLength(1);
});

test("a document that is opened again with another text is one edit more", () => {
  const recording = new Recording({ masking: new Masking(secret), now: () => 0 });
  const open = (version: bigint, text: string) =>
    recording.heard(say("documentOpen", { documentId: "a", path: "a.ts", version, text }));
  open(1n, "const first = 🚀;");
  open(2n, "const first = 🚁;");
  open(3n, "const first = 🚁;");
  expect(recording.trace.events.map(({ edit, origin }) => [edit?.startUtf16, edit?.endUtf16, origin])).toEqual([
    [14, 16, "format"],
  ]);
  expect(recording.trace.documents).toHaveLength(1);
});
