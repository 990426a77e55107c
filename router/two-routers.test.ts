// Two whole routers on one bus: what happens at one ends work at the other.
import { expect, test } from "vitest";
import { MemoryBus } from "../lib/bus/memory.ts";
import { FakeClock } from "../lib/clock.fake.ts";
import { Reason } from "../proto/gen/slipstream/v1/completion_pb.ts";
import { hello, opened, routed } from "../test/support/routed.ts";

function pair() {
  const shared = { clock: new FakeClock(), bus: new MemoryBus({ shared: true }) };
  const a = routed({ name: "a", settleMs: 0 }, shared);
  const b = routed({ name: "b", settleMs: 0 }, shared);
  return { ...shared, a, b };
}

const call = (prefix: string, sequence = 0n) => ({
  ...{ sessionId: "s1", documentId: "d1", prefix, suffix: "", sequence },
});

test.each([
  ["decoding", 1],
  ["queued, with no worker's credit", 0],
])("a call at one router retires the older one that is %s at the other, before anything else happens", async (_, slots) => {
  const { a, b, clock } = pair();
  await a.workers.welcome("w1", slots);
  await b.workers.welcome("w1");
  await clock.advance(1);
  const first = a.complete(call("const a = "));
  await clock.advance(1);
  expect(first.trigger.signal.aborted).toBe(false);
  const second = b.complete(call("const ab = "));
  // No time passes, not even a turn of the event loop.
  await Promise.resolve();
  await Promise.resolve();
  expect(first.trigger.signal.aborted).toBe(true);
  await clock.advance(0);
  expect(first.seen.ending).toMatchObject({ outcome: "superseded" });
  const cancels = a.workers.stream("w1").of("cancel");
  expect(cancels).toHaveLength(slots);
  await b.answer("w1", ["1;"]);
  expect(second.seen).toMatchObject({ text: "1;", ending: { outcome: "generated" } });
});

test("an editor's stream that moved to another router leaves no trigger behind", async () => {
  const { a, b, clock } = pair();
  for (const each of [a, b]) await each.workers.welcome("w1");
  await clock.advance(1);
  const [before, after] = [a.session(), b.session()];
  await before.say(hello, opened("const a = "), {
    case: "trigger",
    value: { triggerId: "t1", documentId: "d1", version: 1n, offsetUtf16: 10, sequence: 1n },
  });
  await after.say(hello, opened("const ab = "), {
    case: "trigger",
    value: { triggerId: "t2", documentId: "d1", version: 1n, offsetUtf16: 11, sequence: 2n },
  });
  await clock.advance(0);
  expect(before.ends("t1")).toMatchObject([{ case: "nothing", value: { reason: Reason.SUPERSEDED } }]);
  await b.answer("w1", ["1;"]);
  expect(after.ends("t2")).toMatchObject([{ case: "completion" }]);
});

test("with the bus away each router serves what it is asked", async () => {
  const { a, b, bus, clock } = pair();
  bus.connected = false;
  for (const each of [a, b]) await each.workers.welcome("w1");
  await clock.advance(1);
  const [first, second] = [a.complete(call("const a = ")), b.complete(call("const ab = "))];
  await clock.advance(1);
  for (const each of [a, b]) await each.answer("w1", ["1;"]);
  expect([first.seen.ending?.outcome, second.seen.ending?.outcome]).toEqual(["generated", "generated"]);
});
