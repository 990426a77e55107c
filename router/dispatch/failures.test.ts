// The story of workers that stall, fall silent, refuse, or keep what they should give back.
import { expect, test } from "vitest";
import type { SlipstreamError } from "../../lib/errors.ts";
import { Finish } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { dispatched, prompt } from "../../test/support/dispatched.ts";
import { triggerAt } from "../../test/support/router.ts";
import { Retired } from "../completion.ts";

const usage = { promptTokens: 10, completionTokens: 5 };

/** Two workers that have answered often, within 10 ms each. */
async function used(names = ["w1", "w2"], given: Parameters<typeof dispatched>[1] = {}) {
  const made = dispatched(names, given);
  const { workers, ask, clock } = made;
  for (const name of names) await workers.welcome(name);
  for (const name of names) {
    for (let i = 0; i < 10; i++) {
      const { read } = ask(name);
      const reading = read();
      await clock.advance(10);
      const { id } = workers.submitted(name);
      workers.stream(name).say({ case: "delta", value: { id, text: "x", tokens: 1 } });
      workers.stream(name).say({ case: "done", value: { id, finish: Finish.STOP, usage } });
      await workers.run();
      await reading;
    }
  }
  made.released.length = 0;
  const submits = (name: string) => workers.stream(name).of("submit").length - 10;
  return { ...made, submits };
}

test("a stalled owner is hedged once, and its loser cancelled in the tick of the first text", async () => {
  const { workers, ask, clock, submits, metrics, released, dispatch } = await used();
  const { seen, read } = ask("w1", {}, "w2");
  const reading = read();
  await clock.advance(25);
  expect(submits("w2")).toBe(0);
  await clock.advance(15);
  expect(submits("w2")).toBe(1);
  await clock.advance(200);
  expect(submits("w2")).toBe(1);
  const second = workers.submitted("w2");
  workers.stream("w2").say({ case: "delta", value: { id: second.id, text: "fast", tokens: 1 } });
  await workers.run();
  expect([seen.text, seen.won]).toEqual(["fast", "w2"]);
  expect(workers.stream("w1").of("cancel")).toMatchObject([{ id: workers.submitted("w1").id }]);
  workers.stream("w2").say({ case: "done", value: { id: second.id, finish: Finish.STOP, usage } });
  // What the loser says late is nobody's.
  workers.stream("w1").say({ case: "delta", value: { id: workers.submitted("w1").id, text: "slow", tokens: 4 } });
  workers.stream("w1").say({ case: "cancelAck", value: { id: workers.submitted("w1").id, usage } });
  await workers.run();
  await reading;
  expect(seen).toMatchObject({ text: "fast", end: { worker: "w2", usage: { completionTokens: 5 } } });
  expect([released.sort(), dispatch.outstanding]).toEqual([["w1", "w2"], 0]);
  const hedges = (end: string) => metrics.count("hedges_total", { end });
  expect([hedges("sent"), hedges("won"), hedges("lost")]).toEqual([1, 1, 0]);
  expect(metrics.count("completion_tokens_total", { fate: "wasted" })).toBe(5);
});

test("an owner that answers after all wins over its hedge", async () => {
  const { workers, ask, clock, submits, metrics } = await used();
  const { seen, read } = ask("w1", {}, "w2");
  void read();
  await clock.advance(60);
  expect(submits("w2")).toBe(1);
  workers.stream("w1").say({ case: "delta", value: { id: workers.submitted("w1").id, text: "late", tokens: 1 } });
  await workers.run();
  expect([seen.text, seen.won]).toEqual(["late", undefined]);
  expect(workers.stream("w2").of("cancel")).toHaveLength(1);
  expect(metrics.count("hedges_total", { end: "lost" })).toBe(1);
});

test("both that speak in one tick make one text", async () => {
  const { workers, ask, clock } = await used();
  const { seen, read } = ask("w1", {}, "w2");
  void read();
  await clock.advance(60);
  for (const name of ["w2", "w1"])
    workers.stream(name).say({ case: "delta", value: { id: workers.submitted(name).id, text: name, tokens: 1 } });
  await workers.run();
  expect(seen.text).toBe("w2");
});

test.each(["chat", "batch", "speculative"] as const)("%s work is not hedged", async (lane) => {
  const { ask, clock, submits } = await used();
  const { read } = ask("w1", { lane }, "w2");
  void read();
  await clock.advance(1_000);
  expect(submits("w2")).toBe(0);
});

test("a text that has begun is not hedged, however long it stands still", async () => {
  const { workers, ask, clock, submits } = await used();
  const { read } = ask("w1", {}, "w2");
  void read();
  await clock.advance(20);
  workers.stream("w1").say({ case: "delta", value: { id: workers.submitted("w1").id, text: "begun", tokens: 1 } });
  await clock.advance(200);
  expect(submits("w2")).toBe(0);
});

test("a second try that would take longer than the first was late waits for that, and is not sent when the first answers", async () => {
  const { workers, ask, clock, submits, metrics } = await used(["w1", "w2"], { silentMinMs: 60_000 });
  const takesMs = 100;
  const { read } = ask("w1", {}, "w2", takesMs);
  void read();
  await clock.advance(60);
  expect(submits("w2")).toBe(0);
  await clock.advance(60);
  expect(submits("w2")).toBe(1);
  const other = ask("w1", {}, "w2", takesMs);
  void other.read();
  await clock.advance(60);
  workers.stream("w1").say({ case: "delta", value: { id: workers.submitted("w1").id, text: "a", tokens: 1 } });
  await clock.advance(1_000);
  expect([submits("w2"), metrics.count("hedges_total", { end: "sent" })]).toEqual([1, 1]);
});

test("hedges are bounded, and what is beyond is not sent", async () => {
  const { ask, clock, submits, metrics } = await used(["w1", "w2"], {
    hedging: { share: 0.05, burst: 2 },
    silentMinMs: 60_000,
  });
  for (let i = 0; i < 8; i++) void ask("w1", {}, "w2").read();
  await clock.advance(300);
  expect(submits("w2")).toBe(2);
  expect(metrics.count("hedges_total", { end: "not_sent" })).toBe(6);
});

test("a superseded trigger cancels both of its workers in the same tick", async () => {
  const { workers, ask, clock, codeOf } = await used();
  const { trigger, seen, read } = ask("w1", {}, "w2");
  const reading = read();
  await clock.advance(60);
  trigger.retire(new Retired("superseded"));
  for (const name of ["w1", "w2"]) expect(workers.stream(name).of("cancel")).toHaveLength(1);
  await reading;
  expect(codeOf(seen.error)).toBe("superseded");
});

test("a hedge that is refused leaves the first one in the race, and the other way round", async () => {
  const { workers, ask, clock } = await used();
  const { seen, read } = ask("w1", {}, "w2");
  void read();
  await clock.advance(60);
  workers.stream("w2").say({ case: "refused", value: { id: workers.submitted("w2").id, code: "overloaded" } });
  await workers.run();
  expect(seen.error).toBeUndefined();
  workers.stream("w1").say({ case: "delta", value: { id: workers.submitted("w1").id, text: "a", tokens: 1 } });
  await workers.run();
  expect(seen.text).toBe("a");
});

test("a worker whose hedges win three times in a row is left alone, then probed", async () => {
  const { workers, ask, clock, dispatch, roster } = await used(["w1", "w2"], { silentMinMs: 60_000 });
  for (let i = 0; i < 3; i++) {
    expect(dispatch.bars("w1")).toBe(false);
    void ask("w1", {}, "w2").read();
    await clock.advance(60);
    workers.stream("w2").say({ case: "delta", value: { id: workers.submitted("w2").id, text: "a", tokens: 1 } });
    await workers.run();
  }
  expect([dispatch.bars("w1"), dispatch.bars("w2"), [...dispatch.barred]]).toEqual([true, false, ["w1"]]);
  await clock.advance(250);
  expect([dispatch.bars("w1"), dispatch.barred.size, roster.at(-1)]).toEqual([false, 0, "capacity"]);
  void ask("w1").read();
  // One tries it: until that one has answered, nobody else is placed there.
  expect([dispatch.bars("w1"), [...dispatch.barred]]).toEqual([true, ["w1"]]);
  workers.stream("w1").say({ case: "delta", value: { id: workers.submitted("w1").id, text: "a", tokens: 1 } });
  await workers.run();
  expect([dispatch.bars("w1"), dispatch.barred.size]).toEqual([false, 0]);
});

test.each<[name: string, tookMs: number, recomputed: number[], load: { stepMs?: number; rate?: number }, barred: boolean]>([
  ["answers warm prompts in twice the usual time and more", 60, [5, 5, 5], {}, true],
  ["takes as long for prompts that it must compute", 60, [2_000, 2_000, 2_000], { rate: 40_000 }, false],
  ["takes five times as long for them as others would", 300, [2_000, 2_000, 2_000], { rate: 40_000 }, true],
  ["takes as long for prompts of which nobody knows what they take", 60, [2_000, 2_000, 2_000], {}, false],
  ["does both in turn", 60, [5, 2_000, 5, 2_000, 5], {}, true],
  ["answers hardly late, but steps five times as slowly as others", 15, [5, 5, 5], { stepMs: 25 }, true],
])("a worker that %s: left alone %4$s", async (_, tookMs, recomputed, { stepMs = 5, rate = 0 }, barred) => {
  const { workers, ask, clock, dispatch } = await used(["w1", "w2", "w3"], { silentMinMs: 60_000 });
  const load = (name: string, given: object) =>
    workers.stream(name).say({ case: "load", value: { stepMs: 5, prefillTokensPerSecond: rate, ...given } });
  for (const name of ["w1", "w2", "w3"]) load(name, {});
  for (const recomputedTokens of recomputed) {
    void ask("w1").read();
    await clock.advance(tookMs);
    load("w1", { stepMs, running: recomputedTokens });
    const prompt = { promptTokens: 2_000, recomputedTokens };
    workers.stream("w1").say({ case: "delta", value: { id: workers.submitted("w1").id, text: "a", tokens: 1, prompt } });
    await workers.run();
  }
  expect(dispatch.bars("w1")).toBe(barred);
});

test.each([
  ["one slot in use of four each", 1, true],
  ["all but one", 3, false],
])("a worker that is late is left alone only where others have slots for its work: %s", async (_, held, barred) => {
  const { workers, ask, clock, dispatch } = await used(["w1", "w2", "w3"], { silentMinMs: 60_000 });
  for (const name of ["w2", "w3"]) for (let i = 0; i < held; i++) void ask(name).read();
  for (let i = 0; i < 3; i++) {
    void ask("w1").read();
    await clock.advance(60);
    workers.stream("w1").say({ case: "delta", value: { id: workers.submitted("w1").id, text: "a", tokens: 1 } });
    await workers.run();
  }
  expect(dispatch.bars("w1")).toBe(barred);
});

test("what a silent worker owes is asked for elsewhere, if others speak", async () => {
  const { workers, ask, clock, dispatch, codeOf, released } = await used();
  const begun = ask("w1");
  const waiting = ask("w1", { lane: "chat" });
  const reading = Promise.all([begun.read(), waiting.read()]);
  await clock.advance(5);
  workers
    .stream("w1")
    .say({ case: "delta", value: { id: workers.stream("w1").of("submit").at(-1)?.id ?? 0n, text: "a", tokens: 1 } });
  await clock.advance(400);
  await reading;
  expect([codeOf(begun.seen.error), codeOf(waiting.seen.error)]).toEqual(["worker_lost", "worker_lost"]);
  expect([dispatch.bars("w1"), released]).toEqual([true, []]);
  // It comes back, acknowledges, and is asked again.
  for (const channel of ["inline", "bulk"] as const)
    for (const { id } of workers.stream("w1", channel).of("cancel"))
      workers.stream("w1", channel).say({ case: "cancelAck", value: { id } });
  await clock.advance(300);
  expect([dispatch.bars("w1"), released, dispatch.outstanding]).toEqual([false, ["w1", "w1"], 0]);
});

test("where many are silent it is the load: one of three is left alone, and no more", async () => {
  const { ask, clock, dispatch, workers } = await used(["w1", "w2", "w3"]);
  for (const name of ["w1", "w2"]) void ask(name).read();
  for (let i = 0; i < 30; i++) {
    await clock.advance(100);
    workers.stream("w3").say({ case: "load", value: { running: i } });
  }
  expect(["w1", "w2", "w3"].filter((name) => dispatch.bars(name))).toHaveLength(1);
});

test("where all are late nobody stalls: what was given up is what is expected", async () => {
  const { ask, clock, submits } = await used(["w1", "w2"], { silentMinMs: 60_000 });
  for (let i = 0; i < 12; i++)
    for (const name of ["w1", "w2"]) {
      const { trigger, read } = ask(name);
      void read();
      await clock.advance(150);
      trigger.retire(new Retired("expired"));
    }
  const before = submits("w2");
  void ask("w1", {}, "w2").read();
  await clock.advance(120);
  expect(submits("w2")).toBe(before);
});

test("a lone worker that is silent is waited for", async () => {
  const { workers, ask, clock, dispatch } = await used(["w1"]);
  const { seen, read } = ask("w1");
  void read();
  await clock.advance(2_000);
  expect([seen.error, dispatch.bars("w1")]).toEqual([undefined, false]);
  workers.stream("w1").say({ case: "delta", value: { id: workers.submitted("w1").id, text: "a", tokens: 1 } });
  await workers.run();
  expect(seen.text).toBe("a");
});

test("a worker that never acknowledges a Cancel loses its link, and the credit it kept", async () => {
  const { workers, ask, clock, released, dispatch, roster } = dispatched();
  await workers.welcome("w1");
  const { trigger, read } = ask();
  const reading = read();
  trigger.retire(new Retired("superseded"));
  await reading;
  await clock.advance(4_900);
  // It lives, and says so: that does not help.
  workers.stream("w1").say({ case: "load", value: { running: 1 } });
  await workers.run();
  expect([released, dispatch.outstanding]).toEqual([[], 1]);
  await clock.advance(300);
  expect([released, dispatch.outstanding, roster.includes("w1 left")]).toEqual([["w1"], 0, true]);
  await clock.advance(100);
  await workers.welcome("w1");
  expect(dispatch.links.ready).toBe(1);
});

test.each<[code: string, barred: boolean]>([
  ["engine_failed", true],
  ["overloaded", false],
  ["draining", false],
  ["invalid_request", false],
])("a worker that says %s three times in a row is left alone: %s", async (code, barred) => {
  const { workers, ask, dispatch } = dispatched();
  await workers.welcome("w1");
  for (let i = 0; i < 3; i++) {
    const { read } = ask();
    const reading = read();
    workers.stream("w1").say({ case: "refused", value: { id: workers.submitted("w1").id, code } });
    await workers.run();
    await reading;
  }
  expect(dispatch.bars("w1")).toBe(barred);
});

test("what a worker takes at most is kept to", async () => {
  const { workers, ask, codeOf, dispatch } = dispatched();
  await workers.welcome("w1", 4, { maxTokensMax: 16, promptBytesMax: prompt.bytes });
  void ask().read();
  expect(workers.submitted("w1").sampling?.maxTokens).toBe(16);
  const trigger = triggerAt("a|");
  const booking = { placement: { worker: "w1", why: "lease" as const }, release: () => {} };
  const deltas = dispatch.generate(trigger, { ...prompt, bytes: prompt.bytes + 1 }, booking);
  const thrown: unknown = await deltas.next().catch((error: unknown) => error);
  expect([codeOf(thrown), (thrown as SlipstreamError).field]).toEqual(["invalid_request", "prompt"]);
  expect(workers.stream("w1").of("submit")).toHaveLength(1);
});

test("a worker that comes back is told again what is queued", async () => {
  const { workers, dispatch, clock } = dispatched();
  await workers.welcome("w1");
  dispatch.demand({ inline: 3, chat: 0, speculative: 0, batch: 0 });
  workers.stream("w1").cut();
  await clock.advance(100);
  expect(workers.stream("w1").of("demand")).toEqual([]);
  await workers.welcome("w1");
  expect(workers.stream("w1").of("demand")).toMatchObject([{ inline: 3 }]);
});

test("each lane's credits are those of its own stream", async () => {
  const { workers, roster } = dispatched();
  await workers.welcome("w1", 4);
  // Older than what the inline stream has said: it is for chat and batch alone.
  workers.stream("w1", "bulk").say({ case: "credits", value: { inline: 9, chat: 1, speculative: 9, batch: 1 } });
  await workers.run();
  expect(roster.at(-1)).toBe("w1 credits 4");
});

test("of what is said in one tick, credits are heard before ends", async () => {
  const { workers, ask, roster } = dispatched();
  await workers.welcome("w1");
  void ask().read();
  const { id } = workers.submitted("w1");
  const before = roster.length;
  const done = { frame: { case: "done" as const, value: { id } } };
  const credits = { frame: { case: "credits" as const, value: { inline: 1 } } };
  const load = { frame: { case: "load" as const, value: { running: 3 } } };
  workers.stream("w1").say({ case: "frames", value: { frames: [load, done, credits] } });
  await workers.run();
  expect(roster.slice(before)).toEqual(["w1 credits 1", "w1 runs 3"]);
});

test("credits that come with the welcome, or before it on the other stream, are not lost", async () => {
  const { workers, roster } = dispatched();
  const welcome = { frame: { case: "welcome" as const, value: { protocol: 1, worker: "w1", slots: 4 } } };
  const credits = { frame: { case: "credits" as const, value: { inline: 2, chat: 3 } } };
  for (const channel of ["bulk", "inline"] as const)
    workers.stream("w1", channel).say({ case: "frames", value: { frames: [welcome, credits] } });
  await workers.run();
  expect(roster.slice(-2)).toEqual(["w1 joined as w1 with 4", "w1 credits 2"]);
});

test("two streams that reach different workers are no link", async () => {
  const { workers, dispatch, clock } = dispatched();
  const welcome = (instance: string) => ({ case: "welcome" as const, value: { protocol: 1, worker: "w1", slots: 4, instance } });
  workers.stream("w1").say(welcome("a"));
  workers.stream("w1", "bulk").say(welcome("b"));
  await workers.run();
  expect(dispatch.links.ready).toBe(0);
  await clock.advance(100);
  expect(workers.streams).toHaveLength(4);
});

test("a worker that stays away is waited for no more", async () => {
  const { workers, clock, roster } = dispatched();
  await workers.welcome("w1");
  for (let i = 0; i < 60; i++) {
    workers.stream("w1").cut();
    await clock.advance(500);
  }
  expect(roster.filter((line) => line === "w1 gone")).toHaveLength(1);
});
