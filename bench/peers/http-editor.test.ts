import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import type { Answer, Asked } from "../../sim/session-client.ts";
import { type EditorName, editors } from "./editors.ts";
import type { Ask, Chunk } from "./endpoint.ts";
import { HttpEditor } from "./http-editor.ts";

interface Sent {
  readonly ask: Ask;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  readonly end: () => void;
}

function editor(name: EditorName) {
  const clock = new FakeClock();
  const sent: Sent[] = [];
  const reached: string[] = [];
  const endpoint = {
    close: () => {},
    complete: (ask: Ask, signal: AbortSignal, say: (chunk: Chunk) => void) =>
      new Promise<void>((end, reject) => {
        const id = `w0 ${sent.length}`;
        sent.push({ ask, signal, say: (text) => say({ id, text }), end });
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      }),
  };
  const client = new HttpEditor(
    { session: "p0", manners: editors[name], maxTokens: 32 },
    { clock, endpoint, reached: (id) => void reached.push(id) },
  );
  client.open({ id: "d", path: "a.ts", language: "typescript", text: "\nend();\n" });
  let at = 0;
  const answers: Answer[] = [];
  const type = (text: string): Asked => {
    client.edit("d", { startUtf16: at, endUtf16: at, text });
    at += text.length;
    const asked = client.trigger("d", at);
    void asked.answer.then((answer) => answers.push(answer));
    return asked;
  };
  return { clock, client, sent, reached, answers, type };
}

test("naive: every key is asked for, nothing is ever cancelled, and old text is still answered", async () => {
  const { clock, sent, type, answers, reached } = editor("naive");
  type("a");
  type("b");
  sent[0]?.say("bc;\n");
  sent[0]?.end();
  await clock.advance(1);
  expect(sent.map(({ signal }) => signal.aborted)).toEqual([false, false]);
  expect(answers).toMatchObject([{ text: "bc;" }]);
  expect(reached).toEqual([]);
});

test("careful: a pause swallows keys, and the next key ends a request under way", async () => {
  const { clock, sent, type, answers } = editor("careful");
  type("a");
  await clock.advance(40);
  type("b");
  await clock.advance(80);
  expect(sent).toHaveLength(1);
  expect(answers).toMatchObject([{ outcome: "superseded", unasked: true }]);
  type("c");
  await clock.advance(1);
  expect(sent[0]?.signal.aborted).toBe(true);
});

test("expert: what is typed along the text that stands there is not asked for again", async () => {
  const { clock, sent, type, answers, reached } = editor("expert");
  type("a");
  await clock.advance(30);
  sent[0]?.say("bcd;\n");
  await clock.advance(1);
  expect(sent[0]?.signal.aborted, "the statement is whole: no more is wanted").toBe(true);
  expect(answers).toMatchObject([{ text: "bcd;", firstTextMs: 30 }]);
  type("b");
  await clock.advance(1);
  expect(sent).toHaveLength(1);
  expect(answers[1]).toMatchObject({ text: "cd;", firstTextMs: 0 });
  expect(reached[0]).toBe("w0 0");
  type("x");
  expect(sent).toHaveLength(2);
});

test("expert: a key that agrees with text under way follows it, one that does not ends it", async () => {
  const { clock, sent, type, answers } = editor("expert");
  type("a");
  sent[0]?.say("bc");
  type("b");
  await clock.advance(1);
  expect([sent.length, sent[0]?.signal.aborted]).toEqual([1, false]);
  sent[0]?.say("d;\n");
  await clock.advance(1);
  expect(answers.at(-1)).toMatchObject({ outcome: "generated", text: "cd;" });
  type("q");
  type("r");
  expect([sent.length, sent[1]?.signal.aborted]).toEqual([3, true]);
});

test("text that is of use is a complete line, not its first token", async () => {
  const { clock, sent, type, answers } = editor("careful");
  type("a");
  await clock.advance(75);
  sent[0]?.say("b + ");
  await clock.advance(20);
  sent[0]?.say("c;\n");
  sent[0]?.end();
  await clock.advance(1);
  expect(answers).toMatchObject([{ firstTextMs: 20 }]);
});
