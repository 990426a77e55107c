// The agent as a router sees it: frames in, frames out.
import { expect, test } from "vitest";
import { seeded } from "../lib/random.ts";
import { quantile } from "../lib/structures/quantiles.ts";
import { Finish } from "../proto/gen/slipstream/v1/completion_pb.ts";
import { Channel } from "../proto/gen/slipstream/v1/worker_pb.ts";
import { code, idle, truth, worker } from "./router-end.fake.ts";

test("a router is welcomed, given credits and the load, and its generation streams to one Done", async () => {
  const { clock, engine, connect } = worker();
  const router = connect();
  await clock.advance(0);
  expect(router.frames.map(({ frame }) => frame.case)).toEqual(["welcome", "credits", "load"]);
  expect(router.all("welcome")[0]).toMatchObject({
    protocol: 1,
    worker: "w-0",
    pool: "p",
    engine: "simulated",
    slots: 4,
    blockTokens: 16,
    models: [{ name: "m", fim: { prefix: "<|fim_prefix|>" } }],
  });
  router.submit(1n);
  await clock.advance(1_000);
  expect(router.story(1n)).toBe("delta done");
  expect(truth.startsWith(router.text(1n))).toBe(true);
  const done = router.all("done", 1n)[0];
  expect(done).toMatchObject({ finish: Finish.LENGTH, usage: { completionTokens: 24, cachedTokens: 0 } });
  expect(router.all("delta", 1n).reduce((sum, delta) => sum + delta.tokens, 0)).toBe(24);
  expect(router.all("delta", 1n)[0]?.confidence).toBeGreaterThan(0);
  expect(engine.load()).toMatchObject(idle);
  expect(clock.next()).toBeUndefined();
});

test("a Cancel stops what waits, what is being computed and what decodes; nothing follows its CancelAck", async () => {
  const { clock, engine, connect } = worker({ slots: 2 });
  const router = connect();
  await clock.advance(0);
  router.submit(1n, { sampling: { maxTokens: 200 } });
  await clock.advance(60);
  router.submit(2n, { text: `// cold\n${code.repeat(200)}`, sampling: { maxTokens: 200 } });
  router.submit(3n);
  await clock.advance(13);
  const at = clock.now();
  const said = router.all("delta", 1n).length;
  expect(said).toBeGreaterThan(2);
  for (const id of [3n, 2n, 1n]) router.cancel(id);
  await clock.advance(0);
  // What waited has stopped already; what runs stops with the step.
  expect(router.all("cancelAck", 3n)).toMatchObject([{ at, abortMs: 0 }]);
  await clock.advance(20);
  for (const id of [1n, 2n]) {
    const ack = router.all("cancelAck", id)[0];
    expect(ack?.abortMs).toBeGreaterThan(0);
    expect(ack?.abortMs).toBeLessThan(15);
    expect(ack?.abortMs).toBeCloseTo((ack?.at ?? 0) - at);
  }
  expect(router.all("delta", 1n).length).toBe(said);
  expect(router.story(2n)).toBe("cancelAck");
  expect(router.all("cancelAck", 2n)[0]?.usage?.recomputedTokens).toBeGreaterThan(0);
  expect(router.all("cancelAck", 1n)[0]?.usage?.completionTokens).toBeGreaterThan(2);
  router.cancel(1n);
  await clock.advance(500);
  expect(router.all("cancelAck").length).toBe(3);
  expect(engine.load()).toMatchObject(idle);
});

test("from Cancel to stop takes at most one step, over hundreds of cancels at every phase", async () => {
  const { clock, engine, connect } = worker({ slots: 8, profileEnd: "slow" });
  const router = connect();
  const random = seeded(11);
  await clock.advance(0);
  for (let id = 1n; id <= 400n; id++) {
    router.submit(id, { text: `// ${id}\n${code.repeat(5 + Math.floor(random.next() * 60))}`, sampling: { maxTokens: 200 } });
    await clock.advance(random.next() * 120);
    router.cancel(id);
    await clock.advance(random.next() * 12);
  }
  await clock.advance(200);
  const times = router.all("cancelAck").map((ack) => ack.abortMs);
  expect(times.length).toBe(400);
  // Slow H100 with a few sequences and four drafts: 7 + 1.6 and a chunk of prompt as long as reading the weights.
  const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)];
  expect(p50).toBeLessThan(8);
  expect(p99).toBeLessThan(18);
  expect(engine.load()).toMatchObject(idle);
});

test("a reader that opens no window keeps its own text waiting, and neither a slot nor another reader", async () => {
  const { clock, engine, connect } = worker({ slots: 1 });
  const [slow, other] = [connect("slow"), connect("other")];
  await clock.advance(0);
  slow.submit(1n, { windowBytes: 10 });
  await clock.advance(1_000);
  expect(slow.text(1n).length).toBe(10);
  expect(slow.all("done")).toEqual([]);
  expect(engine.load()).toMatchObject(idle);
  other.submit(1n);
  await clock.advance(1_000);
  expect(other.all("done").length).toBe(1);
  slow.send({ case: "window", value: { id: 1n, bytes: 15 } });
  await clock.advance(0);
  expect(slow.text(1n).length).toBe(25);
  slow.send({ case: "window", value: { id: 1n, bytes: 100_000 } });
  await clock.advance(0);
  expect(slow.story(1n)).toBe("delta done");
  expect(slow.text(1n)).toBe(other.text(1n));
});

test("a Cancel, a deadline or a lost stream ends text that waits for its reader", async () => {
  const { clock, connect } = worker();
  const [a, b] = [connect("a"), connect("b")];
  await clock.advance(0);
  a.submit(1n, { windowBytes: 4 });
  a.submit(2n, { windowBytes: 4, deadlineMs: 700 });
  b.submit(1n, { windowBytes: 4 });
  await clock.advance(500);
  a.cancel(1n);
  await clock.advance(0);
  expect(a.story(1n)).toBe("delta cancelAck");
  b.inbox.end();
  await clock.advance(300);
  expect(a.all("done", 2n)).toMatchObject([{ finish: Finish.DEADLINE }]);
  expect(b.story(1n)).toBe("delta");
  expect(b.over).toBe(true);
  expect(clock.next()).toBeUndefined();
});

test("text ends at a stop string or a line end, the engine stops, and Done says so", async () => {
  const { clock, engine, connect } = worker();
  const router = connect();
  await clock.advance(0);
  router.submit(1n, { sampling: { maxTokens: 200, stop: ["never", "reduce((sum"] } });
  router.submit(2n, { sampling: { maxTokens: 200 }, stopAtNewline: true });
  await clock.advance(400);
  expect(router.text(1n)).toBe("const total = items.");
  expect(router.all("done", 1n)[0]?.finish).toBe(Finish.STOP);
  expect(router.text(2n)).toBe(code.trimEnd());
  expect(router.all("done", 2n)[0]?.finish).toBe(Finish.CUT);
  expect(engine.load()).toMatchObject(idle);
});

test("what decodes at its deadline is stopped and closed as cut there", async () => {
  const { clock, engine, connect } = worker();
  const router = connect();
  await clock.advance(0);
  router.submit(1n, { deadlineMs: 80, sampling: { maxTokens: 400 } });
  await clock.advance(100);
  const done = router.all("done", 1n)[0];
  expect(done?.finish).toBe(Finish.DEADLINE);
  expect(router.text(1n).length).toBeGreaterThan(0);
  expect(engine.load()).toMatchObject(idle);
});

test("a drain tells every router, refuses what waits, lets what runs end, and then the rest go", async () => {
  const { clock, engine, agent, connect } = worker({ slots: 2 });
  const router = connect();
  await clock.advance(0);
  router.submit(1n, { sampling: { maxTokens: 40 } });
  router.submit(2n, { sampling: { maxTokens: 2_000 } });
  router.submit(3n);
  await clock.advance(50);
  let drained = false;
  void agent.drain(1_000).then(() => {
    drained = true;
  });
  router.submit(4n);
  await clock.advance(0);
  expect(router.all("draining")).toMatchObject([{ graceMs: 1_000 }]);
  expect(router.credits()).toEqual([0, 0, 0, 0]);
  expect(router.all("refused").map(({ id, code: why, retryable }) => [id, why, retryable])).toEqual([
    [3n, "draining", true],
    [4n, "draining", true],
  ]);
  const late = connect("late");
  await clock.advance(500);
  expect(late.frames.map(({ frame }) => frame.case)).toContain("draining");
  expect(late.credits()).toEqual([0, 0, 0, 0]);
  expect(router.all("done", 1n).length).toBe(1);
  expect(drained).toBe(false);
  await clock.advance(600);
  expect(router.all("refused", 2n)).toMatchObject([{ code: "draining", retryable: true }]);
  expect(drained).toBe(true);
  expect(engine.load()).toMatchObject(idle);
  agent.resume();
  await clock.advance(0);
  expect(router.all("resume").length).toBe(1);
  router.submit(9n);
  await clock.advance(500);
  expect(router.all("done", 9n).length).toBe(1);
  agent.close();
  await clock.advance(0);
  expect([router.error?.code, late.error?.code]).toEqual(["draining", "draining"]);
});

test("a lost stream frees everything it had, and says nothing more on it", async () => {
  const { clock, engine, connect } = worker({ slots: 2 });
  const router = connect();
  await clock.advance(0);
  for (let id = 1n; id <= 3n; id++) router.submit(id, { sampling: { maxTokens: 400 } });
  await clock.advance(60);
  expect(engine.load().running).toBe(2);
  const frames = router.frames.length;
  router.inbox.end();
  await clock.advance(100);
  expect(router.over).toBe(true);
  expect(router.frames.length).toBe(frames);
  expect(engine.load()).toMatchObject(idle);
  expect(clock.next()).toBeUndefined();
});

test("an engine that dies refuses what it ran, retryable, and the agent lives", async () => {
  const { clock, engine, connect } = worker();
  const router = connect();
  await clock.advance(0);
  router.submit(1n);
  await clock.advance(30);
  engine.crash("out of memory");
  await clock.advance(0);
  expect(router.all("refused", 1n)).toMatchObject([{ code: "engine_failed", retryable: true }]);
  router.submit(2n);
  await clock.advance(0);
  expect(router.all("refused", 2n)).toMatchObject([{ code: "engine_failed" }]);
  expect(router.over).toBe(false);
});

test("Load comes at changes and while work runs, at most each 100 ms, and ends at rest", async () => {
  const { clock, connect } = worker();
  const router = connect();
  await clock.advance(500);
  expect(router.all("load").length).toBe(1);
  for (let id = 1n; id <= 3n; id++) router.submit(id, { sampling: { maxTokens: 150 } });
  await clock.advance(3_000);
  const loads = router.all("load").slice(1);
  const gaps = loads.slice(1).map((load, i) => load.at - (loads[i] as { at: number }).at);
  expect(loads.length).toBeGreaterThan(3);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(100);
  expect(loads[0]).toMatchObject({ running: 3, slots: 4 });
  expect(loads[1]?.stepMs).toBeGreaterThan(4);
  expect(loads.at(-1)).toMatchObject({ running: 0, waiting: 0, kvBlocksUsed: 0 });
  expect(loads.at(-1)?.draftAcceptance).toBeGreaterThan(0.2);
});

test("KV changes reach the bulk stream in order, and a gap is sent again", async () => {
  const { clock, connect } = worker();
  const [inline, bulk] = [connect("a"), connect("a", Channel.BULK)];
  const digests = (first: number) => Uint8Array.from({ length: 8 * 20 }, (_, i) => (i % 8 === 7 ? first + Math.floor(i / 8) : 0));
  await clock.advance(0);
  for (const [id, first] of [
    [1n, 0],
    [2n, 100],
  ] as const) {
    inline.submit(id, { blockDigests: digests(first), text: `${id} ${code.repeat(19)}` });
    await clock.advance(500);
  }
  const changes = bulk.all("kvChange");
  expect(inline.all("kvChange")).toEqual([]);
  expect(changes.map((change) => change.sequence)).toEqual(changes.map((_, i) => BigInt(i + 1)));
  expect(changes.flatMap((change) => change.stored).length).toBeGreaterThan(30);
  bulk.send({ case: "kvResend", value: { fromSequence: 2n } });
  await clock.advance(0);
  expect(bulk.all("kvChange").slice(changes.length)).toMatchObject(
    changes.slice(1).map(({ sequence, stored }) => ({ sequence, stored })),
  );
});

test("a prewarmed prefix is computed in idle time and found by the next prompt", async () => {
  const { clock, connect } = worker();
  const router = connect();
  await clock.advance(0);
  const segments = [
    { part: { case: "special" as const, value: "<|fim_prefix|>" } },
    { part: { case: "text" as const, value: code.repeat(30) } },
  ];
  router.send({ case: "prewarm", value: { model: "m", segments, cacheSalt: "t" } });
  await clock.advance(200);
  router.submit(1n, { segments: [...segments, { part: { case: "special", value: "<|fim_middle|>" } }], cacheSalt: "t" });
  await clock.advance(500);
  expect(router.all("done", 1n)[0]?.usage?.recomputedTokens).toBeLessThan(20);
});
