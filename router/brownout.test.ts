// The wait by which a trigger is gated, as a whole router predicts it: for the model that is asked for.
import { expect, test } from "vitest";
import { TriggerKind } from "../proto/gen/slipstream/v1/completion_pb.ts";
import { routed } from "../test/support/routed.ts";
import { modelOf } from "../test/support/router.ts";

test("a queue for one model's workers gates nobody who asks for another's", async () => {
  const { workers, clock, answer, complete } = routed({ workers: ["w1", "w2"], settleMs: 0 });
  const { fimFamily, fim, contextTokens, bytesPerToken } = modelOf();
  const served = (name: string) => ({ models: [{ name, fimFamily, fim, contextTokens, bytesPerToken }] });
  await workers.welcome("w1", 1, served("crowded"));
  await workers.welcome("w2", 1, served("idle"));
  const asked = (model: string, given: object) => complete({ prefix: "const a = ", suffix: "", model, ...given });
  // One took 100 ms, so that it is known what those that wait will take.
  const first = asked("crowded", { kind: TriggerKind.INVOKED });
  await clock.advance(100);
  await answer("w1", ["1;"]);
  expect(first.seen.ending).toMatchObject({ outcome: "generated" });
  for (let i = 0; i < 8; i++) asked("crowded", { kind: TriggerKind.INVOKED, prefix: `const a${i} = ` });
  await clock.advance(1);
  const [gated, passed] = [asked("crowded", { prefix: "const b = " }), asked("idle", { prefix: "const c = " })];
  await clock.advance(1);
  await answer("w2", ["2;"]);
  expect(gated.seen.ending).toMatchObject({ outcome: "gated", reason: "brownout" });
  expect(passed.seen).toMatchObject({ text: "2;", ending: { outcome: "generated" } });
});
