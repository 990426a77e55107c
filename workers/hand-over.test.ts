// How a worker leaves, as its routers and its operator see it.
import { expect, test } from "vitest";
import { Channel } from "../proto/gen/slipstream/v1/worker_pb.ts";
import { Drain } from "./drain.ts";
import { RouterEnd, worker } from "./router-end.fake.ts";

/** A worker with routers that hand over, and some that are older. */
function leaving(names: { readonly [name: string]: boolean }) {
  const world = worker({ slots: 2 });
  const { agent, clock } = world;
  const routers = Object.entries(names).map(([router, handsOver]) => new RouterEnd(agent, clock, { router, handsOver }));
  const said: string[] = [];
  const drain: Drain = new Drain(
    { handOverMs: 2_000, graceMs: 4_000 },
    { clock, agent, changed: () => said.push(drain.closed ? "closed" : drain.active ? "leaving" : "back") },
  );
  return { ...world, routers, drain, said };
}

test("routers are told that it will leave, it serves on, and when each has moved its sessions it drains", async () => {
  const { clock, routers, drain, said } = leaving({ a: true, b: true, old: false });
  const [a, b, old] = routers as [RouterEnd, RouterEnd, RouterEnd];
  await clock.advance(0);
  void drain.begin("admin");
  await clock.advance(0);
  expect([said, drain.told]).toEqual([["leaving"], { process: "worker", state: "handing_over", routers: 2, generations: 0 }]);
  for (const router of routers) expect(router.all("draining")).toMatchObject([{ graceMs: 4_000, handOverMs: 2_000 }]);
  expect(a.credits()).not.toEqual([0, 0, 0, 0]);
  a.submit(1n);
  await clock.advance(500);
  expect(a.all("done", 1n)).toHaveLength(1);
  a.send({ case: "settled", value: {} });
  await clock.advance(0);
  expect(drain.told).toMatchObject({ state: "handing_over", routers: 1 });
  b.send({ case: "settled", value: {} });
  await clock.advance(0);
  expect(drain.told).toEqual({ process: "worker", state: "drained", routers: 0, generations: 0 });
  expect(old.all("draining").map(({ handOverMs }) => handOverMs)).toEqual([2_000, 0]);
  a.submit(2n);
  await clock.advance(0);
  expect(a.all("refused", 2n)).toMatchObject([{ code: "draining" }]);
});

test("a router that never says so is waited for as long as that may take, one that is gone is not", async () => {
  const { clock, routers, drain } = leaving({ silent: true, gone: true });
  await clock.advance(0);
  void drain.begin("admin");
  await clock.advance(0);
  routers[1]?.inbox.end();
  await clock.advance(1_998);
  expect(drain.told).toMatchObject({ state: "handing_over", routers: 1 });
  await clock.advance(3);
  expect(drain.told.state).toBe("drained");
});

test("where no router hands over it drains at once, with all of its grace for what runs", async () => {
  const { clock, routers, drain } = leaving({ old: false });
  await clock.advance(0);
  routers[0]?.submit(1n, { sampling: { maxTokens: 400 } });
  await clock.advance(50);
  void drain.begin("admin");
  await clock.advance(10);
  expect(drain.told).toEqual({ process: "worker", state: "draining", routers: 0, generations: 1 });
  await clock.advance(3_000);
  expect([drain.told.state, routers[0]?.all("done", 1n).length]).toEqual(["drained", 1]);
});

test("a router that connects meanwhile is told how much time is left", async () => {
  const { clock, agent, drain } = leaving({ a: true });
  await clock.advance(0);
  void drain.begin("admin");
  await clock.advance(1_500);
  const late = new RouterEnd(agent, clock, { router: "late", handsOver: true });
  await clock.advance(0);
  expect(late.all("draining")).toMatchObject([{ handOverMs: 500 }]);
  expect(drain.told.routers).toBe(2);
});

test("it may be taken back while it hands over, and after; the end of the process may not", async () => {
  const { clock, routers, drain, said } = leaving({ a: true });
  const [a] = routers as [RouterEnd];
  await clock.advance(0);
  for (const ms of [100, 5_000]) {
    void drain.begin("admin");
    await clock.advance(ms);
    drain.undo("admin");
    await clock.advance(5_000);
    expect(drain.told).toMatchObject({ state: "serving", routers: 0 });
  }
  expect([said, a.all("resume").length]).toEqual([["leaving", "back", "leaving", "closed", "closed", "back"], 2]);
  a.submit(1n);
  await clock.advance(500);
  expect(a.all("done", 1n)).toHaveLength(1);
  void drain.begin("end");
  void drain.begin("operator");
  await clock.advance(0);
  for (const asker of ["operator", "admin"] as const) drain.undo(asker);
  expect(drain.active).toBe(true);
});

test("it stays when all who asked have taken it back", async () => {
  const { clock, drain } = leaving({ a: true });
  void drain.begin("operator", 20_000);
  void drain.begin("admin");
  drain.undo("operator");
  await clock.advance(100);
  expect(drain.told.state).toBe("handing_over");
  drain.undo("admin");
  expect(drain.told.state).toBe("serving");
});

test("a Prewarm that wants an answer gets one: warm, or not", async () => {
  const { clock, agent } = worker();
  const bulk = new RouterEnd(agent, clock, { channel: Channel.BULK });
  const segments = [{ part: { case: "text" as const, value: "const a = 1;\n".repeat(200) } }];
  bulk.send({ case: "prewarm", value: { model: "m", segments, cacheSalt: "t", id: 1n, soon: true } });
  bulk.send({ case: "prewarm", value: { model: "nobody", segments, id: 2n } });
  bulk.send({ case: "prewarm", value: { model: "m", segments, cacheSalt: "u" } });
  await clock.advance(1_000);
  expect(bulk.all("prewarmed").map(({ id, warm }) => [id, warm])).toEqual([
    [2n, false],
    [1n, true],
  ]);
});

test("a worker that wants prefixes takes work when its routers have sent what they have, or nobody comes", async () => {
  const { clock, agent } = worker();
  const times = { ms: 10_000, firstMs: 3_000 };
  let ready = false;
  const warm = async () => {
    ready = false;
    await agent.presence.warmUp(5, times);
    ready = true;
  };
  void warm();
  await clock.advance(2_000);
  const router = new RouterEnd(agent, clock, { router: "a", handsOver: true });
  await clock.advance(4_000);
  expect(router.all("welcome")).toMatchObject([{ wantsPrefixes: 5 }]);
  expect([ready, agent.presence.state, router.credits()]).toEqual([false, "warming", [0, 0, 0, 0]]);
  const segments = [{ part: { case: "text" as const, value: "const a = 1;\n".repeat(200) } }];
  router.send({ case: "prewarm", value: { model: "m", segments, cacheSalt: "t", id: 1n, soon: true } });
  await clock.advance(500);
  expect(router.all("prewarmed")).toMatchObject([{ id: 1n, warm: true }]);
  router.send({ case: "settled", value: {} });
  await clock.advance(0);
  expect([ready, agent.presence.state]).toEqual([true, "serving"]);
  router.submit(1n);
  await clock.advance(500);
  expect(router.all("done", 1n)).toHaveLength(1);
  router.inbox.end();
  await clock.advance(0);
  void warm();
  await clock.advance(2_999);
  expect(ready).toBe(false);
  await clock.advance(2);
  expect(ready).toBe(true);
});

test("a router that sends no end of it is not waited for longer than that may take", async () => {
  const { clock, agent } = worker();
  let ready = false;
  void agent.presence.warmUp(5, { ms: 10_000, firstMs: 3_000 }).then(() => {
    ready = true;
  });
  new RouterEnd(agent, clock, { router: "a", handsOver: true });
  await clock.advance(9_999);
  expect(ready).toBe(false);
  await clock.advance(2);
  expect(ready).toBe(true);
});
