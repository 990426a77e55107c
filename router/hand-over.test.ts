// What a router does when a worker says that it will leave, and when one joins: scripted workers, the test's clock.
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Finish, GenerateRequestSchema, Role } from "../proto/gen/slipstream/v1/completion_pb.ts";
import { routed } from "../test/support/routed.ts";
import { modelOf } from "../test/support/router.ts";

const prewarms = { capabilities: ["prewarm"] };
const above = "const answer = compute(values);\n".repeat(60);

/** Two workers, or more, that answer Prewarm; who was asked last, and how often. */
async function fleet(names: readonly string[] = ["w1", "w2"], given: Parameters<typeof routed>[0] = {}) {
  const world = routed({ workers: [...names], ...given });
  await world.clock.advance(0);
  for (const name of names) await world.workers.welcome(name, 4, prewarms);
  const sent = new Map(names.map((name) => [name, 0]));
  /** The worker that gets the next submit. */
  const asked = () => {
    for (const name of names) {
      const count = world.workers.stream(name).of("submit").length;
      if (count > (sent.get(name) ?? 0)) {
        sent.set(name, count);
        return name;
      }
    }
    return undefined;
  };
  let keys = 0;
  /** A key in a session, answered; the worker that was asked. */
  const key = async (sessionId: string) => {
    keys += 1;
    world.complete({ sessionId, documentId: `${sessionId}-d`, prefix: `${above}// ${sessionId}\nlet a${keys} = `, kind: 2 });
    await world.clock.advance(0);
    const worker = asked() as string;
    await world.answer(worker, ["1;"], Finish.STOP);
    return worker;
  };
  const bulk = (name: string) => world.workers.stream(name, "bulk");
  const leave = async (name: string, handOverMs = 2_000) => {
    world.workers.stream(name).say({ case: "draining", value: { graceMs: 5_000, handOverMs } });
    await world.clock.advance(0);
  };
  const warm = async (name: string, is = true) => {
    for (const { id } of bulk(name).of("prewarm")) bulk(name).say({ case: "prewarmed", value: { id, warm: is } });
    await world.clock.advance(0);
  };
  return { ...world, key, bulk, leave, warm };
}

test("of a worker that will leave each session is computed at the next one, and goes there once it is warm", async () => {
  const { key, bulk, leave, warm, workers, metrics } = await fleet();
  const home = await key("s1");
  const other = home === "w1" ? "w2" : "w1";
  await leave(home);
  const [prewarm] = bulk(other).of("prewarm");
  expect(prewarm).toMatchObject({ model: "m", soon: true, cacheSalt: "default" });
  expect(JSON.stringify(prewarm?.segments.map(({ part }) => part))).toContain("// s1");
  // Not warm yet: the worker that holds it serves it, and nobody else.
  expect([await key("s1"), await key("s2"), await key("s3")]).toEqual([home, other, other]);
  expect(workers.stream(home).of("settled")).toHaveLength(0);
  await warm(other);
  expect(workers.stream(home).of("settled")).toHaveLength(1);
  expect(await key("s1")).toBe(other);
  expect(metrics.count("handed_over_total", { end: "warm" })).toBe(1);
});

test("who cannot be warmed stays until the worker takes nothing more", async () => {
  const { key, leave, warm, workers, metrics, clock } = await fleet();
  const home = await key("s1");
  const other = home === "w1" ? "w2" : "w1";
  await leave(home);
  await warm(other, false);
  expect([workers.stream(home).of("settled").length, await key("s1")]).toEqual([1, home]);
  expect(metrics.count("handed_over_total", { end: "cold" })).toBe(1);
  workers.stream(home).say({ case: "draining", value: { graceMs: 5_000 } });
  await clock.advance(0);
  expect(await key("s1")).toBe(other);
});

test("when the time is over, or the worker stays after all, what comes late changes nothing", async () => {
  for (const end of ["time", "resume"]) {
    const { key, leave, warm, workers, clock } = await fleet();
    const home = await key("s1");
    const other = home === "w1" ? "w2" : "w1";
    await leave(home, 500);
    if (end === "time") await clock.advance(501);
    else workers.stream(home).say({ case: "resume", value: {} });
    await clock.advance(0);
    await warm(other);
    expect([end, await key("s1"), workers.stream(home).of("settled").length]).toEqual([end, home, 0]);
  }
});

test("the only worker of a model has nowhere to send anybody", async () => {
  const { key, leave, workers } = await fleet(["w1"]);
  await key("s1");
  await leave("w1");
  expect([workers.stream("w1").of("settled").length, await key("s1")]).toEqual([1, "w1"]);
});

test("without memory for prompts no worker is warmed, and hand-over is over at once", async () => {
  const { key, bulk, leave, workers } = await fleet(["w1", "w2"], { warmBytes: 0 });
  const home = await key("s1");
  await leave(home);
  expect([bulk("w1"), bulk("w2")].flatMap((stream) => stream.of("prewarm"))).toEqual([]);
  expect(workers.stream(home).of("settled")).toHaveLength(1);
});

test("a worker that does not answer Prewarm is sent none", async () => {
  const world = routed({ workers: ["w1", "w2"] });
  await world.clock.advance(0);
  await world.workers.welcome("w1", 4, prewarms);
  world.complete({ sessionId: "s1", documentId: "d", prefix: above, kind: 2 });
  await world.clock.advance(0);
  await world.answer("w1", ["1;"]);
  await world.workers.welcome("w2");
  world.workers.stream("w1").say({ case: "draining", value: { graceMs: 5_000, handOverMs: 2_000 } });
  await world.clock.advance(0);
  expect(world.workers.stream("w2", "bulk").of("prewarm")).toEqual([]);
  expect(world.workers.stream("w1").of("settled")).toHaveLength(1);
});

test("a worker that joins is sent what many sessions begin with, where it would be asked for it", async () => {
  const world = routed({ workers: ["w1", "w2", "w3", "w4", "w5", "w6"] });
  const { clock, router, workers } = world;
  await clock.advance(0);
  const prewarmed = { ...prewarms, models: [{ ...modelOf({ fimFamily: "", contextTokens: 8_192 }), specials: [] }] };
  await workers.welcome("w1", 9, prewarmed);
  for (let i = 0; i < 6; i++) {
    const messages = [
      { role: Role.SYSTEM, content: `Instructions ${i % 3}. `.repeat(300) },
      { role: Role.USER, content: `Question ${i}` },
    ];
    const request = create(GenerateRequestSchema, { sessionId: `s${i}`, messages, deadlineMs: 5_000 });
    const path = router.run(router.ingress.generate(request, "default", new AbortController().signal), {});
    void (async () => {
      for (let step = await path.next(); !step.done; step = await path.next());
    })();
    await clock.advance(0);
    const { id } = workers.submitted("w1", "bulk");
    workers.stream("w1", "bulk").say({ case: "done", value: { id, finish: Finish.STOP } });
    await clock.advance(0);
  }
  const texts: (readonly string[])[] = [];
  for (const name of ["w2", "w3", "w4", "w5", "w6"]) {
    await workers.welcome(name, 4, prewarmed);
    const bulk = workers.stream(name, "bulk");
    for (let told = 0; told < bulk.of("prewarm").length; told++) {
      bulk.say({ case: "prewarmed", value: { id: bulk.of("prewarm")[told]?.id ?? 0n, warm: true } });
      await clock.advance(0);
    }
    const parts = bulk.of("prewarm").map(({ segments }) => JSON.stringify(segments.map(({ part }) => part)));
    texts.push(parts.map((part) => part.match(/Instructions \d/)?.[0] ?? ""));
    expect(parts.filter((part) => part.includes("Question"))).toEqual([]);
  }
  // The heaviest of all by hash has each in the end, and on the way some who were it until then: not everybody has everything.
  expect(new Set(texts.flat()).size).toBe(3);
  expect(texts.flat().length).toBeLessThan(5 * 3);
  for (const one of texts) expect(new Set(one).size).toBe(one.length);
});
