import { expect, test } from "vitest";
import { FeedbackEvent } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { RouterEnd } from "../../test/support/router-end.ts";
import { pauseMs } from "./backoff.ts";
import { keptRatio } from "./retention.ts";

const file = { id: "d", path: "a.ts", language: "typescript", text: "f();\n" };

test("what was shown and accepted is told with how long it stood; words of it before", async () => {
  const end = await new RouterEnd({ retentionWindowsS: [] }).ready();
  const { feedback } = end.session;
  feedback.shown("c");
  feedback.shown("c");
  await end.clock.advance(400);
  feedback.partial("c", 3);
  await end.clock.advance(100);
  feedback.accepted("c");
  feedback.rejected("other");
  await end.clock.advance(5);
  const told = end.last
    .all("feedback")
    .map(({ completionId, event, acceptedUtf16, shownMs }) => [completionId, event, acceptedUtf16, shownMs]);
  expect(told).toEqual([
    ["c", FeedbackEvent.SHOWN, 0, 0],
    ["c", FeedbackEvent.PARTIAL, 3, 400],
    ["c", FeedbackEvent.ACCEPTED, 0, 500],
    ["other", FeedbackEvent.REJECTED, 0, 0],
  ]);
});

test("reports wait for a connection, the oldest lost beyond the bound", async () => {
  const end = new RouterEnd();
  for (let i = 0; i < 300; i++) end.session.feedback.ignored(`c${i}`);
  await end.ready();
  const told = end.last.all("feedback");
  expect([told.length, told[0]?.completionId, end.session.feedback.dropped]).toEqual([256, "c44", 44]);
});

test("accepted text is looked for at each window, wherever edits moved it", async () => {
  const end = await new RouterEnd({ retentionWindowsS: [15, 30, 120] }).ready();
  const document = end.session.open(file);
  const text = "const total = a + b;";
  document.edit([{ start: 5, end: 5, text }], "accept");
  end.session.feedback.accepted("c", { document, start: 5, text });
  document.edit([{ start: 0, end: 0, text: "// before\n" }]);
  await end.clock.advance(15_010);
  const at = document.text.indexOf("a + b");
  document.edit([{ start: at, end: at + 5, text: "x" }]);
  await end.clock.advance(15_010);
  document.edit([{ start: 0, end: document.text.length, text: "" }]);
  await end.clock.advance(90_010);
  const told = end.last.all("feedback").filter(({ event }) => event === FeedbackEvent.RETAINED);
  expect(told.map(({ afterS }) => afterS)).toEqual([15, 30, 120]);
  expect(told[0]?.keptRatio).toBe(1);
  expect(told[1]?.keptRatio).toBeCloseTo(1 - 3 / 7, 5);
  expect(told[2]?.keptRatio).toBe(0);
  document.close();
  await end.clock.advance(5);
  expect(end.clock.waiting).toBe(0);
});

test.each([
  ["the same", "a b c", "a b c", 1],
  ["other spaces", "a  b", "a b", 1],
  ["a word renamed", "let a = b", "let a = c", 0.75],
  ["nothing left", "a b", "", 0],
])("kept of %s", (_, accepted, now, ratio) => {
  expect(keptRatio(accepted, now)).toBe(ratio);
});

test("pauses double to the bound, and chance takes up to half of each away", () => {
  const [none, all] = [{ next: () => 0 }, { next: () => 0.9999 }].map((random) => ({ ...random, hex: () => "" }));
  const options = { firstMs: 100, maxMs: 1_000 };
  expect([1, 2, 3, 4, 5, 60].map((failures) => pauseMs(options, failures, none as never))).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ]);
  expect(pauseMs(options, 1, all as never)).toBeGreaterThanOrEqual(50);
});
