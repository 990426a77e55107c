// The story of triggers on their way through a whole router, told with scripted workers: one for each way to end.
import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { MemoryBus } from "../lib/bus/memory.ts";
import { Finish, Shape, TriggerKind } from "../proto/gen/slipstream/v1/completion_pb.ts";
import { PoolLoadSchema } from "../proto/gen/slipstream/v1/fleet_pb.ts";
import { opened, routed } from "../test/support/routed.ts";
import { Retired } from "./completion.ts";

const invoked = { kind: TriggerKind.INVOKED, stream: true };
const place = { sessionId: "s1", documentId: "d1" };

async function ready(given: Parameters<typeof routed>[0] = {}) {
  const made = routed(given);
  for (const worker of given.workers ?? ["w1"]) await made.workers.welcome(worker);
  const rest = () => {
    const { queue, settle, dispatch, fleet } = made.router.rooms;
    const outstanding = fleet.snapshot().workers.reduce((sum, worker) => sum + worker.outstanding, 0);
    return { queued: queue.length, turns: settle.size, outstanding: dispatch.outstanding, booked: outstanding };
  };
  return { ...made, rest };
}
const quiet = { queued: 0, turns: 0, outstanding: 0, booked: 0 };

test("generated: over an idle worker, without a pause, to a cut completion", async () => {
  const { complete, clock, workers, answer, rest } = await ready();
  const { seen, done } = complete({ prefix: "const a = ", suffix: "\n" });
  await clock.advance(0);
  await answer("w1", ["1;", "\nconst b"], "none");
  await done;
  expect(seen).toMatchObject({
    text: "1;",
    ending: { outcome: "generated", finish: "cut", worker: "w1", model: "m", textUtf16: 2 },
  });
  // What was cut off is the worker's to acknowledge.
  const { id } = workers.submitted("w1");
  expect(workers.stream("w1").of("cancel")).toMatchObject([{ id }]);
  expect(rest()).toEqual({ ...quiet, outstanding: 1, booked: 1 });
  workers.stream("w1").say({ case: "cancelAck", value: { id } });
  await workers.run();
  expect(rest()).toEqual(quiet);
});

test("cached: an identical prompt is answered without a worker", async () => {
  const { complete, clock, workers, answer, rest } = await ready();
  const first = complete({ prefix: "const a = ", ...invoked });
  await clock.advance(0);
  await answer("w1", ["1;"]);
  await first.done;
  const second = complete({ prefix: "const a = ", ...invoked });
  await second.done;
  expect(second.seen).toMatchObject({ text: "1;", ending: { outcome: "cached", finish: "stop", model: "m" } });
  expect(second.seen.ending?.worker).toBeUndefined();
  expect([workers.stream("w1").of("submit").length, rest()]).toEqual([1, quiet]);
});

test("typed_ahead: who types what was shown gets the rest at once, without a pause", async () => {
  const { complete, clock, workers, answer, rest } = await ready();
  const first = complete({ prefix: "const a = ", ...place, ...invoked });
  await clock.advance(0);
  await answer("w1", ["foo();"]);
  await first.done;
  const second = complete({ prefix: "const a = fo", ...place });
  await second.done;
  expect(second.seen).toMatchObject({ text: "o();", ending: { outcome: "typed_ahead" } });
  const third = complete({ prefix: "const a = foo(", ...place });
  await third.done;
  expect(third.seen).toMatchObject({ text: ");", ending: { outcome: "typed_ahead" } });
  expect([workers.stream("w1").of("submit").length, rest()]).toEqual([1, quiet]);
});

test("gated: evidence against an answer ends it before anything is asked", async () => {
  const { complete, workers, rest } = await ready();
  const { seen, done } = complete({ prefix: "con", suffix: "st a" });
  await done;
  expect(seen.ending).toMatchObject({ outcome: "gated", reason: "gated" });
  expect([workers.stream("w1").of("submit").length, rest()]).toEqual([0, quiet]);
});

test("gated: under load what would wait too long is turned away, what was asked for is not", async () => {
  const { complete, clock, workers, rest } = await ready();
  const busy = Array.from({ length: 4 }, (_, i) => complete({ prefix: `a${i} = `, ...invoked, deadlineMs: 60_000 }));
  await clock.advance(10_000);
  const { id } = workers.submitted("w1");
  workers.stream("w1").say({ case: "done", value: { id, finish: Finish.STOP } });
  await clock.advance(0);
  const waiting = ["b = ", "c = "].map((prefix) => complete({ prefix, ...invoked, deadlineMs: 60_000 }));
  await clock.advance(0);
  expect(rest().queued).toBe(1);
  const auto = complete({ prefix: "d = " });
  await auto.done;
  expect(auto.seen.ending).toMatchObject({ outcome: "gated", reason: "brownout" });
  expect(auto.seen.ending?.retryAfterMs).toBeGreaterThan(250);
  for (const { caller } of [...busy, ...waiting]) caller.abort();
});

test("who has a slot kept at their session's worker is not turned away for another tenant's flood that waits", async () => {
  const { complete, clock, answer, session, router } = await ready();
  const slow = { ...invoked, deadlineMs: 60_000 };
  const first = complete({ sessionId: "s1", prefix: "a = ", ...slow });
  await clock.advance(5_000);
  await answer("w1", ["1;"]);
  await first.done;
  for (let i = 0; i < 5; i++) {
    const flood = session("flood");
    const value = { triggerId: "t", documentId: "d1", version: 1n, offsetUtf16: 10, kind: TriggerKind.INVOKED, deadlineMs: 60_000 };
    await flood.say({ case: "hello", value: { protocol: "1", client: "test", sessionId: `f${i}` } }, opened(`const ${i} = `), {
      case: "trigger",
      value,
    });
  }
  expect(router.rooms.queue.length).toBe(2);
  const autos = ["s1", "s2"].map((sessionId) => complete({ sessionId, prefix: "d = " }));
  await clock.advance(0);
  expect(autos.map(({ seen }) => seen.ending?.reason)).toEqual([undefined, "brownout"]);
  for (const { caller } of autos) caller.abort();
});

test.each<[name: string, texts: readonly string[], finish: Finish, reason: "empty" | "duplicate"]>([
  ["no text", [], Finish.STOP, "empty"],
  ["white space", ["  ", "\n\n"], Finish.STOP, "empty"],
  ["what already stands there", ["foo();"], Finish.STOP, "duplicate"],
])("empty: %s is nothing, and known the next time", async (_, texts, finish, reason) => {
  const { complete, clock, answer, rest } = await ready();
  const request = { prefix: "a\n", suffix: "foo();\n", ...invoked };
  const { seen, done } = complete(request);
  await clock.advance(0);
  await answer("w1", texts, finish);
  await done;
  expect(seen).toMatchObject({ text: "", ending: { outcome: "empty", reason, worker: "w1" } });
  const again = complete(request);
  await again.done;
  expect(again.seen.ending).toMatchObject({ outcome: "empty", reason: "empty" });
  expect(rest()).toEqual(quiet);
});

test("superseded before it was sent: nothing is asked for the older", async () => {
  const { complete, clock, workers, rest } = await ready();
  const older = complete({ prefix: "a", ...place });
  const newer = complete({ prefix: "ab", ...place });
  await older.done;
  expect(older.seen.ending).toMatchObject({ outcome: "superseded", reason: "superseded" });
  await clock.advance(0);
  expect(workers.stream("w1").of("submit")).toHaveLength(1);
  newer.caller.abort();
  await newer.done;
  expect(newer.seen.ending).toMatchObject({ outcome: "cancelled" });
  expect(rest()).toMatchObject({ queued: 0, turns: 0 });
});

test("superseded in the queue: the older never reaches a worker", async () => {
  const { complete, clock, workers, rest, router } = await ready();
  workers.stream("w1").say({ case: "credits", value: {} });
  await clock.advance(0);
  const older = complete({ prefix: "a", ...place, ...invoked });
  await clock.advance(0);
  expect(router.rooms.queue.length).toBe(1);
  const newer = complete({ prefix: "xyz", ...place, ...invoked });
  await older.done;
  expect(older.seen.ending).toMatchObject({ outcome: "superseded" });
  expect(rest().queued).toBe(1);
  workers.stream("w1").say({ case: "credits", value: { inline: 1 } });
  await clock.advance(0);
  expect(workers.stream("w1").of("submit")).toHaveLength(1);
  newer.caller.abort();
  await newer.done;
});

test("superseded while it decodes: Cancel is said in the tick in which the newer came", async () => {
  const { complete, clock, workers, answer, rest } = await ready();
  const older = complete({ prefix: "f(() => {", ...place, ...invoked });
  await clock.advance(0);
  await answer("w1", ["\n  a();\n"], "none");
  const { id } = workers.submitted("w1");
  const newer = complete({ prefix: "xyz", ...place, ...invoked });
  expect(workers.stream("w1").of("cancel")).toMatchObject([{ id }]);
  await older.done;
  expect(older.seen).toMatchObject({ text: "\n  a();", ending: { outcome: "superseded" } });
  workers.stream("w1").say({ case: "cancelAck", value: { id } });
  await clock.advance(0);
  await answer("w1", ["1;"]);
  await newer.done;
  expect(newer.seen.ending).toMatchObject({ outcome: "generated" });
  expect(rest()).toEqual(quiet);
});

test("expired in the queue: nothing is started late", async () => {
  const { complete, clock, workers, rest } = await ready();
  workers.stream("w1").say({ case: "credits", value: {} });
  await clock.advance(0);
  const { seen, done } = complete({ prefix: "a", ...invoked, deadlineMs: 50 });
  await clock.advance(50);
  await done;
  expect(seen.ending).toMatchObject({ outcome: "expired", reason: "deadline" });
  workers.stream("w1").say({ case: "credits", value: { inline: 4 } });
  await clock.advance(0);
  expect([workers.stream("w1").of("submit").length, rest()]).toEqual([0, quiet]);
});

test("at its deadline a completion is what is complete so far, else expired", async () => {
  const { complete, clock, answer, workers } = await ready();
  const some = complete({ prefix: "f(() => {", ...invoked, deadlineMs: 100 });
  await clock.advance(0);
  await answer("w1", ["\n  a();\n  b"], "none");
  const none = complete({ prefix: "g = ", ...invoked, deadlineMs: 100 });
  await clock.advance(0);
  await answer("w1", ["h"], "none");
  await clock.advance(100);
  await Promise.all([some.done, none.done]);
  expect(some.seen).toMatchObject({ text: "\n  a();", ending: { outcome: "generated", finish: "deadline" } });
  expect(none.seen).toMatchObject({ text: "", ending: { outcome: "expired", reason: "deadline" } });
  expect(workers.stream("w1").of("cancel")).toHaveLength(2);
  // What the deadline cut is not the answer to the next.
  const again = complete({ prefix: "f(() => {", ...invoked });
  await clock.advance(0);
  expect(workers.stream("w1").of("submit")).toHaveLength(3);
  again.caller.abort();
  await again.done;
});

test("refused: a model that nobody serves, by its name", async () => {
  const { complete, rest } = await ready();
  const { seen, done } = complete({ prefix: "a", ...invoked, model: "unheard-of" });
  await done;
  expect(seen.ending).toMatchObject({ outcome: "refused", code: "not_found", detail: expect.stringContaining('"unheard-of"') });
  expect(rest()).toEqual(quiet);
});

test("refused: a full queue says when to come again", async () => {
  const { complete, clock, workers } = await ready({ queueMax: 1 });
  workers.stream("w1").say({ case: "credits", value: {} });
  await clock.advance(0);
  const first = complete({ prefix: "a", ...invoked });
  const second = complete({ prefix: "b", ...invoked });
  await second.done;
  expect(second.seen.ending).toMatchObject({ outcome: "refused", reason: "quota", code: "overloaded" });
  expect(second.seen.ending?.retryAfterMs).toBeGreaterThan(0);
  first.caller.abort();
  await first.done;
});

test("failed: without any worker, at once", async () => {
  const { complete, rest } = { ...(await (async () => routed())()), rest: undefined };
  const { seen, done } = complete({ prefix: "a", ...invoked });
  await done;
  expect(seen.ending).toMatchObject({ outcome: "failed", code: "no_worker", retryAfterMs: 500 });
  expect(rest).toBeUndefined();
});

/** Which worker holds the one generation that is under way. */
const holder = (workers: Awaited<ReturnType<typeof ready>>["workers"], names: readonly string[]) =>
  names.findLast((name) => workers.stream(name).of("submit").length > 0) as string;

test.each<[name: string, code: string]>([
  ["refuses", "overloaded"],
  ["drains", "draining"],
  ["failed", "engine_failed"],
])("a worker that %s is replaced by another before the first text", async (_, code) => {
  const names = ["w1", "w2"];
  const { complete, clock, workers, answer, rest, metrics } = await ready({ workers: names });
  const { seen, done } = complete({ prefix: "a = ", ...invoked });
  await clock.advance(0);
  const first = holder(workers, names);
  const second = names.find((name) => name !== first) as string;
  workers.stream(first).say({ case: "refused", value: { id: workers.submitted(first).id, code } });
  await clock.advance(0);
  await answer(second, ["1;"]);
  await done;
  expect(seen).toMatchObject({ text: "1;", ending: { outcome: "generated", worker: second } });
  expect([metrics.count("worker_retries_total"), rest()]).toEqual([1, quiet]);
});

test.each<[code: string, failed: number]>([
  ["overloaded", 0],
  ["draining", 0],
  ["too_late", 0],
  ["engine_failed", 1],
  ["internal", 1],
  ["lost", 1],
])("of a revision's workers one that ends a generation with %s counts as %i failed", async (code, failed) => {
  const bus = new MemoryBus({ shared: true });
  const { complete, clock, workers, answer } = routed({ workers: ["w1", "w2"] }, { bus });
  let counted = 0;
  bus.listen("slipstream.v1.load.*", ({ data }) => {
    for (const { revisions } of fromBinary(PoolLoadSchema, data).lanes) for (const each of revisions) counted += each.failed;
  });
  for (const name of ["w1", "w2"]) await workers.welcome(name, 4, { revision: `of-${name}` });
  const { seen, done } = complete({ prefix: "a = ", ...invoked });
  await clock.advance(0);
  const first = holder(workers, ["w1", "w2"]);
  if (code === "lost") workers.stream(first).cut();
  else workers.stream(first).say({ case: "refused", value: { id: workers.submitted(first).id, code } });
  await clock.advance(0);
  if (code !== "internal") await answer(first === "w1" ? "w2" : "w1", ["1;"]);
  await done;
  expect(seen.ending?.outcome).toBe(code === "internal" ? "failed" : "generated");
  await clock.advance(1_000);
  expect(counted).toBe(failed);
});

test("a worker lost before its first delta is replaced", async () => {
  const names = ["w1", "w2"];
  const { complete, clock, workers, answer } = await ready({ workers: names });
  const { seen, done } = complete({ prefix: "a = ", ...invoked });
  await clock.advance(0);
  const first = holder(workers, names);
  workers.stream(first).cut();
  await clock.advance(0);
  await answer(names.find((name) => name !== first) as string, ["1;"]);
  await done;
  expect(seen).toMatchObject({ text: "1;", ending: { outcome: "generated" } });
});

test("a worker lost after text was shown is followed by another that goes on where it ended", async () => {
  const names = ["w1", "w2"];
  const { complete, clock, workers, answer, rest, metrics } = await ready({ workers: names });
  const { seen, done } = complete({ prefix: "f(() => {", ...invoked, sampling: { maxTokens: 20 } });
  await clock.advance(0);
  const first = holder(workers, names);
  const second = names.find((name) => name !== first) as string;
  const { segments } = workers.submitted(first);
  await answer(first, ["\n  a();\n"], "none");
  workers.stream(first).cut();
  await clock.advance(0);
  const next = workers.submitted(second);
  expect(next.segments.map(({ part }) => part.value)).toEqual([...segments.map(({ part }) => part.value), "\n  a();\n"]);
  expect(next.sampling?.maxTokens).toBe(19);
  const usage = { promptTokens: 9, cachedTokens: 8, recomputedTokens: 1, completionTokens: 2 };
  workers.stream(second).say({ case: "delta", value: { id: next.id, text: "});", tokens: 1 } });
  workers.stream(second).say({ case: "done", value: { id: next.id, finish: Finish.STOP, usage } });
  await clock.advance(0);
  await done;
  expect(seen).toMatchObject({ text: "\n  a();\n});", ending: { outcome: "generated", worker: second } });
  // What was lost cost one token, as far as it was told.
  expect(seen.ending?.usage).toMatchObject({ completionTokens: 3, promptTokens: 9 });
  expect([metrics.count("worker_retries_total", { when: "after_text" }), rest()]).toEqual([1, quiet]);
});

test("what was sampled with a seed is not gone on with elsewhere: it would be another text", async () => {
  const names = ["w1", "w2"];
  const { complete, clock, workers, answer, rest } = await ready({ workers: names });
  const { seen, done } = complete({ prefix: "f(() => {", ...invoked, sampling: { maxTokens: 20, temperature: 0.5, seed: 7n } });
  await clock.advance(0);
  const first = holder(workers, names);
  await answer(first, ["\n  a();\n"], "none");
  workers.stream(first).cut();
  await done;
  expect(seen).toMatchObject({ text: "\n  a();", ending: { outcome: "failed", code: "worker_lost" } });
  expect(rest()).toEqual(quiet);
});

test("an identical prompt that is under way is joined: one generation, one answer each", async () => {
  const { complete, clock, workers, answer, rest } = await ready();
  const both = [complete({ prefix: "a = ", ...invoked }), complete({ prefix: "a = ", ...invoked })];
  await clock.advance(0);
  expect(workers.stream("w1").of("submit")).toHaveLength(1);
  await answer("w1", ["1;"]);
  await Promise.all(both.map(({ done }) => done));
  expect(both.map(({ seen }) => [seen.text, seen.ending?.outcome])).toEqual([
    ["1;", "generated"],
    ["1;", "joined"],
  ]);
  expect(rest()).toEqual(quiet);
});

test("who leaves a joined generation does not end it for the other", async () => {
  const { complete, clock, workers, answer } = await ready();
  const [first, second] = [complete({ prefix: "a = ", ...invoked }), complete({ prefix: "a = ", ...invoked })];
  await clock.advance(0);
  first.caller.abort();
  await first.done;
  expect(workers.stream("w1").of("cancel")).toEqual([]);
  await answer("w1", ["1;"]);
  await second.done;
  expect([first.seen.ending?.outcome, second.seen.ending?.outcome]).toEqual(["cancelled", "joined"]);
});

test("joined: who types what is being generated reads on, though the older is superseded", async () => {
  const { complete, clock, workers, answer } = await ready();
  const older = complete({ prefix: "a = ", ...place, ...invoked });
  await clock.advance(0);
  await answer("w1", ["foo("], "none");
  const newer = complete({ prefix: "a = fo", ...place, ...invoked });
  await older.done;
  await answer("w1", ["1);"]);
  await newer.done;
  expect(older.seen.ending).toMatchObject({ outcome: "superseded" });
  expect(newer.seen).toMatchObject({ text: "o(1);", ending: { outcome: "joined" } });
  expect([workers.stream("w1").of("submit").length, workers.stream("w1").of("cancel").length]).toEqual([1, 0]);
});

test("what cannot get better elsewhere is not tried elsewhere", async () => {
  const names = ["w1", "w2"];
  const { complete, clock, workers } = await ready({ workers: names });
  const { seen, done } = complete({ prefix: "a = ", ...invoked });
  await clock.advance(0);
  const first = holder(workers, names);
  workers.stream(first).say({ case: "refused", value: { id: workers.submitted(first).id, code: "invalid_request" } });
  await clock.advance(0);
  await done;
  expect(seen.ending).toMatchObject({ outcome: "refused", code: "invalid_request" });
});

test("one worker that always refuses is asked five times, not without end", async () => {
  const { complete, clock, workers, rest } = await ready();
  const { seen, done } = complete({ prefix: "a = ", ...invoked });
  for (let i = 0; i < 5; i++) {
    await clock.advance(0);
    workers.stream("w1").say({ case: "refused", value: { id: workers.submitted("w1").id, code: "overloaded" } });
  }
  await clock.advance(0);
  await done;
  expect(seen.ending).toMatchObject({ outcome: "refused", reason: "quota" });
  expect([workers.stream("w1").of("submit").length, rest()]).toEqual([5, quiet]);
});

test("a lone worker that is lost is waited for until the deadline", async () => {
  const { complete, clock, workers, answer, rest } = await ready();
  const { seen, done } = complete({ prefix: "a = ", ...invoked });
  await clock.advance(0);
  workers.stream("w1").cut();
  await clock.advance(100);
  await workers.welcome("w1");
  await answer("w1", ["1;"]);
  await done;
  expect(seen).toMatchObject({ text: "1;", ending: { outcome: "generated" } });
  expect(rest()).toEqual(quiet);
});

test("a trigger that comes while the only link is made anew waits for it", async () => {
  const { complete, clock, workers, answer, rest } = await ready();
  workers.stream("w1").cut();
  await clock.advance(0);
  const { seen, done } = complete({ prefix: "a = ", ...invoked });
  await clock.advance(100);
  await workers.welcome("w1");
  await answer("w1", ["1;"]);
  await done;
  expect(seen).toMatchObject({ text: "1;", ending: { outcome: "generated" } });
  expect(rest()).toEqual(quiet);
});

test("a stalled worker's generation goes to one with a free slot, and its tokens are booked once", async () => {
  const names = ["w1", "w2"];
  const { complete, clock, workers, metrics, rest } = await ready({ workers: names });
  const ask = (nth: number) => complete({ prefix: `a${nth} = `, sessionId: `s${nth}`, documentId: "d", ...invoked });
  const say = (name: string) => {
    const { id } = workers.submitted(name);
    workers.stream(name).say({ case: "delta", value: { id, text: "1;", tokens: 1 } });
    workers.stream(name).say({ case: "done", value: { id, finish: Finish.STOP, usage: { completionTokens: 1 } } });
  };
  for (let i = 0; i < 40; i++) {
    const { done } = ask(i);
    await clock.advance(5);
    for (const name of names) if (workers.stream(name).of("submit").length > 0) say(name);
    await clock.advance(0);
    await done;
  }
  const before = names.map((name) => workers.stream(name).of("submit").length);
  const { seen, done } = ask(99);
  await clock.advance(5);
  const first = names.find((name, i) => workers.stream(name).of("submit").length > (before[i] as number)) as string;
  const second = names.find((name) => name !== first) as string;
  await clock.advance(40);
  say(second);
  await clock.advance(0);
  await done;
  expect(seen.ending).toMatchObject({ outcome: "generated", worker: second, usage: { completionTokens: 1 } });
  workers.stream(first).say({ case: "cancelAck", value: { id: workers.submitted(first).id } });
  await clock.advance(0);
  expect([metrics.count("hedges_total", { end: "won" }), rest()]).toEqual([1, quiet]);
});

test("who waits for a worker that drains goes back to the one it had avoided", async () => {
  const names = ["w1", "w2"];
  const { complete, clock, workers, answer } = await ready({ workers: names });
  const { seen, done } = complete({ prefix: "a = ", ...invoked });
  await clock.advance(0);
  const first = holder(workers, names);
  const second = names.find((name) => name !== first) as string;
  workers.stream(second).say({ case: "credits", value: {} });
  await clock.advance(0);
  workers.stream(first).say({ case: "refused", value: { id: workers.submitted(first).id, code: "overloaded" } });
  await clock.advance(0);
  expect(workers.stream(first).of("submit")).toHaveLength(1);
  workers.stream(second).say({ case: "draining", value: { graceMs: 1_000 } });
  await clock.advance(0);
  await answer(first, ["1;"]);
  await done;
  expect(seen.ending).toMatchObject({ outcome: "generated", worker: first });
});

test("a trigger that had ended before it ran retires nobody and asks nobody", async () => {
  const { complete, clock, workers, router, answer } = await ready();
  const running = complete({ prefix: "a = ", ...place, ...invoked });
  await clock.advance(0);
  const { trigger } = complete({ prefix: "never run", sessionId: "s2", documentId: "d2" });
  const late = { ...trigger, document: running.trigger.document };
  late.retire(new Retired("cancelled"));
  const path = router.run(late, {});
  expect((await path.next()).value).toMatchObject({ outcome: "cancelled" });
  expect(running.trigger.signal.aborted).toBe(false);
  await answer("w1", ["1;"]);
  await running.done;
  expect(running.seen.ending).toMatchObject({ outcome: "generated" });
  expect(workers.stream("w1").of("submit")).toHaveLength(1);
});

test("a reader that leaves between two texts ends everything that was under way", async () => {
  const { clock, workers, answer, rest, router, complete } = await ready();
  const { trigger } = complete({ prefix: "unused" });
  trigger.retire(new Retired("cancelled"));
  await clock.advance(0);
  const request = complete({ prefix: "f(() => {", ...invoked, shape: Shape.BLOCK });
  await clock.advance(0);
  await answer("w1", ["\n  a();\n", "  b();\n"], "none");
  await clock.advance(0);
  request.caller.abort();
  await request.done;
  expect(request.seen.ending).toMatchObject({ outcome: "cancelled" });
  expect(workers.stream("w1").of("cancel")).toHaveLength(1);
  workers.stream("w1").say({ case: "cancelAck", value: { id: workers.submitted("w1").id } });
  await clock.advance(0);
  expect(rest()).toEqual(quiet);
  router.close();
});

test("each trigger is counted once, and after all of them only links keep timers", async () => {
  const { complete, clock, workers, metrics, router, answer } = await ready();
  const all = [
    complete({ prefix: "con", suffix: "st" }),
    complete({ prefix: "a", ...place }),
    complete({ prefix: "ab", ...place }),
    complete({ prefix: "a", model: "unheard-of", ...invoked }),
    complete({ prefix: "b = ", ...invoked }),
  ];
  await clock.advance(15);
  for (const { id } of workers.stream("w1").of("submit")) {
    workers.stream("w1").say({ case: "delta", value: { id, text: "1;", tokens: 1 } });
    workers.stream("w1").say({ case: "done", value: { id, finish: Finish.STOP } });
  }
  await clock.advance(0);
  await Promise.all(all.map(({ done }) => done));
  expect(all.map(({ seen }) => seen.ending?.outcome)).toEqual(["gated", "superseded", "generated", "refused", "generated"]);
  expect(metrics.count("outcomes_total")).toBe(5);
  await clock.advance(100);
  expect(clock.waiting).toBe(0);
  router.close();
  await expect(answer("w1", [])).resolves.toBeUndefined();
});

/** A worker that was seen to take 10 ms a token, five of them an answer, and is busy. */
async function paced(given: Parameters<typeof ready>[0] = {}) {
  const made = await ready(given);
  const { complete, clock, workers } = made;
  const first = complete({ prefix: "first = ", ...invoked });
  await clock.advance(0);
  const { id } = workers.submitted("w1");
  const usage = { promptTokens: 20, completionTokens: 5, decodeMs: 50 };
  workers.stream("w1").say({ case: "delta", value: { id, text: "1;", tokens: 5 } });
  workers.stream("w1").say({ case: "done", value: { id, finish: Finish.STOP, usage } });
  await clock.advance(0);
  await first.done;
  const busy = complete({ prefix: "busy = ", ...invoked, deadlineMs: 60_000 });
  await clock.advance(0);
  return { ...made, busy };
}

test("refused: what no worker can answer in time is refused at once, and nothing is asked", async () => {
  const { complete, workers, metrics, busy } = await paced();
  const before = workers.stream("w1").of("submit").length;
  const late = complete({ prefix: "b = ", ...invoked, deadlineMs: 30 });
  await late.done;
  expect(late.seen.ending).toMatchObject({ outcome: "refused", reason: "deadline", code: "too_late" });
  expect(late.seen.ending?.retryAfterMs).toBeGreaterThan(0);
  expect(workers.stream("w1").of("submit")).toHaveLength(before);
  expect(metrics.count("queue_refused_total", { lane: "inline", why: "late" })).toBe(1);
  busy.caller.abort();
});

test("closing ends who waits and who reads", async () => {
  const { complete, clock, workers, router } = await ready();
  const reading = complete({ prefix: "a = ", ...invoked });
  await clock.advance(0);
  workers.stream("w1").say({ case: "credits", value: {} });
  await clock.advance(0);
  const waiting = complete({ prefix: "b = ", ...invoked });
  await clock.advance(0);
  router.close();
  await Promise.all([reading.done, waiting.done]);
  for (const { seen } of [reading, waiting]) expect(seen.ending).toMatchObject({ outcome: "failed", code: "draining" });
  expect(router.missing()).toEqual(["worker"]);
});
