// What an editor may wish for beyond a text: alternatives, a text that begins with the item chosen in its menu, and to be left
// alone where a text is not wanted; by a whole router and scripted workers.
import { expect, test } from "vitest";
import { EditOrigin, FeedbackEvent, Finish, Outcome, Reason, TriggerKind } from "../proto/gen/slipstream/v1/completion_pb.ts";
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
  const submits = () => made.workers.stream("w1").of("submit");
  /** Answers what was asked as the nth, from 0. */
  const answerTo = async (n: number, text: string) => {
    const id = submits()[n]?.id as bigint;
    made.workers.stream("w1").say({ case: "delta", value: { id, text, tokens: 1 } });
    made.workers.stream("w1").say({ case: "done", value: { id, finish: Finish.STOP } });
    await made.clock.advance(0);
  };
  return { ...made, editor, trigger, submits, answerTo };
}

test("three texts come in one Completion: the first greedy, the others sampled and different", async () => {
  const { editor, trigger, submits, answerTo, router } = await ready();
  await editor.say(opened("const a = \n"), trigger("t1", { n: 3 }));
  expect(submits()).toHaveLength(1);
  await answerTo(0, "1;");
  expect(submits().map(({ sampling }) => sampling?.temperature ?? 0)).toEqual([0, expect.closeTo(0.6), expect.closeTo(0.6)]);
  expect(editor.ends("t1")).toEqual([]);
  await answerTo(1, "2;");
  await answerTo(2, "1;");
  expect(editor.ends("t1")).toMatchObject([
    { case: "completion", value: { outcome: Outcome.GENERATED, items: [{ insertText: "1;" }, { insertText: "2;" }] } },
  ]);
  expect(router.rooms.settle.size).toBe(0);
});

test("a newer trigger ends the wish for alternatives, at the worker too", async () => {
  const { editor, trigger, submits, answerTo, workers, metrics } = await ready();
  await editor.say(opened("const a = \n"), trigger("t1", { n: 3 }));
  await answerTo(0, "1;");
  await editor.say(trigger("t2", { offsetUtf16: 5 }));
  expect(editor.ends("t1")).toMatchObject([{ case: "nothing", value: { outcome: Outcome.SUPERSEDED } }]);
  const cancelled = workers.stream("w1").of("cancel");
  expect(cancelled.map(({ id }) => id)).toEqual(
    expect.arrayContaining(
      submits()
        .slice(1, 3)
        .map(({ id }) => id),
    ),
  );
  expect(metrics.count("outcomes_total")).toBe(1);
});

test("the item chosen in the menu is taken for typed, and leads the answer", async () => {
  const { editor, trigger, answer, workers } = await ready();
  const selected = { text: "forEach", startUtf16: 2, endUtf16: 5 };
  await editor.say(opened("a.for\n"), trigger("t1", { offsetUtf16: 5, selected, stream: true }));
  expect(workers.submitted("w1").segments.map(({ part }) => part.value)).toContain("a.forEach");
  await answer("w1", ["((b) => b)"]);
  expect(editor.of("partial").map(({ text }) => text)).toEqual(["forEach((b) => b)"]);
  expect(editor.ends("t1")).toMatchObject([
    { case: "completion", value: { items: [{ insertText: "forEach((b) => b)", replace: { startUtf16: 2, endUtf16: 5 } }] } },
  ]);
});

test("a text that stands in the document already is told as such", async () => {
  const { editor, trigger, answer } = await ready();
  await editor.say(opened("const a = \n\nb();\n"), trigger("t1", { offsetUtf16: 11 }));
  await answer("w1", ["b();\n"]);
  expect(editor.ends("t1")).toMatchObject([{ case: "nothing", value: { outcome: Outcome.EMPTY, reason: Reason.DUPLICATE } }]);
});

test("after a paste nobody is asked, unless by hand", async () => {
  const { editor, trigger, submits } = await ready();
  const edits = [{ startUtf16: 10, endUtf16: 10, text: "b" }];
  const paste = { documentId: "d1", baseVersion: 1n, version: 2n, edits, origin: EditOrigin.PASTE };
  const at = { version: 2n, offsetUtf16: 11 };
  await editor.say(
    opened("const a = \n"),
    { case: "documentEdit", value: paste },
    trigger("t1", { ...at, kind: TriggerKind.AUTO }),
  );
  expect(editor.ends("t1")).toMatchObject([
    { case: "nothing", value: { reason: Reason.GATED, detail: expect.stringContaining("pasted") } },
  ]);
  expect(submits()).toEqual([]);
  await editor.say(trigger("t2", at));
  expect(submits()).toHaveLength(1);
});

test("who rejects what was shown is left alone for a while", async () => {
  const { editor, trigger, answerTo, clock, submits } = await ready();
  const auto = (id: string, offsetUtf16: number) => trigger(id, { kind: TriggerKind.AUTO, offsetUtf16 });
  await editor.say(opened("const a = \nlet b = \nvar c = \n"));
  for (const [i, offset] of [10, 18].entries()) {
    await editor.say(auto(`t${i}`, offset));
    await answerTo(i, `${i};`);
    const ended = editor.ends(`t${i}`)[0];
    const completionId = ended?.case === "completion" ? ended.value.completionId : "";
    await editor.say({ case: "feedback", value: { completionId, event: FeedbackEvent.REJECTED, shownMs: 900 } });
  }
  await editor.say(auto("t2", 28));
  expect(editor.ends("t2")).toMatchObject([{ case: "nothing", value: { reason: Reason.GATED } }]);
  await clock.advance(6_000);
  const before = submits().length;
  await editor.say(auto("t3", 28));
  expect(submits()).toHaveLength(before + 1);
});
