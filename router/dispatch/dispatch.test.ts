// The story of links and their generations, told by scripted workers.

import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import type { SlipstreamError } from "../../lib/errors.ts";
import { Finish, Speculation } from "../../proto/gen/slipstream/v1/completion_pb.ts";
import { Channel, Lane as LaneMessage } from "../../proto/gen/slipstream/v1/worker_pb.ts";
import { dispatched } from "../../test/support/dispatched.ts";
import { triggerAt } from "../../test/support/router.ts";
import { Retired } from "../completion.ts";

const room = dispatched;

const usage = { promptTokens: 10, cachedTokens: 8, recomputedTokens: 2, completionTokens: 5, drafted: 4, draftAccepted: 3 };

test("a link says hello on both its streams and is ready once it is welcomed", async () => {
  const { workers, dispatch, roster, metrics } = room(["w1", "w2"]);
  const hellos = workers.streams.map(({ address, said }) => [address, said]);
  expect(hellos).toHaveLength(4);
  expect(workers.stream("w1").said).toMatchObject([
    { case: "hello", value: { protocolMin: 1, protocolMax: 1, router: "r1", channel: Channel.INLINE } },
  ]);
  expect(workers.stream("w1", "bulk").said).toMatchObject([{ case: "hello", value: { channel: Channel.BULK } }]);
  expect(dispatch.links).toEqual({ ready: 0, all: 2 });
  await workers.welcome("w1", 3);
  expect(dispatch.links).toEqual({ ready: 1, all: 2 });
  expect(roster).toEqual(["w1 joined as w1 with 4", "w1 credits 3", "w1 credits 3"]);
  expect(metrics.unrest(["links"])).toEqual(["links{state=ready} 1", "links{state=down} 1"]);
});

test("a generation goes from Submit over its deltas to Done", async () => {
  const { workers, ask, released, clock, metrics, dispatch } = room();
  await workers.welcome("w1");
  await clock.advance(100);
  const { seen, read } = ask("w1", { sampling: { ...triggerAt("|").sampling, seed: 7, speculation: "off" }, shape: "line" });
  expect(workers.submitted("w1")).toMatchObject({
    lane: LaneMessage.INLINE,
    model: "m",
    segments: [{ part: { case: "special", value: "<SUF>" } }, { part: { case: "text", value: "a" } }],
    sampling: { maxTokens: 64, temperature: 0, seed: 7n, stop: ["\n\n"], speculation: Speculation.OFF },
    deadlineMs: 500,
    affinity: "default/s1 d1",
    cacheSalt: "default",
    draftDepthHint: 0,
    stopAtNewline: true,
  });
  const { id } = workers.submitted("w1");
  const reading = read();
  const worker = workers.stream("w1");
  const promptUse = { promptTokens: 10, cachedTokens: 8, recomputedTokens: 2 };
  worker.say({ case: "delta", value: { id, text: "foo", tokens: 1, confidence: 0.5, prompt: promptUse } });
  await workers.run();
  expect(seen.deltas).toEqual([{ text: "foo", tokens: 1, confidence: 0.5, prompt: promptUse }]);
  worker.say({ case: "delta", value: { id, text: "bar", tokens: 2 } });
  worker.say({ case: "done", value: { id, finish: Finish.LENGTH, usage } });
  await workers.run();
  await reading;
  expect(seen).toMatchObject({ text: "foobar", end: { finish: "length", worker: "w1", usage } });
  expect([released, dispatch.outstanding]).toEqual([["w1"], 0]);
  expect(worker.of("cancel")).toEqual([]);
  expect(metrics.count("completion_tokens_total", { fate: "used" })).toBe(5);
  expect(metrics.count("prompt_tokens_total", { kv: "cached" })).toBe(8);
  expect([metrics.count("drafted_tokens_total", { fate: "rejected" }), metrics.count("cancels_total")]).toEqual([1, 0]);
});

test("chat and batch travel on the bulk stream", async () => {
  const { workers, ask } = room();
  await workers.welcome("w1");
  ask("w1", { lane: "chat" });
  ask("w1", { lane: "batch" });
  ask("w1", { lane: "speculative" });
  expect(workers.stream("w1", "bulk").of("submit")).toHaveLength(2);
  expect(workers.stream("w1").of("submit")).toHaveLength(1);
});

test.each(["superseded", "cancelled", "expired"] as const)(
  "Cancel is said in the same tick as a trigger is %s, once",
  async (outcome) => {
    const { workers, ask, released, codeOf, metrics, dispatch, clock } = room();
    await workers.welcome("w1");
    const { trigger, seen, read } = ask();
    const reading = read();
    const { id } = workers.submitted("w1");
    const worker = workers.stream("w1");
    worker.say({ case: "delta", value: { id, text: "a", tokens: 1 } });
    await workers.run();
    trigger.retire(new Retired(outcome));
    expect(worker.of("cancel")).toMatchObject([{ id }]);
    await reading;
    expect([codeOf(seen.error), seen.text]).toEqual([outcome, "a"]);
    // The credit is the worker's until it says that it stopped.
    expect([released, dispatch.outstanding]).toEqual([[], 1]);
    await clock.advance(5);
    worker.say({ case: "delta", value: { id, text: "late", tokens: 2 } });
    worker.say({ case: "cancelAck", value: { id, usage } });
    await workers.run();
    expect([released, dispatch.outstanding, worker.of("cancel").length]).toEqual([["w1"], 0, 1]);
    expect(metrics.count("cancels_total", { cause: outcome })).toBe(1);
    expect(getEventListeners(trigger.signal, "abort")).toHaveLength(0);
  },
);

test("tokens of a generation that nobody read are waste, also when its Done was on its way", async () => {
  const { workers, ask, metrics, released } = room();
  await workers.welcome("w1");
  const { trigger, read } = ask();
  const reading = read();
  trigger.retire(new Retired("superseded"));
  await reading;
  workers.stream("w1").say({ case: "done", value: { id: workers.submitted("w1").id, finish: Finish.STOP, usage } });
  await workers.run();
  expect(metrics.count("completion_tokens_total", { fate: "wasted" })).toBe(5);
  expect(released).toEqual(["w1"]);
});

test("a reader that leaves early cancels, and its credit comes back with the acknowledgement", async () => {
  const { workers, ask, released, metrics } = room();
  await workers.welcome("w1");
  const { trigger, deltas } = ask();
  const worker = workers.stream("w1");
  const { id } = workers.submitted("w1");
  worker.say({ case: "delta", value: { id, text: "line;\n", tokens: 4 } });
  await workers.run();
  expect((await deltas.next()).value).toMatchObject({ text: "line;\n" });
  await deltas.return(undefined as never);
  expect(worker.of("cancel")).toMatchObject([{ id }]);
  trigger.retire(new Retired("expired"));
  expect(worker.of("cancel")).toHaveLength(1);
  expect(released).toEqual([]);
  worker.say({ case: "cancelAck", value: { id, usage } });
  await workers.run();
  expect(released).toEqual(["w1"]);
  expect(metrics.count("completion_tokens_total", { fate: "used" })).toBe(5);
});

test("a trigger that ended before is not sent, and gives its booking back", async () => {
  const { workers, ask, released, codeOf } = room();
  await workers.welcome("w1");
  const ended = triggerAt("a|");
  ended.retire(new Retired("superseded"));
  const { read, seen } = ask("w1", { signal: ended.signal });
  await read();
  expect([codeOf(seen.error), released, workers.stream("w1").of("submit")]).toEqual(["superseded", ["w1"], []]);
});

test.each<[name: string, worker: string]>([
  ["a worker that nobody knows", "w9"],
  ["a worker whose link is not up", "w1"],
])("%s is lost, and its booking given back", async (_, worker) => {
  const { ask, released, codeOf, dispatch } = room();
  const { read, seen } = ask(worker);
  await read();
  expect([codeOf(seen.error), released, dispatch.outstanding]).toEqual(["worker_lost", [worker], 0]);
});

test.each<[said: string, code: string, retryable: boolean]>([
  ["overloaded", "overloaded", true],
  ["draining", "draining", true],
  ["invalid_request", "invalid_request", false],
  ["a_code_of_tomorrow", "engine_failed", true],
  ["toString", "engine_failed", true],
])("a refusal by %s is the error %s", async (said, code, retryable) => {
  const { workers, ask, released, codeOf } = room();
  await workers.welcome("w1");
  const { read, seen } = ask();
  const reading = read();
  workers.stream("w1").say({ case: "refused", value: { id: workers.submitted("w1").id, code: said, detail: "why", usage } });
  await workers.run();
  await reading;
  expect([codeOf(seen.error), released]).toEqual([code, ["w1"]]);
  expect((seen.error as SlipstreamError).row.retryable).toBe(retryable);
});

test("a worker that stops without being asked to has failed", async () => {
  const { workers, ask, codeOf } = room();
  await workers.welcome("w1");
  const { read, seen } = ask();
  const reading = read();
  workers.stream("w1").say({ case: "cancelAck", value: { id: workers.submitted("w1").id } });
  await workers.run();
  await reading;
  expect(codeOf(seen.error)).toBe("engine_failed");
});

test("a second end of one generation, and frames for none, change nothing", async () => {
  const { workers, ask, released, dispatch, metrics } = room();
  await workers.welcome("w1");
  const { read, seen } = ask();
  const reading = read();
  const { id } = workers.submitted("w1");
  const worker = workers.stream("w1");
  worker.say({ case: "delta", value: { id: 99n, text: "x" } });
  worker.say({ case: "done", value: { id, finish: Finish.STOP, usage } });
  worker.say({ case: "done", value: { id, finish: Finish.STOP, usage } });
  worker.say({ case: "cancelAck", value: { id, usage } });
  worker.say({ case: "refused", value: { id: 99n, code: "overloaded" } });
  await workers.run();
  await reading;
  expect([seen.end?.finish, released, dispatch.outstanding]).toEqual(["stop", ["w1"], 0]);
  expect(metrics.count("completion_tokens_total")).toBe(5);
});

test("frames of a kind that is not known, empty ones and what is for a prefix map are passed over", async () => {
  const { workers, roster, dispatch } = room();
  await workers.welcome("w1");
  const worker = workers.stream("w1");
  const before = roster.length;
  // A frame of a newer agent arrives without a case.
  worker.say({ case: undefined });
  worker.say({ case: "kvChange", value: { sequence: 9n } });
  worker.say({ case: "load", value: { running: 2 } });
  await workers.run();
  expect([roster.slice(before), dispatch.links.ready]).toEqual([["w1 runs 2"], 1]);
});

test("what a reader took is granted to the worker again, in steps of half a window", async () => {
  const { workers, ask } = room();
  await workers.welcome("w1");
  const { read } = ask("w1", { lane: "chat" });
  void read();
  const worker = workers.stream("w1", "bulk");
  const { id, windowBytes } = workers.submitted("w1", "bulk");
  expect(windowBytes).toBe(64 << 10);
  const say = async (text: string) => {
    worker.say({ case: "delta", value: { id, text, tokens: 1 } });
    await workers.run();
  };
  await say("é".repeat(8_000));
  expect(worker.of("window")).toEqual([]);
  await say("é".repeat(8_500));
  expect(worker.of("window")).toMatchObject([{ id, bytes: 33_000 }]);
  await say("x");
  expect(worker.of("window")).toHaveLength(1);
});

test("a link that breaks loses its generations once each and is made anew after a pause", async () => {
  const { workers, ask, released, codeOf, clock, roster, dispatch, metrics } = room();
  await workers.welcome("w1");
  const [first, second] = [ask(), ask("w1", { lane: "chat" })];
  const reading = Promise.all([first.read(), second.read()]);
  workers.stream("w1").cut();
  await workers.run();
  await reading;
  expect([codeOf(first.seen.error), codeOf(second.seen.error)]).toEqual(["worker_lost", "worker_lost"]);
  expect([released, dispatch.outstanding, dispatch.links.ready]).toEqual([["w1", "w1"], 0, 0]);
  expect(roster.at(-1)).toBe("w1 left");
  expect(workers.stream("w1", "bulk").over).toBe(true);
  expect(workers.streams).toHaveLength(2);
  await clock.advance(75);
  expect(workers.streams).toHaveLength(4);
  await workers.welcome("w1");
  expect(dispatch.links.ready).toBe(1);
  const again = ask();
  void again.read();
  expect(workers.submitted("w1").id).toBe(3n);
  expect(metrics.count("link_reconnects_total")).toBe(1);
});

test.each(["inline", "bulk"] as const)("the %s stream alone breaks the link", async (channel) => {
  const { workers, dispatch, roster } = room();
  await workers.welcome("w1");
  workers.stream("w1", channel).end();
  await workers.run();
  expect([dispatch.links.ready, roster.at(-1)]).toEqual([0, "w1 left"]);
});

test("pauses before a new try grow to their bound, and begin anew after a welcome", async () => {
  const { workers, clock } = room();
  const pauses: number[] = [];
  for (let i = 0; i < 12; i++) {
    workers.stream("w1").cut();
    await workers.run();
    const [before, since] = [workers.streams.length, clock.now()];
    while (workers.streams.length === before) await clock.advance(1);
    pauses.push(clock.now() - since);
    // Somewhere in a range that doubles, so that routers do not come back as one.
    const range = Math.min(1_000, 50 * 2 ** i);
    expect(pauses[i]).toBeGreaterThanOrEqual(25);
    expect(pauses[i]).toBeLessThanOrEqual(25 + range + 1);
  }
  expect(Math.max(...pauses)).toBeGreaterThan(200);
  await workers.welcome("w1");
  workers.stream("w1").cut();
  await clock.advance(76);
  expect(clock.waiting).toBe(1);
  expect(workers.stream("w1").over).toBe(false);
});

test.each<[name: string, streams: readonly ("inline" | "bulk")[]]>([
  ["no stream", []],
  ["only the inline stream", ["inline"]],
  ["only the bulk stream", ["bulk"]],
])("a worker that welcomes %s in time is not there", async (_, streams) => {
  const { workers, clock, dispatch } = room();
  for (const channel of streams) workers.stream("w1", channel).say({ case: "welcome", value: { protocol: 1, worker: "w1" } });
  await clock.advance(4_999);
  expect(workers.streams).toHaveLength(2);
  await clock.advance(100);
  expect(workers.streams).toHaveLength(4);
  expect(dispatch.links.ready).toBe(0);
});

test.each([0, 2])("a worker of protocol version %i is not used, and asked again later", async (protocol) => {
  const { workers, clock, dispatch, roster } = room();
  await workers.welcome("w1", 4, { protocol });
  expect([dispatch.links.ready, roster.filter((line) => line.includes("joined"))]).toEqual([0, []]);
  expect(workers.stream("w1").over).toBe(true);
  await clock.advance(100);
  expect(workers.streams).toHaveLength(4);
  await workers.welcome("w1", 4, { protocol: 1 });
  expect(dispatch.links.ready).toBe(1);
});

test("a second welcome does not make bookings forgotten", async () => {
  const { workers, roster } = room();
  await workers.welcome("w1");
  await workers.welcome("w1");
  expect(roster.filter((line) => line.includes("joined"))).toHaveLength(1);
});

test("a worker's draining and return are told", async () => {
  const { workers, roster } = room();
  await workers.welcome("w1");
  workers.stream("w1").say({ case: "draining", value: { graceMs: 100 } });
  workers.stream("w1").say({ case: "resume", value: {} });
  await workers.run();
  expect(roster.slice(-2)).toEqual(["w1 draining true", "w1 draining false"]);
});

test("demand goes to the workers that are up", async () => {
  const { workers, dispatch } = room(["w1", "w2"]);
  await workers.welcome("w1");
  dispatch.demand({ inline: 3, chat: 2, speculative: 1, batch: 0 });
  expect(workers.stream("w1").of("demand")).toMatchObject([{ inline: 3, chat: 2, speculative: 1, batch: 0 }]);
  expect(workers.stream("w2").of("demand")).toEqual([]);
});

test("closing ends what runs, and nothing is made or heard any more", async () => {
  const { workers, ask, dispatch, codeOf, released, clock, roster } = room(["w1", "w2"]);
  await workers.welcome("w1");
  const { read, seen } = ask();
  const reading = read();
  dispatch.close();
  await reading;
  expect([codeOf(seen.error), released, dispatch.links.ready, dispatch.outstanding]).toEqual(["draining", ["w1"], 0, 0]);
  const before = roster.length;
  for (const name of ["w1", "w2"]) workers.stream(name).say({ case: "welcome", value: { protocol: 1, worker: name } });
  await clock.advance(60_000);
  expect([roster.length, workers.streams.length, dispatch.links.ready, clock.waiting]).toEqual([before, 4, 0, 0]);
});
