// Text that the model is unsure of, on its way through a whole router with a scripted worker.
import { expect, test } from "vitest";
import { TriggerKind } from "../proto/gen/slipstream/v1/completion_pb.ts";
import { routed } from "../test/support/routed.ts";

async function unsure(leastConfidence: Readonly<Record<string, number>>) {
  const made = routed({ leastConfidence });
  await made.workers.welcome("w1");
  const ask = async (kind: TriggerKind, sessionId: string) => {
    const asked = made.workers.stream("w1").of("submit").length;
    const { seen, done } = made.complete({ prefix: "const a = ", suffix: "\n", kind, sessionId });
    await made.clock.advance(0);
    const stream = made.workers.stream("w1");
    if (stream.of("submit").length > asked) {
      const { id } = made.workers.submitted("w1");
      stream.say({ case: "delta", value: { id, text: "maybe();", tokens: 8, confidence: 0.3 } });
      await made.workers.run();
      stream.say({ case: "delta", value: { id, text: "\nb();", tokens: 2 } });
      await made.workers.run();
    }
    await done;
    return { ...seen, asked: stream.of("submit").length - asked, cancels: stream.of("cancel").length };
  };
  return ask;
}

test("an AUTO trigger ends as empty, low confidence, and its generation is cancelled", async () => {
  const ask = await unsure({ m: 0.4 });
  const { text, ending, cancels } = await ask(TriggerKind.AUTO, "s1");
  expect(text).toBe("");
  expect(ending).toMatchObject({ outcome: "empty", reason: "empty", detail: "low confidence" });
  expect(ending?.confidence).toBeCloseTo(0.3);
  expect(cancels).toBe(1);
});

test("what was held back is no finished result: who asks by hand is answered by a worker", async () => {
  const ask = await unsure({ m: 0.4 });
  await ask(TriggerKind.AUTO, "s1");
  const { text, ending, asked } = await ask(TriggerKind.INVOKED, "s2");
  expect(asked).toBe(1);
  expect(text).toBe("maybe();");
  expect(ending).toMatchObject({ outcome: "generated" });
});

test("a finished unsure result that somebody asked for by hand is not shown to who did not", async () => {
  const ask = await unsure({ m: 0.4 });
  await ask(TriggerKind.INVOKED, "s1");
  const again = await ask(TriggerKind.INVOKED, "s2");
  expect([again.text, again.ending?.outcome, again.asked]).toEqual(["maybe();", "cached", 0]);
  const { text, ending, asked } = await ask(TriggerKind.AUTO, "s3");
  expect([text, ending?.outcome, ending?.detail, asked]).toEqual(["", "empty", "low confidence", 0]);
});

test("without a threshold for the model it is shown", async () => {
  const ask = await unsure({ "another-model": 0.9 });
  expect(await ask(TriggerKind.AUTO, "s1")).toMatchObject({ text: "maybe();", ending: { outcome: "generated" } });
});
