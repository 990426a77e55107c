// How routers share one agent: credits by demand, lanes, deadlines, pre-emption.
import { expect, test } from "vitest";
import { Channel, Lane } from "../proto/gen/slipstream/v1/worker_pb.ts";
import { idle, type RouterEnd, worker } from "./router-end.fake.ts";

test("two routers share the credits by their demand, and one alone gets them all back", async () => {
  const { clock, connect } = worker({ slots: 4 });
  const a = connect("router-a");
  await clock.advance(0);
  expect(a.credits()[0]).toBe(5);
  const b = connect("router-b");
  await clock.advance(0);
  expect([a.credits()[0], b.credits()[0]]).toEqual([3, 2]);
  a.send({ case: "demand", value: { inline: 9 } });
  await clock.advance(0);
  expect([a.credits()[0], b.credits()[0]]).toEqual([5, 1]);
  b.send({ case: "demand", value: { inline: 9 } });
  await clock.advance(0);
  expect([a.credits()[0], b.credits()[0]]).toEqual([3, 2]);
  b.inbox.end();
  await clock.advance(0);
  expect(a.credits()[0]).toBe(5);
});

test("a Submit over the credits is refused and may be tried again; one that crossed lower credits is served", async () => {
  const { clock, connect } = worker({ slots: 2 });
  const a = connect("router-a");
  await clock.advance(0);
  expect(a.credits()[0]).toBe(3);
  for (let id = 1n; id <= 4n; id++) a.submit(id);
  await clock.advance(0);
  expect(a.all("refused")).toMatchObject([{ id: 4n, code: "overloaded", retryable: true }]);
  expect(a.all("refused")[0]?.detail).toContain("submit.lane");
  await clock.advance(2_000);
  expect(a.all("done").length).toBe(3);
  const b = connect("router-b");
  b.send({ case: "demand", value: { inline: 5 } });
  // Router A has not read its new credits.
  for (let id = 11n; id <= 13n; id++) a.submit(id);
  await clock.advance(3_000);
  expect(a.all("done").length).toBe(6);
});

test("better lanes enter first and earlier deadlines within a lane; what expires waiting never starts", async () => {
  const { clock, engine, connect } = worker({ slots: 1 });
  const ends = ["a", "b", "c"].map((name) => connect(name));
  const [a, b, c] = ends as [RouterEnd, RouterEnd, RouterEnd];
  await clock.advance(0);
  a.submit(1n, { sampling: { maxTokens: 60 } });
  await clock.advance(5);
  c.submit(1n, { lane: Lane.CHAT });
  b.submit(1n, { deadlineMs: 30 });
  await clock.advance(0);
  a.submit(2n, { deadlineMs: 5_000 });
  c.submit(2n, { deadlineMs: 900 });
  await clock.advance(40);
  expect(b.all("refused")).toMatchObject([{ code: "deadline_exceeded", retryable: false, usage: { promptTokens: 0 } }]);
  await clock.advance(3_000);
  const at = [c.all("done", 2n)[0]?.at, a.all("done", 2n)[0]?.at, c.all("done", 1n)[0]?.at] as number[];
  expect([...at].sort((x, y) => x - y)).toEqual(at);
  expect(c.all("done", 1n)[0]?.usage?.queueMs).toBeGreaterThan(100);
  expect(engine.load()).toMatchObject(idle);
});

test("an inline arrival at full slots retires the speculative work that came last, and only as much as it needs", async () => {
  const { clock, engine, connect } = worker({ slots: 2 });
  const router = connect();
  await clock.advance(0);
  router.send({ case: "demand", value: { speculative: 2 } });
  await clock.advance(0);
  router.submit(1n, { lane: Lane.SPECULATIVE, sampling: { maxTokens: 200 } });
  router.submit(2n, { lane: Lane.SPECULATIVE, sampling: { maxTokens: 200 } });
  await clock.advance(50);
  router.submit(3n);
  await clock.advance(20);
  expect(router.all("refused")).toMatchObject([{ id: 2n, code: "overloaded", retryable: true }]);
  expect(router.all("refused")[0]?.usage?.completionTokens).toBeGreaterThan(0);
  await clock.advance(5_000);
  expect([router.all("done", 3n).length, router.all("done", 1n).length]).toEqual([1, 1]);
  expect(engine.load()).toMatchObject(idle);
});

test("routers beyond the most are turned away, their second streams are not", async () => {
  const { clock, connect } = worker({ routersMax: 2 });
  const streams = [connect("a"), connect("b"), connect("a", Channel.BULK), connect("c")];
  await clock.advance(0);
  expect(streams.map((stream) => stream.error?.code)).toEqual([undefined, undefined, undefined, "overloaded"]);
});

test("a router's two streams share one account", async () => {
  const { clock, connect } = worker({ slots: 4 });
  const [inline, bulk, other] = [connect("a"), connect("a", Channel.BULK), connect("b")];
  await clock.advance(0);
  expect([inline.credits(), other.credits()[0]]).toEqual([bulk.credits(), 2]);
  bulk.submit(1n, { lane: Lane.CHAT, sampling: { maxTokens: 200 } });
  await clock.advance(50);
  inline.submit(1n, { sampling: { maxTokens: 20 } });
  await clock.advance(2_000);
  expect([inline.story(1n), bulk.story(1n)]).toEqual(["delta done", "delta done"]);
});
