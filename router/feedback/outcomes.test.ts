// Through a whole router: one event on the bus for each trigger, whichever way it went, and its tokens booked once.
import { create, fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { subjects } from "../../lib/bus/subjects.ts";
import { Finish, GenerateRequestSchema, Outcome, Role, TriggerKind } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { OutcomeBatchSchema, type OutcomeEvent } from "../../proto/gen/slipstream/v1/fleet_pb.ts";
import { Lane } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import { hello, opened, routed } from "../../test/support/routed.ts";

test("joined, typed ahead, cached, refused, gated, superseded, stateless, of a session, chat: one event each", async () => {
  const { bus, clock, workers, router, complete, session, answer } = routed();
  await workers.welcome("w1");
  const events: OutcomeEvent[] = [];
  const subscription = bus.subscribe(subjects.allOutcomes, { max: 100 });
  void (async () => {
    for await (const { data } of subscription) events.push(...fromBinary(OutcomeBatchSchema, data).outcomes);
  })();
  const usage = { promptTokens: 12, cachedTokens: 10, recomputedTokens: 2, completionTokens: 3 };
  const done = (texts: readonly string[]) => {
    const { id } = workers.submitted("w1");
    for (const text of texts) workers.stream("w1").say({ case: "delta", value: { id, text, tokens: 1 } });
    workers.stream("w1").say({ case: "done", value: { id, finish: Finish.STOP, usage } });
    return clock.advance(0);
  };
  const invoked = { kind: TriggerKind.INVOKED, sessionId: "s9" };
  const first = complete({ prefix: "a = ", triggerId: "generated", documentId: "d1", ...invoked });
  await clock.advance(0);
  const second = complete({ prefix: "a = ", triggerId: "joined", documentId: "d2", ...invoked });
  await clock.advance(0);
  await done(["foo();"]);
  await Promise.all([first.done, second.done]);
  await complete({ prefix: "a = fo", triggerId: "typed_ahead", documentId: "d1", ...invoked }).done;
  await complete({ prefix: "a = ", triggerId: "cached", documentId: "d3", ...invoked }).done;
  await complete({ prefix: "con", suffix: "st", triggerId: "gated" }).done;
  const older = complete({ prefix: "b = ", triggerId: "superseded", documentId: "d4", ...invoked });
  await clock.advance(0);
  const newer = complete({ prefix: "c = ", triggerId: "empty", documentId: "d4", ...invoked });
  await older.done;
  await answer("w1", []);
  await newer.done;
  const editor = session();
  const trigger = (triggerId: string, documentId: string) =>
    ({ case: "trigger", value: { triggerId, documentId, version: 1n, offsetUtf16: 5, kind: TriggerKind.INVOKED } }) as const;
  await editor.say(hello, opened("let x;\n"), trigger("of_a_session", "d1"), trigger("refused", "unknown"));
  await answer("w1", [" = 1"]);
  const chat = router.run(
    router.ingress.generate(
      create(GenerateRequestSchema, { requestId: "chat", messages: [{ role: Role.USER, content: "hi" }] }),
      "default",
      new AbortController().signal,
    ),
    {},
  );
  const said = chat.next();
  await clock.advance(0);
  const bulk = workers.stream("w1", "bulk");
  const { id } = bulk.of("submit").at(-1) ?? { id: 0n };
  bulk.say({ case: "delta", value: { id, text: "ho", tokens: 1 } });
  bulk.say({ case: "done", value: { id, finish: Finish.STOP, usage } });
  await clock.advance(0);
  await said;
  await chat.next();
  await clock.advance(200);
  const byTrigger = Object.fromEntries(events.map((event) => [event.triggerId, event]));
  expect(events.map(({ triggerId }) => triggerId).sort()).toEqual(
    ["cached", "chat", "empty", "gated", "generated", "joined", "of_a_session", "refused", "superseded", "typed_ahead"].sort(),
  );
  for (const name of ["cached", "empty", "gated", "generated", "joined", "refused", "superseded", "typed_ahead"] as const)
    expect(byTrigger[name]?.outcome, name).toBe(Outcome[name.toUpperCase() as "CACHED"]);
  expect(byTrigger["chat"]).toMatchObject({ outcome: Outcome.GENERATED, lane: Lane.CHAT, cache: { completionTokens: 3 } });
  // Two read one generation; its tokens are booked to the one who left last.
  const booked = ["generated", "joined", "typed_ahead", "cached"].map((name) => byTrigger[name]?.cache?.completionTokens ?? 0);
  expect(booked.reduce((sum, tokens) => sum + tokens, 0)).toBe(3);
  expect([byTrigger["typed_ahead"]?.cache?.promptTokens, byTrigger["cached"]?.cache?.promptTokens]).toEqual([0, 0]);
});
