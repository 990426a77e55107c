import { expect, test } from "vitest";
import { FakeClock } from "../lib/clock.fake.ts";
import { seeded } from "../lib/random.ts";
import { noUsage } from "../router/completion.ts";
import type { Answer, SessionClient } from "./session-client.ts";
import { generateTrace } from "./trace/generate.ts";
import { applyEdit, replay } from "./trace/replay.ts";
import type { Trace, TraceEvent } from "./trace/trace.ts";
import { Typist, type TypistOptions } from "./typist.ts";

/** A client whose answers come from `reply` after `delayMs`, and that keeps what was done to it. */
function world(options: TypistOptions, reply: (cursor: number, text: string) => string, delayMs = 50) {
  const clock = new FakeClock();
  const seen: string[] = [];
  let text = "";
  const client: SessionClient = {
    open: (document) => {
      text = document.text;
    },
    edit: (_, edit, origin) => {
      text = applyEdit(text, edit);
      seen.push(`${origin} ${edit.text || "undo"}`);
    },
    trigger: (_, cursor, kind) => {
      const id = String(seen.length);
      seen.push(`ask ${kind}`);
      const answered = reply(cursor, text);
      const answer = clock.sleep(delayMs).then(
        (): Answer => ({
          ...{ outcome: answered ? "generated" : "empty", text: answered, completion: `c${id}`, totalMs: delayMs },
          ...{ firstTextMs: delayMs, usage: noUsage, worker: "w", detail: "" },
        }),
      );
      return { id, answer, cancel: () => seen.push("cancel") };
    },
    react: (_, reaction) => seen.push(reaction),
    close: () => {},
  };
  const typist = new Typist(options, { clock, random: seeded(1), client });
  return { clock, seen, typist, text: () => text };
}

const key = (tMs: number, at: number, text: string): TraceEvent => ({
  ...{
    tMs,
    document: "a",
    edit: { startUtf16: at, endUtf16: at, text },
    origin: "typed",
    cursor: at + text.length,
    trigger: "auto",
  },
});
const trace = (...events: TraceEvent[]): Trace => ({
  source: "hand",
  documents: [{ id: "a", path: "a.ts", language: "typescript", text: "" }],
  events,
});

test("asks at each key at the trace's times and records each answer", async () => {
  const { clock, typist } = world({ trace: trace(key(0, 0, "a"), key(300, 1, "b"), key(340, 2, "c")) }, () => "xyz");
  void typist.play();
  await clock.advance(1_000);
  expect(
    typist.records.map(({ askedMs, outcome, firstTextMs, textUtf16, shown }) => [askedMs, outcome, firstTextMs, textUtf16, shown]),
  ).toEqual([
    [1_000, "generated", 50, 3, true],
    // The key at 340 ms came before the answer and is not how it begins.
    [1_300, "generated", 50, 3, false],
    [1_340, "generated", 50, 3, true],
  ]);
});

test("keys that agree with the ghost text accept it, the first that does not rejects it", async () => {
  const agree = world({ trace: trace(key(0, 0, "a"), key(300, 1, "b"), key(600, 2, "c")) }, (cursor) => (cursor === 1 ? "bc" : ""));
  void agree.typist.play();
  await agree.clock.advance(1_000);
  expect(agree.seen.filter((line) => !line.startsWith("ask"))).toEqual(["typed a", "shown", "typed b", "accepted", "typed c"]);
  const differ = world({ trace: trace(key(0, 0, "a"), key(300, 1, "b"), key(600, 2, "x")) }, (cursor) =>
    cursor === 1 ? "bc" : "",
  );
  void differ.typist.play();
  await differ.clock.advance(1_000);
  expect(differ.seen.filter((line) => !line.startsWith("ask"))).toEqual(["typed a", "shown", "typed b", "rejected", "typed x"]);
});

test("an answer that comes after keys that agree with it is still shown", async () => {
  const { clock, typist, seen } = world({ trace: trace(key(0, 0, "a"), key(30, 1, "b")) }, (cursor) => (cursor === 1 ? "bc" : ""));
  void typist.play();
  await clock.advance(1_000);
  expect(typist.records.map((record) => record.shown)).toEqual([true, false]);
  expect(seen).toContain("shown");
});

test("Escape cancels what is asked for and rejects what is shown", async () => {
  const shown = world({ escape: 1, trace: trace(key(0, 0, "a"), key(300, 1, "b"), key(320, 2, "c")) }, () => "xyz");
  void shown.typist.play();
  await shown.clock.advance(1_000);
  expect(shown.seen).toEqual([
    "typed a",
    "ask auto",
    "shown",
    "rejected",
    "typed b",
    "ask auto",
    "cancel",
    "typed c",
    "ask auto",
    "shown",
  ]);
});

test("a typist that follows what is shown takes it back, and the trace still gives its text", async () => {
  const source = "function add(a: number, b: number) {\n  return a + b;\n}\n".repeat(5);
  const generated = generateTrace({ seed: 2, keys: 120, path: "a.ts", language: "typescript", text: source });
  const { clock, typist, seen, text } = world({ trace: generated, agreement: 0.5 }, (cursor) => `ghost${cursor} 🚀`);
  let played = false;
  void typist.play().then(() => {
    played = true;
  });
  for (let minute = 0; minute < 60 && !played; minute++) await clock.advance(60_000);
  await clock.advance(100);
  expect(played).toBe(true);
  expect(text()).toBe(replay(generated).get("a.ts"));
  expect(seen.filter((line) => line === "undo undo").length).toBeGreaterThan(5);
  expect(seen.some((line) => line.startsWith("accept "))).toBe(true);
  expect(typist.waiting).toBe(0);
  expect(typist.records.length).toBe(seen.filter((line) => line.startsWith("ask")).length);
});
